"""`states:startExecution`: a nested execution, waited for or not."""

from __future__ import annotations

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
    """Starts executions for Task states in the same engine."""

    def __init__(self, executions: ExecutionOperations, new_id: Callable[[], str]) -> None:
        self._executions = executions
        self._new_id = new_id

    def perform(self, request: TaskRequest) -> Outcome:
        """Start the execution; `.sync` is submitted and ends with `ended`."""
        waited = request.resource.pattern.startswith("sync")
        watcher = (request.execution_arn, request.attempt) if waited else None
        try:
            execution, _ = self._executions.start(_api_request(request.parameters), watcher=watcher)
        except ApiError as error:
            cause = (
                f"{error.message} (Service: AWSStepFunctions; Status Code: {error.status}; Error Code: {error.code}; "
                f"Request ID: {self._new_id()}; Proxy: null)"
            )
            return Outcome("failed", error=f"StepFunctions.{error.code}Exception", cause=cause)
        return Outcome("submitted" if waited else "succeeded", output=self._started(execution))

    def _started(self, execution: Execution) -> str:
        start = round(execution.started * 1000)
        body = dumps({"executionArn": execution.arn, "startDate": execution.started})
        headers = {
            "x-amzn-RequestId": self._new_id(),
            "Content-Length": str(len(body)),
            "Content-Type": "application/x-amz-json-1.0",
            "Date": formatdate(usegmt=True),
        }
        answer: dict[str, Json] = {
            "ExecutionArn": execution.arn,
            **response_metadata(headers, 200, connection="connection"),
            "StartDate": start,
        }
        return dumps(answer)


def _api_request(parameters: dict[str, Json]) -> dict[str, Any]:
    request: dict[str, Any] = {"stateMachineArn": parameters.get("StateMachineArn", "")}
    given = parameters.get("Input")
    request["input"] = given if isinstance(given, str) else dumps({} if given is None else given)
    if parameters.get("Name"):
        request["name"] = parameters["Name"]
    return request


def nested_outcome(execution: Execution, pattern: str) -> Outcome:
    """What the end of a nested execution means for the task that waited for it."""
    parse = pattern == "sync:2"
    shown = {key[0].upper() + key[1:]: value for key, value in described(execution).items()}
    for name in ("StartDate", "StopDate"):
        if name in shown:
            shown[name] = round(shown[name] * 1000)
    for name in ("InputDetails", "OutputDetails"):
        if name in shown:
            shown[name] = {"Included": shown[name]["included"]}
    if parse:
        shown.update({name: loads(shown[name]) for name in ("Input", "Output") if name in shown})
    if execution.status == "SUCCEEDED":
        able = {
            "RedriveStatus": "NOT_REDRIVABLE",
            "RedriveStatusReason": "Execution is SUCCEEDED and cannot be redriven",
        }
        shown.update(RedriveCount=execution.redrives, **able)
        return Outcome("succeeded", output=dumps(dict(sorted(shown.items()))))
    return Outcome("failed", error="States.TaskFailed", cause=dumps(dict(sorted(shown.items()))))
