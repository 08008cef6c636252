"""`states:startExecution`: a nested execution, waited for or not."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

from local.stepfunctions.api.executions import ExecutionOperations, described
from local.stepfunctions.errors import ApiError
from local.stepfunctions.integrations.metadata import response_metadata
from local.stepfunctions.jsontext import Json, dumps, loads
from local.stepfunctions.runtime.execution import Execution
from local.stepfunctions.runtime.host import Outcome, TaskRequest


class StateMachineIntegration:
    """Starts executions for Task states in the same engine.

    A call that is made again because the engine died before its outcome was journaled finds what it had started.
    """

    def __init__(self, executions: ExecutionOperations, new_id: Callable[[], str]) -> None:
        self._executions = executions
        self._new_id = new_id

    def perform(self, request: TaskRequest) -> Outcome:
        """Start the execution; `.sync` is submitted and ends with `ended`."""
        waited = request.resource.pattern.startswith("sync")
        watcher = (request.execution_arn, request.attempt) if waited else None
        wanted = api_request(request.parameters)
        starter = self._starter(request)
        wanted.setdefault("name", str(uuid.uuid5(uuid.NAMESPACE_URL, starter)))
        try:
            execution, _ = self._executions.start(wanted, watcher=watcher, starter=starter)
        except ApiError as error:
            return refused(error, self._new_id())
        output = started(execution.arn, execution.started, self._new_id())
        return Outcome("submitted" if waited else "succeeded", output=output)

    def _starter(self, request: TaskRequest) -> str:
        """Tells this call from every other, whatever has been forgotten and begun again under the same name."""
        return f"{request.execution_arn}@{self._executions.began(request.execution_arn)}#{request.attempt}"


def refused(error: ApiError, request_id: str) -> Outcome:
    """A call that the service has refused, in the words of this integration."""
    cause = (
        f"{error.message} (Service: AWSStepFunctions; Status Code: {error.status}; Error Code: {error.code}; "
        f"Request ID: {request_id}; Proxy: null)"
    )
    return Outcome("failed", error=f"StepFunctions.{error.code}Exception", cause=cause)


def started(arn: str, moment: float, request_id: str) -> str:
    """The output of a task that has started an execution, as JSON text; `moment` in seconds since the epoch."""
    headers = {
        "x-amzn-RequestId": request_id,
        "Content-Length": str(len(dumps({"executionArn": arn, "startDate": moment}))),
        "Content-Type": "application/x-amz-json-1.0",
        "Date": formatdate(usegmt=True),
    }
    answer: dict[str, Json] = {
        "ExecutionArn": arn,
        **response_metadata(headers, 200, connection="connection"),
        "StartDate": round(moment * 1000),
    }
    return dumps(answer)


def api_request(parameters: dict[str, Json]) -> dict[str, Any]:
    """StartExecution's request, from a task's parameters."""
    request: dict[str, Any] = {"stateMachineArn": parameters.get("StateMachineArn", "")}
    given = parameters.get("Input")
    request["input"] = given if isinstance(given, str) else dumps({} if given is None else given)
    if parameters.get("Name"):
        request["name"] = parameters["Name"]
    return request


def nested_outcome(execution: Execution, pattern: str) -> Outcome:
    """What the end of a nested execution means for the task that waited for it."""
    return ended_outcome({**described(execution), "redriveCount": execution.redrives}, pattern)


def ended_outcome(description: dict[str, Json], pattern: str) -> Outcome:
    """The outcome of a task whose nested execution has ended as DescribeExecution says, dates in seconds."""
    shown = {key[0].upper() + key[1:]: value for key, value in description.items() if not key.startswith("redrive")}
    for name in ("StartDate", "StopDate"):
        if name in shown:
            shown[name] = round(shown[name] * 1000)
    for name in ("InputDetails", "OutputDetails"):
        if name in shown:
            shown[name] = {"Included": shown[name]["included"]}
    if pattern == "sync:2":
        shown.update({name: loads(shown[name]) for name in ("Input", "Output") if name in shown})
    if shown["Status"] != "SUCCEEDED":
        return Outcome("failed", error="States.TaskFailed", cause=dumps(dict(sorted(shown.items()))))
    shown.update(
        RedriveCount=description.get("redriveCount", 0),
        RedriveStatus="NOT_REDRIVABLE",
        RedriveStatusReason="Execution is SUCCEEDED and cannot be redriven",
    )
    return Outcome("succeeded", output=dumps(dict(sorted(shown.items()))))
