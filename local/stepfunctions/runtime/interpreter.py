"""The walk over a compiled program: entering, leaving, failing, retrying and catching, for every type of state."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import cast

from local.stepfunctions.asl.environment import Environment
from local.stepfunctions.asl.program import NO_RESULT, ChoiceSpec, FailSpec, PassSpec, WaitSpec
from local.stepfunctions.asl.recovery import Catcher, error_output, matches
from local.stepfunctions.errors import DATA_LIMIT, QUERY, RUNTIME, Fault, StateFailure, oversized
from local.stepfunctions.jsontext import Json, dumps, loads, too_large
from local.stepfunctions.runtime.context import build_context
from local.stepfunctions.runtime.endings import Endings
from local.stepfunctions.runtime.execution import NO_ENVIRONMENT, Branch, Execution
from local.stepfunctions.runtime.history import HistoryFullError
from local.stepfunctions.runtime.host import Host
from local.stepfunctions.runtime.joins import Joins
from local.stepfunctions.runtime.map_run import MapRun, MapRuns
from local.stepfunctions.runtime.tasks import Tasks


class Interpreter:
    """Runs executions on a host; every method is called while one input is being applied."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.observe: Callable[[str, str, str], None] | None = None
        self.endings = Endings(self)
        self.joins = Joins(self)
        self.map_runs = MapRuns(self)
        self.tasks = Tasks(self)
        self._begin: dict[str, Callable[[Branch], None]] = {
            "Pass": self._begin_pass,
            "Wait": self._begin_wait,
            "Choice": self._begin_choice,
            "Succeed": self._begin_succeed,
            "Fail": self._begin_fail,
            "Task": self.tasks.begin,
            "Parallel": self.joins.begin_parallel,
            "Map": self.joins.begin_map,
        }

    def start(self, execution: Execution) -> None:
        """Record ExecutionStarted and enter the first state."""
        self.endings.arm_timeout(execution)
        execution.history.append(
            "ExecutionStarted",
            0,
            self.host.moment,
            {"input": execution.input_text, "roleArn": execution.origin.role_arn},
        )
        root = Branch(execution, execution.origin.program.block, None, 0, 0)
        execution.root = root
        root.raw = loads(execution.input_text)
        self.go(root, root.block.start_at, root.raw, execution.input_text)

    def record(self, branch: Branch, event_type: str, details: dict[str, Json] | None = None) -> int:
        """Record an event that follows the branch's last one."""
        try:
            number = branch.execution.history.append(event_type, branch.previous, self.host.moment, details)
        except HistoryFullError:
            self.endings.history_full(branch.execution)
            raise
        branch.previous = number
        return number

    def note(self, branch: Branch, event_type: str, details: dict[str, Json] | None = None) -> int:
        """Record an event beside the branch: what comes next still follows the branch's last one."""
        last = branch.previous
        number = self.record(branch, event_type, details)
        branch.previous = last
        return number

    def _took(self, branch: Branch, arm: str) -> None:
        if self.observe is not None:
            origin = branch.execution.origin
            self.observe(origin.machine_name.split("/")[0], branch.state.name, arm)

    def go(self, branch: Branch, name: str, raw: Json, raw_text: str) -> None:
        """Enter a state as soon as it is this branch's turn."""
        self.host.soon(partial(self._enter, branch, name, raw, raw_text))

    def _enter(self, branch: Branch, name: str, raw: Json, raw_text: str) -> None:
        if branch.ended or not branch.execution.running:
            return
        execution = branch.execution
        state = branch.block.states[name]
        branch.state, branch.raw, branch.raw_text = state, raw, raw_text
        branch.retries = {}
        branch.failure = None
        branch.inner = branch.unfinished = None
        branch.entered_at = self.host.moment
        branch.entered_previous = branch.previous
        branch.entered = self.record(branch, state.entered, {"input": raw_text, "name": name})
        self._took(branch, "entered")
        if branch.environment is NO_ENVIRONMENT:
            branch.environment = Environment(
                partial(build_context, branch), branch.variables, execution.randomness.source
            )
        else:
            branch.environment.variables = branch.variables
        self.begin(branch)

    def begin(self, branch: Branch) -> None:
        """Do what the current state does, for the first time or again."""
        self.guard(branch, self._select_and_begin)

    def guard(self, branch: Branch, action: Callable[[Branch], None]) -> None:
        """Run part of a state; what it raises becomes the state's failure. A branch that is over does nothing."""
        if branch.ended or not branch.execution.running:
            return
        try:
            action(branch)
        except Fault as fault:
            self.fail(branch, self.failure_of(branch, fault))
        except StateFailure as failure:
            self.fail(branch, failure)

    def _select_and_begin(self, branch: Branch) -> None:
        state, environment = branch.state, branch.environment
        environment.forget_context()
        branch.unfinished = None
        branch.selected = state.flow.select(branch.raw, environment)
        self._begin[state.type](branch)

    def failure_of(self, branch: Branch, fault: Fault) -> StateFailure:
        """A fault with the place where it happened, as AWS words it."""
        state = branch.state
        place = (
            f"An error occurred while executing the state '{state.name}' (entered at the event id #{branch.entered})."
        )
        return StateFailure(fault.error, f"{place} {fault.message}", fault.location)

    def _begin_pass(self, branch: Branch) -> None:
        state, environment = branch.state, branch.environment
        flow, spec = state.flow, cast("PassSpec", state.spec)
        if flow.jsonata:
            self.leave(branch, flow.pass_through(branch.selected, environment), flow.assign(None, environment))
            return
        arguments = flow.arguments(branch.selected, environment)
        result = arguments if spec.result is NO_RESULT else spec.result
        output = flow.output(branch.raw, branch.selected, result, environment)
        self.leave(branch, output, flow.assign(result, environment))

    def _begin_wait(self, branch: Branch) -> None:
        environment = branch.environment
        spec = cast("WaitSpec", branch.state.spec)
        seconds = spec.until(branch.selected, environment, self.host.moment) - self.host.moment
        if seconds <= 0:
            self._pass_through(branch)
            return
        moment = self.host.moment + seconds * self.host.wait_scale
        branch.timer = self.host.arm(branch.execution, moment, partial(self.guard, branch, self._pass_through))

    def _begin_succeed(self, branch: Branch) -> None:
        self._pass_through(branch)

    def _pass_through(self, branch: Branch) -> None:
        state, environment = branch.state, branch.environment
        output = state.flow.pass_through(branch.selected, environment)
        self.leave(branch, output, state.flow.assign(branch.selected, environment))

    def _begin_choice(self, branch: Branch) -> None:
        state, environment = branch.state, branch.environment
        spec = cast("ChoiceSpec", state.spec)
        for index, rule in enumerate(spec.rules):
            if rule.holds(branch.selected, environment):
                self._took(branch, f"Choices[{index}]")
                write = rule.output or state.flow.pass_through
                assigned = rule.assign(branch.selected, environment) if rule.assign else None
                self.leave(branch, write(branch.selected, environment), assigned, rule.next)
                return
        if spec.default is None:
            raise StateFailure("States.NoChoiceMatched", f"Failed to transition out of the state '{state.name}'.")
        self._took(branch, "Default")
        output = state.flow.pass_through(branch.selected, environment)
        self.leave(branch, output, state.flow.assign(branch.selected, environment), spec.default)

    def _begin_fail(self, branch: Branch) -> None:
        state, environment = branch.state, branch.environment
        spec = cast("FailSpec", state.spec)
        error, cause = spec.error(branch.selected, environment), spec.cause(branch.selected, environment)
        self.endings.branch_failed(branch, StateFailure(error, cause))

    def complete(self, branch: Branch, result: Json) -> None:
        """A Parallel or Map has its result: apply the state's data flow and leave it."""
        self.guard(branch, partial(self.finish, result=result))

    def finish(self, branch: Branch, result: Json) -> None:
        """The same where the state is guarded already."""
        state, environment = branch.state, branch.environment
        output = state.flow.output(branch.raw, branch.selected, result, environment)
        self.leave(branch, output, state.flow.assign(result, environment))

    def leave(
        self, branch: Branch, output: Json, assigned: dict[str, Json] | None, next_name: str | None = None
    ) -> None:
        """Record the state's exit and go where it leads; raises StateFailure for an output that is too large."""
        state = branch.state
        text = branch.raw_text if output is branch.raw else dumps(output)
        if too_large(text):
            raise StateFailure(DATA_LIMIT, oversized(state.name))
        details: dict[str, Json] = {"name": state.name, "output": text}
        if assigned:
            details["assignedVariables"] = {name: dumps(value) for name, value in assigned.items()}
            branch.variables = {**branch.variables, **assigned}
        self.record(branch, state.exited, details)
        branch.attempt = branch.timer = None
        target = next_name or state.next
        if target is not None:
            self.go(branch, target, output, text)
        elif branch.join is not None:
            self.joins.child_done(branch.join, branch, output)
        else:
            self.endings.succeed(branch, text)

    def fail(self, branch: Branch, failure: StateFailure) -> None:
        """The current state has failed: retry it, catch it, or pass the failure on."""
        if failure.error == QUERY and not failure.recorded:
            failure.recorded = True
            self._record_evaluation_failure(branch, failure)
        self._cut_inside(branch, failure)
        if self._retry(branch, failure):
            return
        state = branch.state
        if state.type in ("Map", "Parallel") and failure.catchable_by_all:
            self.record(branch, f"{state.type}StateFailed")
        if not self._catch(branch, failure):
            self.endings.branch_failed(branch, failure)

    def _cut_inside(self, branch: Branch, failure: StateFailure) -> None:
        """End what runs inside a Map that has failed beside its iterations: in its ItemSelector, reader or writer."""
        inner = branch.inner
        if isinstance(inner, MapRun):
            self.map_runs.close(inner, failure)
        elif inner is not None:
            self.endings.abort_inside(branch)
            branch.inner, branch.unfinished = None, inner

    def _record_evaluation_failure(self, branch: Branch, failure: StateFailure) -> None:
        state = branch.state
        details = {"cause": failure.cause, "error": failure.error, "state": state.name}
        if failure.location is not None:
            details["location"] = failure.location
        if branch.previous == branch.entered and state.type != "Wait":
            branch.previous = branch.entered_previous  # as recorded: AWS evaluates before it has noted the entry
        self.record(branch, "EvaluationFailed", details)

    def _retry(self, branch: Branch, failure: StateFailure) -> bool:
        state = branch.state
        for index, retrier in enumerate(state.retriers):
            if failure.error == RUNTIME or not matches(retrier.error_equals, failure):
                continue
            attempt = branch.retries.get(index, 0)
            if attempt >= retrier.max_attempts:
                return False
            branch.retries[index] = attempt + 1
            self._took(branch, f"Retry[{index}]")
            branch.attempt = None
            moment = self.host.moment + retrier.delay(attempt, branch.execution.random)
            branch.timer = self.host.arm(branch.execution, moment, partial(self.begin, branch))
            return True
        return False

    def _catch(self, branch: Branch, failure: StateFailure) -> bool:
        state = branch.state
        for index, catcher in enumerate(state.catchers if failure.error != RUNTIME else ()):
            if matches(catcher.error_equals, failure):
                self._took(branch, f"Catch[{index}]")
                self.guard_catch(branch, failure, catcher)
                return True
        return False

    def guard_catch(self, branch: Branch, failure: StateFailure, catcher: Catcher) -> None:
        """Leave by a catcher; what its Output or Assign raises ends the branch, no catcher is asked again."""
        environment = branch.environment
        caught = error_output(failure)
        environment.states = {"input": branch.raw, "context": environment.context, "errorOutput": caught}
        try:
            output = catcher.output(branch.raw, caught, environment)
            assigned = catcher.assign(caught, environment) if catcher.assign else None
            self.leave(branch, output, assigned, catcher.next)
        except Fault as fault:
            self.endings.branch_failed(branch, self.failure_of(branch, fault))
        except StateFailure as oversize:
            self.endings.branch_failed(branch, oversize)
