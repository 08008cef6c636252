"""Redrive: a failed, aborted or timed-out execution runs on from the states that did not succeed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.stepfunctions.runtime.execution import Execution

if TYPE_CHECKING:
    from local.stepfunctions.runtime.interpreter import Interpreter

REDRIVE_SECONDS = 14 * 24 * 3600
MAX_EVENTS = 24_999


def redrivable(execution: Execution, now: float) -> tuple[bool, str]:
    """Whether an execution can be redriven at `now`, and if not, why, in AWS's words."""
    if execution.running:
        return False, "Execution is RUNNING and cannot be redriven"
    if execution.status == "SUCCEEDED":
        return False, "Execution is SUCCEEDED and cannot be redriven"
    if execution.stopped is not None and now - execution.stopped > REDRIVE_SECONDS:
        return False, "Execution history event limit exceeded or redrivable period exceeded"
    if len(execution.history.events) >= MAX_EVENTS:
        return False, "Execution history event limit exceeded"
    if execution.root is None or execution.root.state is None:
        return False, "Execution cannot be redriven"
    return True, ""


def redrive(interpreter: Interpreter, execution: Execution) -> None:
    """Record ExecutionRedriven and enter the state in which the execution ended, with the same input."""
    root = execution.root
    if root is None or root.state is None:
        return
    root.ended = False
    execution.status, execution.stopped = "RUNNING", None
    execution.error = execution.cause = None
    execution.redrives += 1
    execution.redriven = interpreter.host.now
    interpreter.endings.arm_timeout(execution)
    last = len(execution.history.events)
    details = {"redriveCount": execution.redrives}
    root.previous = execution.history.append("ExecutionRedriven", last, interpreter.host.now, details)
    interpreter.go(root, root.state.name, root.raw, root.raw_text)
