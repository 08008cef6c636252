"""The service's operations by name: which are journaled as they come, and the JSON 1.0 protocol around them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Protocol

from local.stepfunctions.api.executions import ExecutionOperations, described
from local.stepfunctions.api.machines import MachineOperations
from local.stepfunctions.api.map_runs import MapRunOperations
from local.stepfunctions.api.shapes import check_request, operations
from local.stepfunctions.api.tags import TagOperations
from local.stepfunctions.api.tasks import TaskOperations
from local.stepfunctions.api.test_state import StateTester
from local.stepfunctions.api.versions import VersionOperations
from local.stepfunctions.errors import ApiError
from local.stepfunctions.jsontext import Json, loads, to_bytes
from local.stepfunctions.runtime.core import Core, Input

Request = dict[str, Any]
Journaled = Callable[[Request, float], dict[str, Json]]
Direct = Callable[[Request], dict[str, Json]]
LONG_POLL_SECONDS = 60
_log = logging.getLogger(__name__)
SYNC_SECONDS = 310


class Waiter(Protocol):
    """Who can wait for something to come about."""

    def wait(self, ready: Callable[[], Json], seconds: float) -> Json:
        """The first value of `ready()` that is neither None nor False, None when the time is over."""
        ...


class ApiOperations:
    """Answers API calls."""

    def __init__(
        self,
        core: Core,
        machines: MachineOperations,
        versions: VersionOperations,
        tags: TagOperations,
        executions: ExecutionOperations,
        tasks: TaskOperations,
        map_runs: MapRunOperations,
    ) -> None:
        self._core = core
        self._executions = executions
        self._tasks = tasks
        self._journaled: dict[str, Journaled] = {
            "CreateStateMachine": machines.create,
            "UpdateStateMachine": machines.update,
            "DeleteStateMachine": machines.delete,
            "PublishStateMachineVersion": versions.publish,
            "DeleteStateMachineVersion": versions.delete,
            "CreateStateMachineAlias": versions.create_alias,
            "UpdateStateMachineAlias": versions.update_alias,
            "DeleteStateMachineAlias": versions.delete_alias,
            "TagResource": tags.tag,
            "UntagResource": tags.untag,
            "CreateActivity": tasks.create_activity,
            "DeleteActivity": tasks.delete_activity,
        }
        self._reading: dict[str, Journaled] = {
            "DescribeStateMachine": machines.describe,
            "ListStateMachines": machines.list,
            "ValidateStateMachineDefinition": machines.validate,
            "ListStateMachineVersions": versions.list_versions,
            "ListStateMachineAliases": versions.list_aliases,
            "DescribeStateMachineAlias": versions.describe_alias,
            "ListTagsForResource": tags.list,
        }
        self._direct: dict[str, Direct] = {
            "StartExecution": self._start,
            "StopExecution": executions.stop,
            "RedriveExecution": executions.redrive,
            "DescribeExecution": executions.describe,
            "DescribeStateMachineForExecution": executions.machine_of,
            "ListExecutions": executions.list,
            "GetExecutionHistory": executions.history,
            "SendTaskSuccess": tasks.succeed,
            "SendTaskFailure": tasks.fail,
            "SendTaskHeartbeat": tasks.heartbeat,
            "DescribeActivity": tasks.describe_activity,
            "ListActivities": tasks.list_activities,
            "ListMapRuns": lambda request: map_runs.list(request, executions.find(request["executionArn"])),
            "DescribeMapRun": map_runs.describe,
            "UpdateMapRun": map_runs.update,
        }
        core.operations["api"] = self._apply
        self.tester = StateTester(core)

    def call(self, operation: str, request: Request) -> dict[str, Json]:
        """Answer one call; raises ApiError, also for an operation that waits (use `handle`)."""
        with self._core.changed:
            if operation in self._journaled:
                answer: dict[str, Json] = self._core.apply("api", name=operation, request=request)
                return answer
            if operation in self._reading:
                return self._reading[operation](request, self._core.now)
            if operation in self._direct:
                return self._direct[operation](request)
        raise ApiError("UnknownOperationException", f"{operation} is not an operation of this service")

    def _apply(self, record: Input) -> dict[str, Json]:
        return self._journaled[record["name"]](record["request"], record["t"])

    def _start(self, request: Request) -> dict[str, Json]:
        execution, _ = self._executions.start(request)
        return {"executionArn": execution.arn, "startDate": execution.started}

    def handle(self, target: str, body: bytes, waiter: Waiter) -> tuple[int, bytes]:
        """Answer a request of the JSON 1.0 protocol with an HTTP status and a body."""
        try:
            answer = self._answer(target.rpartition(".")[2], body, waiter)
        except ApiError as error:
            return error.status, to_bytes({"__type": error.code, "message": error.message})
        except Exception:  # a bug of the engine's must be answered, not leave the caller waiting
            _log.exception("%s failed", target)
            return 500, to_bytes({"__type": "InternalFailure", "message": "The engine has failed; see its log."})
        return 200, to_bytes(_rounded(answer))

    def _answer(self, operation: str, body: bytes, waiter: Waiter) -> dict[str, Json]:
        if operation not in operations():
            raise ApiError("UnknownOperationException", f"{operation} is not an operation of this service")
        try:
            request = loads(body.decode() or "{}")
        except ValueError as error:
            raise ApiError("SerializationException", "The request is not JSON") from error
        check_request(operation, request)
        return self.answer(operation, request, waiter)

    def answer(self, operation: str, request: Request, waiter: Waiter) -> dict[str, Json]:
        """Answer a call, also one that waits; raises ApiError."""
        if operation == "TestState":
            return self.tester.test(request)
        if operation == "GetActivityTask":
            return waiter.wait(lambda: self._tasks.take_activity_task(request), LONG_POLL_SECONDS) or {}
        if operation == "StartSyncExecution":
            return self._start_sync(request, waiter)
        return self.call(operation, request)

    def _start_sync(self, request: Request, waiter: Waiter) -> dict[str, Json]:
        execution, _ = self._executions.start(request, sync=True)
        waiter.wait(lambda: not execution.running, SYNC_SECONDS)
        duration = max(100, round(((execution.stopped or 0) - execution.started) * 1000))
        billed = -(-duration // 100) * 100
        billing = {"billedMemoryUsedInMB": 64, "billedDurationInMilliseconds": billed}
        return {**described(execution), "outputDetails": {"included": True}, "billingDetails": billing}


def _rounded(value: Json) -> Json:
    """The answer with its dates in milliseconds, which is as fine as the service is."""
    if isinstance(value, dict):
        return {
            key: round(item, 3) if isinstance(item, float) and key.endswith("Date") else _rounded(item)
            for key, item in value.items()
        }
    return [_rounded(item) for item in value] if isinstance(value, list) else value
