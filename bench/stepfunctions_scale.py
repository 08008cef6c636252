"""Whether the Step Functions engine stays small and quick with many waiting and many finished executions.

FINISHED in the environment is how many executions are to have ended at the last measurement; 1,000,000 takes minutes.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from bench.figure import Figure, limited
from local.clock import VirtualClock
from local.stepfunctions import Engine

WAIT = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 86_400, "End": True}}}
SHORT = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
FEW = 1_000
CALLS = 500
SLOWER = 1.5


def megabytes() -> float:
    """The resident set of this process."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


def idle_megabytes(executions: int = 10_000) -> float:
    """How much memory that many waiting executions take."""
    engine = Engine(clock=VirtualClock())
    machine = engine.create_state_machine("idle", WAIT)
    before = megabytes()
    for number in range(executions):
        engine.start_execution(machine, {"number": number})
    return megabytes() - before


class Busy:
    """An engine with more and more finished executions, and what its API takes to answer meanwhile."""

    def __init__(self) -> None:
        self.engine = Engine(clock=VirtualClock())
        self.short = self.engine.create_state_machine("short", SHORT)
        self.waiting = self.engine.create_state_machine("waiting", WAIT)
        self.finished = 0
        self.last = ""

    def finish(self, executions: int) -> None:
        """Run executions until so many have ended."""
        while self.finished < executions:
            self.last = self.engine.start_execution(self.short, "{}")
            self.finished += 1

    def microseconds(self) -> dict[str, float]:
        """The median time of each kind of call by the JSON protocol."""
        deep = {"stateMachineArn": self.short, "nextToken": self._token_of_a_deep_page()}
        calls: dict[str, tuple[str, dict[str, Any]]] = {
            "StartExecution": ("StartExecution", {"stateMachineArn": self.waiting}),
            "DescribeExecution": ("DescribeExecution", {"executionArn": self.last}),
            "ListExecutions": ("ListExecutions", {"stateMachineArn": self.short}),
            "ListExecutions, a later page": ("ListExecutions", deep),
            "ListExecutions by status": ("ListExecutions", {"stateMachineArn": self.short, "statusFilter": "FAILED"}),
        }
        return {
            name: self._time(operation, json.dumps(request).encode()) for name, (operation, request) in calls.items()
        }

    def _token_of_a_deep_page(self) -> str:
        request: dict[str, Any] = {"stateMachineArn": self.short, "maxResults": FEW // 2}
        token: str = self.engine.handle_call("ListExecutions", request)["nextToken"]
        return token

    def _time(self, operation: str, body: bytes) -> float:
        return 1e6 * median(
            _seconds(lambda: self.engine.handle(f"AWSStepFunctions.{operation}", body)) for _ in range(CALLS)
        )


def _seconds(call: Callable[[], tuple[int, bytes]]) -> float:
    began = time.perf_counter()
    status, body = call()
    took = time.perf_counter() - began
    if status != 200:
        raise RuntimeError(body.decode())
    return took


def figures() -> list[Figure]:
    """Every figure with its goal."""
    many = int(os.environ.get("FINISHED", "100000"))
    idle = idle_megabytes()
    busy = Busy()
    before = megabytes()
    busy.finish(FEW)
    few = busy.microseconds()
    busy.finish(many)
    after = busy.microseconds()
    how = f"median of {CALLS} calls by the JSON protocol, the default retention; beside it: after {FEW:,}"
    return [
        limited("stepfunctions 10,000 idle executions", idle, "MB", 500, "growth of the resident set, in a Wait state"),
        limited(
            f"stepfunctions {many:,} finished executions",
            megabytes() - before,
            "MB",
            500,
            "growth of the resident set, the default retention",
        ),
        *(
            Figure(
                name=f"stepfunctions {name} after {many:,} finished",
                value=round(after[name], 1),
                unit="us",
                goal=f"at most {SLOWER:g} times as long as after {FEW:,}",
                met=after[name] <= SLOWER * few[name],
                peer={f"after {FEW:,}": round(few[name], 1)},
                ratio=round(few[name] / after[name], 2),
                method=how,
            )
            for name in few
        ),
    ]
