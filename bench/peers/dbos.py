"""DBOS: workflows in this process, on its system database in SQLite."""

from __future__ import annotations

from pathlib import Path

from bench.peers.environments import PROGRAMS, python_environment
from bench.peers.running import Running, spawn


class Dbos:
    """`sequential`: one step after the other, in threads; `stages`: what all clouds do at the same time, in asyncio.

    Tuned: SQLite writes ahead and a commit waits for no disk.
    """

    name = "DBOS"
    pins = ("dbos==3.4.0",)
    variants = ("sequential", "stages")
    durable = "SQLite with a write-ahead log, not synced at a commit"

    def install(self) -> None:
        """Build its environment unless it is there."""
        python_environment("dbos", self.pins)

    def start(self, directory: Path, variant: str, slow: float = 0) -> Running:
        """Start the process."""
        python = python_environment("dbos", self.pins)
        command = [python, PROGRAMS / "dbos_saga.py", directory, variant]
        return Running(spawn(command, directory / "dbos.log", {"SLOW": str(slow)}, orders=True))
