"""aws-local-stepfunctions: an interpreter of state machines on Node, in one process and in memory."""

from __future__ import annotations

from pathlib import Path

from bench.peers.definition import write_definition
from bench.peers.environments import NODE, node_environment
from bench.peers.running import Running, spawn


class AwsLocalStepfunctions:
    """`branches`: the same state machine as ours, its activities called in the process."""

    name = "aws-local-stepfunctions"
    pins = ("aws-local-stepfunctions@3.0.0",)
    variants = ("branches",)
    durable = None

    def install(self) -> None:
        """Build its environment unless it is there."""
        node_environment("aws-local-stepfunctions", self.pins)

    def start(self, directory: Path, variant: str, slow: float = 0) -> Running:
        """Start the process."""
        home = node_environment("aws-local-stepfunctions", self.pins)
        command = [NODE, "aws_local_stepfunctions_saga.mjs", write_definition(directory)]
        log = directory / "aws_local_stepfunctions.log"
        return Running(spawn(command, log, {"SLOW": str(slow)}, folder=home, orders=True))
