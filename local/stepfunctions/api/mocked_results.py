"""Mocked results of TestState, checked against what the service that they stand for would answer."""

from __future__ import annotations

from typing import Any

from local.stepfunctions.asl.program import State, TaskSpec
from local.stepfunctions.errors import ApiError
from local.stepfunctions.integrations.models import botocore_name, operation_name, service_model
from local.stepfunctions.jsontext import Json, loads

_KINDS = {"structure": "an object", "map": "an object", "list": "an array", "boolean": "a boolean"}
_NUMBERS = ("integer", "long", "float", "double")
_SERVICES = {"states": "stepfunctions"}


def check_mock(request: dict[str, Any], definition: dict[str, Json], state: State) -> None:
    """Raise ApiError for a mock that does not fit the state."""
    mock = request["mock"]
    if "result" not in mock:
        return
    try:
        result = loads(mock["result"])
    except ValueError as error:
        raise ApiError("ValidationException", "Mocked result must be valid JSON") from error
    if state.type == "Map":
        _check_map(result, definition, request.get("stateConfiguration", {}))
    elif state.type == "Parallel":
        _check_parallel(result, definition)
    elif isinstance(state.spec, TaskSpec):
        _check_task(result, state.spec, mock.get("fieldValidationMode", "STRICT"))


def _check_map(result: Json, definition: dict[str, Json], configuration: dict[str, Json]) -> None:
    if "ResultWriter" in definition:
        return
    if not isinstance(result, list):
        raise ApiError("ValidationException", "Mocked result must be an array.")
    if configuration.get("mapIterationFailureCount", 0) > len(result):
        message = "Map iteration failure count must be less than or equal to the number of Map iterations"
        raise ApiError("ValidationException", message)


def _check_parallel(result: Json, definition: dict[str, Json]) -> None:
    if not isinstance(result, list):
        raise ApiError("ValidationException", "Mocked result must be an array.")
    if len(result) != len(definition["Branches"]):
        message = "Mocked result must contain the same number of items as number of Parallel branches."
        raise ApiError("ValidationException", message)


def _check_task(result: Json, spec: TaskSpec, mode: str) -> None:
    resource = spec.resource
    if mode == "NONE" or resource.pattern == "waitForTaskToken" or resource.service in ("function", "activity"):
        return
    name = resource.service.removeprefix("aws-sdk:")
    service = _SERVICES.get(name) or botocore_name(name)
    action = "describeExecution" if resource.pattern.startswith("sync") else resource.action
    operation = operation_name(service, action)
    shape = service_model(service).operation_model(operation).output_shape if operation else None
    if shape is not None:
        _check_value(shape, result, "", mode == "STRICT", resource.service)


def _wrong(reason: str) -> ApiError:
    return ApiError("ValidationException", f"Mock result schema validation error: {reason}")


def _check_value(shape: Any, value: Json, name: str, strict: bool, service: str) -> None:
    kind = shape.type_name
    if kind == "structure":
        if not isinstance(value, dict):
            raise _wrong(f"Field '{name}' must be {_KINDS[kind]}")
        _check_structure(shape, value, strict, service)
    elif kind == "list":
        if not isinstance(value, list):
            raise _wrong(f"Field '{name}' must be {_KINDS[kind]}")
        for item in value:
            _check_value(shape.member, item, name, strict, service)
    elif kind in ("map", "boolean"):
        if not isinstance(value, dict if kind == "map" else bool):
            raise _wrong(f"Field '{name}' must be {_KINDS[kind]}")
    else:
        _check_scalar(shape, value, name, service)


def _check_structure(shape: Any, value: dict[str, Json], strict: bool, service: str) -> None:
    members = {member[0].upper() + member[1:]: inner for member, inner in shape.members.items()}
    for member in shape.required_members if strict else ():
        if member[0].upper() + member[1:] not in value:
            raise _wrong(f"Required field '{member[0].upper() + member[1:]}' is missing")
    for name, item in value.items():
        if name in members:
            _check_value(members[name], item, name, strict, service)


def _check_scalar(shape: Any, value: Json, name: str, service: str) -> None:
    if shape.type_name in _NUMBERS:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise _wrong(f"Field '{name}' must be a number")
        if value > shape.metadata.get("max", value):
            raise _wrong(f"Field '{name}' exceeds the maximum value")
        if value < shape.metadata.get("min", value):
            raise _wrong(f"Field '{name}' is below the minimum value")
        return
    if service == "lambda" and name == "Payload":
        return
    if not isinstance(value, str):
        raise _wrong(f"Field '{name}' must be a string")
    if shape.type_name == "string" and shape.metadata.get("enum") and value not in shape.metadata["enum"]:
        raise _wrong(f"Field '{name}' is not an expected value")
