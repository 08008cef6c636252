"""Moto's own interpreter of state machines, in this process and in memory."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

from bench.peers.definition import write_definition
from bench.peers.environments import PROGRAMS
from bench.peers.running import Running, spawn


class Moto:
    """`branches`: the same state machine as ours. It runs in our own environment, where moto is pinned."""

    name = "moto"
    pins = (f"moto=={version('moto')}",)
    variants = ("branches",)
    durable = None

    def install(self) -> None:
        """It is there."""

    def start(self, directory: Path, variant: str, slow: float = 0) -> Running:
        """Start the process."""
        command = [sys.executable, PROGRAMS / "moto_saga.py", write_definition(directory)]
        return Running(spawn(command, directory / "moto.log", {"SLOW": str(slow)}, orders=True))
