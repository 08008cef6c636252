"""The context object of a state that is tested on its own."""

from __future__ import annotations

from typing import Any

from local.stepfunctions.asl.program import State
from local.stepfunctions.errors import ApiError
from local.stepfunctions.jsontext import Json, loads
from local.stepfunctions.runtime.core import Core
from local.stepfunctions.timestamps import format_timestamp

_ALLOWED = {
    "Execution": {"Id", "Input", "Name", "RoleArn", "StartTime", "RedriveCount", "RedriveTime"},
    "State": {"EnteredTime", "Name", "RetryCount"},
    "StateMachine": {"Id", "Name"},
    "Task": {"Token"},
}
_WAITING = (".sync", ".sync:2", ".waitForTaskToken")


def _refuse(reason: str) -> ApiError:
    return ApiError("ValidationException", f"Invalid Context object provided: {reason}")


def check_context(text: str | None, definition: dict[str, Json]) -> None:
    """Raise ApiError for a context object that AWS would not take."""
    if text is None:
        return
    try:
        context = loads(text)
    except ValueError as error:
        raise _refuse("Context object must be valid JSON") from error
    if not isinstance(context, dict):
        raise _refuse("Context object must be a JSON object")
    if "Map" in context:
        raise _refuse("'Map' field is not supported when mocking a Context object")
    for name, value in context.items():
        if name not in _ALLOWED:
            raise _refuse(f"Field '{name}' is not allowed")
        for inner in value if isinstance(value, dict) else ():
            if inner not in _ALLOWED[name]:
                raise _refuse(f"Field '{inner}' is not allowed")
    waits = str(definition.get("Resource", "")).endswith(_WAITING)
    if "Task" in context and not waits:
        raise _refuse(
            "Context object contains 'Task' when state is not a Task state with a '.sync' or '.waitForTaskToken' "
            "service integration pattern"
        )


def build_context(
    request: dict[str, Any], core: Core, raw: Json, state: State, configuration: dict[str, Json]
) -> dict[str, Json]:
    """The given context object, or one of an execution that might have been."""
    if "context" in request:
        given: dict[str, Json] = loads(request["context"])
        return given
    machine, name = core.unique_id(), core.unique_id()
    prefix = f"arn:aws:states:{core.region}:{core.account}"
    now = format_timestamp(core.now)
    about: dict[str, Json] = {"Name": "StateName", "EnteredTime": now}
    if state.type in ("Task", "Map", "Parallel"):
        about["RetryCount"] = configuration.get("retrierRetryCount", 0)
    return {
        "Execution": {
            "Id": f"{prefix}:express:{machine}:{name}",
            "Input": raw,
            "Name": name,
            "RoleArn": request.get("roleArn"),
            "StartTime": now,
        },
        "StateMachine": {"Id": f"{prefix}:stateMachine:{machine}", "Name": machine},
        "State": about,
    }
