"""Ours: the engine in one process, as local mode has it, with its journal or without."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.peers.definition import write_definition
from bench.peers.environments import PROGRAMS, REPOSITORY
from bench.peers.running import Running, spawn

SYNCED, JOURNAL, MEMORY = "synced", "journal", "memory"


class Skysaga:
    """`synced`: the journal waits for the disk; `journal`: it survives the process; `memory`: without one, in place."""

    name = "skysaga"
    pins: tuple[str, ...] = ()
    variants = (SYNCED, JOURNAL, MEMORY)
    durable = "its journal, synced to the disk, one sync for what comes in meanwhile"

    def install(self) -> None:
        """It is there."""

    def start(self, directory: Path, variant: str, slow: float = 0) -> Running:
        """Start the process."""
        command = [sys.executable, PROGRAMS / "skysaga_saga.py", write_definition(directory), directory, variant]
        environment = {"PYTHONPATH": str(REPOSITORY), "SLOW": str(slow)}
        return Running(spawn(command, directory / "skysaga.log", environment, orders=True))
