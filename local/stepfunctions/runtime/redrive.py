"""Redrive: a failed, aborted or timed-out execution runs on from the states that did not succeed.

Inside a Parallel or a Map only the branches, iterations and child executions that did not succeed run again, as
"Redriving executions" in the developer guide has it; the state itself is not entered a second time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.stepfunctions.jsontext import dumps
from local.stepfunctions.runtime.execution import NO_STATE, Branch, Execution, Join
from local.stepfunctions.runtime.map_run import MapRun

if TYPE_CHECKING:
    from local.stepfunctions.runtime.interpreter import Interpreter

REDRIVE_SECONDS = 14 * 24 * 3600
MAX_EVENTS = 24_999


def redrivable(execution: Execution, now: float) -> tuple[bool, str]:
    """Whether an execution can be redriven at `now`, and if not, why, in AWS's words."""
    if execution.status in ("RUNNING", "SUCCEEDED"):
        return False, f"Execution is {execution.status} and cannot be redriven"
    if execution.stopped is not None and now - execution.stopped > REDRIVE_SECONDS:
        return False, "Execution history event limit exceeded or redrivable period exceeded"
    if len(execution.history.events) >= MAX_EVENTS:
        return False, "Execution history event limit exceeded"
    if execution.root is None:
        return False, "Execution cannot be redriven"
    return True, ""


def redrive(interpreter: Interpreter, execution: Execution) -> None:
    """Record ExecutionRedriven and run on; one that has succeeded has no root any more and stays as it is."""
    root = execution.root
    if root is None:
        return
    execution.status, execution.stopped = "RUNNING", None
    interpreter.host.resumed(execution)
    execution.error = execution.cause = None
    execution.redrives += 1
    execution.redriven = interpreter.host.moment
    interpreter.endings.arm_timeout(execution)
    last = len(execution.history.events)
    details = {"redriveCount": execution.redrives}
    root.previous = execution.history.append("ExecutionRedriven", last, interpreter.host.moment, details)
    _run_on(interpreter, root)


def _run_on(interpreter: Interpreter, branch: Branch) -> None:
    branch.ended = False
    branch.retries = {}
    unfinished = branch.inner or branch.unfinished
    if isinstance(unfinished, Join):
        _run_on_inside(interpreter, branch, unfinished)
    elif isinstance(unfinished, MapRun):
        _redrive_children(interpreter, branch, unfinished)
    elif branch.state is NO_STATE:
        interpreter.go(branch, branch.block.start_at, branch.raw, dumps(branch.raw))
    else:
        interpreter.host.soon(lambda: interpreter.begin(branch))


def _run_on_inside(interpreter: Interpreter, branch: Branch, join: Join) -> None:
    branch.inner = join
    join.children.update({child.index: child for child in join.failed})
    join.failed = []
    for child in list(join.children.values()):
        child.previous = branch.previous
        _run_on(interpreter, child)
    if branch.state.type == "Map":
        interpreter.guard(branch, lambda owner: interpreter.joins.fill(join, owner.previous))


def _redrive_children(interpreter: Interpreter, branch: Branch, run: MapRun) -> None:
    branch.inner = run
    run.status, run.stopped = "RUNNING", None
    run.redrives += 1
    interpreter.record(branch, "MapRunRedriven", {"mapRunArn": run.arn, "redriveCount": run.redrives})
    unsuccessful = [index for index, child in run.ended.items() if child.status != "SUCCEEDED"]
    if not run.inputs:
        interpreter.host.soon(lambda: interpreter.begin(branch))
        return
    run.failed_items -= sum(run.item_counts[index] for index in unsuccessful)
    for index in unsuccessful:
        run.running[index] = run.ended.pop(index)
        redrive(interpreter, run.running[index])
    interpreter.map_runs.fill(run)
