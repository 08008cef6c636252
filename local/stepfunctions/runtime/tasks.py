"""Task states: scheduled, started, submitted, ended, with their time limits; what calls them is outside."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from local.stepfunctions.asl.environment import Environment
from local.stepfunctions.asl.program import Resource, TaskSpec
from local.stepfunctions.errors import DATA_LIMIT, TIMEOUT, StateFailure, oversized
from local.stepfunctions.jsontext import Json, dumps, loads, too_large
from local.stepfunctions.runtime.execution import Attempt, Branch
from local.stepfunctions.runtime.host import Outcome, TaskRequest

if TYPE_CHECKING:
    from local.stepfunctions.runtime.interpreter import Interpreter

_PREFIXES = {"function": "LambdaFunction", "activity": "Activity"}
"""How the types of a task's events begin, where not with Task."""


class Tasks:
    """Begins tasks and takes in what becomes of them."""

    def __init__(self, interpreter: Interpreter) -> None:
        self._interpreter = interpreter
        self._host = interpreter.host

    def begin(self, branch: Branch) -> None:
        """Evaluate the task's arguments, record that it is scheduled and have it called."""
        state, environment = branch.state, branch.environment
        spec = cast("TaskSpec", state.spec)
        resource = spec.resource
        attempt = self._new_attempt(branch)
        if resource.pattern:  # recorded: a .sync task has a token, too, and ends when it comes back
            attempt.token = self._host.issue_token(attempt)
            environment.forget_context()
        arguments = state.flow.arguments(branch.selected, environment)
        text = dumps(arguments)
        limits = self._limits(branch, spec)
        if resource.service == "activity":
            attempt.input = text
            self._host.offer_activity(attempt, resource.arn)
        self._record_start(branch, resource, text, limits, self._credentials(branch, spec, environment))
        if limits:
            self._arm(attempt, limits)
        if resource.service != "activity":
            self._host.submit(self._request(branch, attempt, resource, arguments, text))

    def _new_attempt(self, branch: Branch) -> Attempt:
        execution = branch.execution
        execution.attempts_made += 1
        attempt = Attempt(branch, execution.attempts_made)
        execution.attempts[attempt.number] = attempt
        branch.attempt = attempt
        return attempt

    def _request(self, branch: Branch, attempt: Attempt, resource: Resource, arguments: Json, text: str) -> TaskRequest:
        state = branch.state
        execution = branch.execution
        return TaskRequest(
            execution.arn,
            attempt.number,
            state.name,
            resource,
            arguments,
            attempt.token,
            branch.retry_count,
            execution.mock_case,
            text,
        )

    def _limits(self, branch: Branch, spec: TaskSpec) -> dict[str, int]:
        if spec.timeout is None and spec.heartbeat is None:
            return {}
        environment = branch.environment
        fields = {"timeoutInSeconds": spec.timeout, "heartbeatInSeconds": spec.heartbeat}
        return {
            name: int(seconds(branch.selected, environment)) for name, seconds in fields.items() if seconds is not None
        }

    def _credentials(self, branch: Branch, spec: TaskSpec, environment: Environment) -> dict[str, Json]:
        if spec.credentials is None:
            return {}
        return {"taskCredentials": {"roleArn": spec.credentials(branch.selected, environment)["RoleArn"]}}

    def _record_start(
        self,
        branch: Branch,
        resource: Resource,
        arguments: str,
        limits: dict[str, int],
        credentials: dict[str, Json],
    ) -> None:
        record, service = self._interpreter.record, resource.service
        if service in _PREFIXES:
            details = {"input": arguments, "resource": resource.arn, **limits, **credentials}
            record(branch, f"{_PREFIXES[service]}Scheduled", details)
            if service == "function":
                record(branch, "LambdaFunctionStarted")
            return
        scheduled = {"parameters": arguments, "region": self._host.region, **_named(resource)}
        record(branch, "TaskScheduled", {**scheduled, **limits, **credentials})
        record(branch, "TaskStarted", _named(resource))

    def _arm(self, attempt: Attempt, limits: dict[str, int]) -> None:
        execution, now = attempt.branch.execution, self._host.moment
        if "timeoutInSeconds" in limits:
            moment = now + limits["timeoutInSeconds"]
            attempt.timers.append(self._host.arm(execution, moment, partial(self._time_out, attempt, False)))
        attempt.heartbeat = limits.get("heartbeatInSeconds")
        self.heartbeat(attempt)

    def heartbeat(self, attempt: Attempt) -> None:
        """The task is alive: its heartbeat interval begins anew."""
        if attempt.heartbeat is None:
            return
        execution = attempt.branch.execution
        self._host.disarm(execution, attempt.heartbeat_timer)
        moment = self._host.moment + attempt.heartbeat
        attempt.heartbeat_timer = self._host.arm(execution, moment, partial(self._time_out, attempt, True))

    def activity_started(self, attempt: Attempt, worker: str | None) -> None:
        """A worker has taken an activity's task."""
        attempt.started = True
        self._interpreter.record(attempt.branch, "ActivityStarted", {"workerName": worker} if worker else {})
        self.heartbeat(attempt)

    def end(self, attempt: Attempt, outcome: Outcome) -> None:
        """Take in what became of a call; an attempt that is over already ignores it."""
        if attempt.branch.attempt is not attempt:
            return
        self._interpreter.guard(attempt.branch, partial(self._end, attempt=attempt, outcome=outcome))

    def _end(self, branch: Branch, attempt: Attempt, outcome: Outcome) -> None:
        resource = self._resource(branch)
        if outcome.kind == "submitted":
            if attempt.submitted:
                return  # asked for again after a restart
            attempt.submitted = True
            self._interpreter.record(branch, "TaskSubmitted", {"output": outcome.output, **_named(resource)})
            return
        self.close(attempt)
        if outcome.kind == "failed":
            raise self._failed(branch, resource, outcome.error, outcome.cause)
        output = outcome.output or "null"
        if too_large(output):
            name = resource.arn if resource.service in _PREFIXES else resource.service
            raise self._failed(branch, resource, DATA_LIMIT, oversized(name))
        self._interpreter.record(branch, f"{_prefix(resource)}Succeeded", {"output": output, **_named(resource)})
        self._interpreter.finish(branch, loads(output))

    def _failed(self, branch: Branch, resource: Resource, error: str | None, cause: str | None) -> StateFailure:
        details = {key: value for key, value in (("cause", cause), ("error", error)) if value is not None}
        self._interpreter.record(branch, f"{_prefix(resource)}Failed", {**details, **_named(resource)})
        failure = StateFailure(error, cause)
        failure.from_task = True
        return failure

    def _time_out(self, attempt: Attempt, heartbeat: bool) -> None:
        self._interpreter.guard(attempt.branch, partial(self._timed_out, attempt=attempt, heartbeat=heartbeat))

    def _timed_out(self, branch: Branch, attempt: Attempt, heartbeat: bool) -> None:
        resource = self._resource(branch)
        self.close(attempt)
        details = {"error": TIMEOUT, **_named(resource)}
        self._interpreter.record(branch, f"{_prefix(resource)}TimedOut", details)
        failure = StateFailure(TIMEOUT, None)
        failure.from_task = True
        failure.heartbeat = heartbeat
        raise failure

    def close(self, attempt: Attempt) -> None:
        """The attempt is over: nothing that refers to it matters any more."""
        execution = attempt.branch.execution
        for number in attempt.timers:
            self._host.disarm(execution, number)
        if attempt.heartbeat_timer is not None:
            self._host.disarm(execution, attempt.heartbeat_timer)
        execution.attempts.pop(attempt.number, None)
        if attempt.branch.attempt is attempt:
            attempt.branch.attempt = None
        self._host.withdraw(attempt)

    def _resource(self, branch: Branch) -> Resource:
        state = branch.state
        return cast("TaskSpec", state.spec).resource


def _prefix(resource: Resource) -> str:
    return _PREFIXES.get(resource.service, "Task")


def _named(resource: Resource) -> dict[str, Json]:
    if resource.service in _PREFIXES:
        return {}
    return {"resource": resource.label, "resourceType": resource.service}
