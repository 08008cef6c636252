"""How branches and executions end: success, failure, timeout, abort, and what is cut short with them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from local.stepfunctions.errors import StateFailure
from local.stepfunctions.jsontext import Json
from local.stepfunctions.runtime.execution import Branch, Execution, Join, Status

if TYPE_CHECKING:
    from local.stepfunctions.runtime.interpreter import Interpreter

EXPRESS_SECONDS = 300


class Endings:
    """Ends branches and executions."""

    def __init__(self, interpreter: Interpreter) -> None:
        self._interpreter = interpreter
        self._host = interpreter.host

    def arm_timeout(self, execution: Execution) -> None:
        """Limit the execution's time: TimeoutSeconds of the definition, five minutes for Express."""
        seconds = execution.origin.program.timeout
        if execution.origin.express:
            seconds = min(seconds or EXPRESS_SECONDS, EXPRESS_SECONDS)
        if seconds is not None:
            self._host.arm(execution, self._host.moment + seconds, partial(self.time_out, execution))

    def succeed(self, branch: Branch, output_text: str) -> None:
        """The machine's last state has been left."""
        execution = branch.execution
        execution.output_text = output_text
        self._interpreter.record(branch, "ExecutionSucceeded", {"output": output_text})
        self._end(execution, "SUCCEEDED")

    def branch_failed(self, branch: Branch, failure: StateFailure) -> None:
        """A branch has failed for good: its Map or Parallel fails, or else the execution."""
        branch.failure = failure
        if branch.join is not None:
            self._interpreter.joins.child_failed(branch.join, branch, failure)
            return
        self.fail_execution(branch.execution, branch.previous, failure.error, failure.cause)

    def fail_execution(self, execution: Execution, previous: int, error: str | None, cause: str | None) -> None:
        """Record ExecutionFailed and end."""
        execution.error, execution.cause = error, cause
        details = _named(error=error, cause=cause)
        execution.history.append("ExecutionFailed", previous, self._host.moment, details)
        self._end(execution, "FAILED")

    def history_full(self, execution: Execution) -> None:
        """End an execution at the service's limit of 25,000 events."""
        if not execution.running:
            return
        if execution.root is not None:
            self.release(execution.root)
        last = len(execution.history.events)
        cause = "The execution reached the maximum number of history events (25000)."
        self.fail_execution(execution, last, "States.Runtime", cause)

    def time_out(self, execution: Execution) -> None:
        """The execution's own time is over; no Catch sees it."""
        self._cut(execution, "ExecutionTimedOut", "TIMED_OUT", None, None)

    def abort(self, execution: Execution, error: str | None, cause: str | None) -> None:
        """StopExecution: no Catch sees it."""
        self._cut(execution, "ExecutionAborted", "ABORTED", error, cause)

    def _cut(self, execution: Execution, event: str, status: Status, error: str | None, cause: str | None) -> None:
        if not execution.running:
            return
        root = execution.root
        previous = root.previous if root is not None else 0
        if root is not None:
            self.abort_branch(root)
        execution.error, execution.cause = error, cause
        execution.history.append(event, previous, self._host.moment, _named(error=error, cause=cause))
        self._end(execution, status)

    def _end(self, execution: Execution, status: Status) -> None:
        execution.status = status
        execution.stopped = self._host.moment
        if execution.root is not None:
            self.release(execution.root)
        for number in list(execution.timers):
            self._host.disarm(execution, number)
        self._host.ended(execution)

    def abort_branch(self, branch: Branch) -> None:
        """Cut a branch short, with everything inside it, and record that it was."""
        self.abort_inside(branch)
        if branch.attempt is not None:
            self._interpreter.note(branch, "TaskStateAborted")
        self.release(branch)

    def abort_inside(self, branch: Branch) -> None:
        """Cut short what runs inside a branch's Parallel or Map; the branch itself lives on."""
        inner = branch.inner
        if isinstance(inner, Join):
            for child in list(inner.children.values()):
                self.abort_branch(child)
                if branch.state.type == "Map":
                    details: dict[str, Json] = {"index": child.index, "name": branch.state.name}
                    self._interpreter.note(child, "MapIterationAborted", details)
        elif inner is not None:
            self._interpreter.map_runs.abort(inner)

    def release(self, branch: Branch) -> None:
        """End a branch: let go of what it waits for, its timers and its task's token."""
        branch.ended = True
        execution = branch.execution
        self._host.disarm(execution, branch.timer)
        branch.timer = None
        if branch.attempt is not None:
            self._interpreter.tasks.close(branch.attempt)
            branch.attempt = None
        if isinstance(branch.inner, Join):
            for child in branch.inner.children.values():
                self.release(child)


def _named(**details: str | None) -> dict[str, Json]:
    return {key: value for key, value in sorted(details.items()) if value is not None}
