"""The AWS durable execution SDK: its local runner in this process, on its SQLite store."""

from __future__ import annotations

from pathlib import Path

from bench.peers.environments import PROGRAMS, python_environment
from bench.peers.running import Running, spawn


class AwsDurable:
    """`sequential`: one step after the other; `branches`: its `parallel`, a branch per cloud."""

    name = "AWS durable execution SDK"
    pins = ("aws-durable-execution-sdk-python==3.0.0", "aws-durable-execution-sdk-python-testing==1.4.0")
    variants = ("sequential", "branches")
    durable = "SQLite with a write-ahead log, not synced at a commit"

    def install(self) -> None:
        """Build its environment unless it is there."""
        python_environment("aws_durable", self.pins)

    def start(self, directory: Path, variant: str, slow: float = 0) -> Running:
        """Start the process."""
        python = python_environment("aws_durable", self.pins)
        command = [python, PROGRAMS / "aws_durable_saga.py", directory, variant]
        return Running(spawn(command, directory / "aws_durable.log", {"SLOW": str(slow)}, orders=True))
