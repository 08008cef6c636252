"""A task's parameters as a botocore request: text where text is wanted, bytes where bytes are."""

from __future__ import annotations

from typing import Any, NamedTuple

from local.stepfunctions.jsontext import Json, dumps


class Missing(NamedTuple):
    """A required parameter that is null or absent, as the service itself complains of it."""

    code: str | None
    message: str


def missing_parameter(service: str, shape: Any, parameters: Json) -> Missing | None:
    """The first required parameter that has no value; None when all do."""
    for name in shape.required_members if shape is not None else ():
        if parameters.get(name) is None:
            if service == "sqs":
                return Missing("MissingParameter", f"The request must contain the parameter {name}.")
            field = name[0].lower() + name[1:]
            problem = f"Value null at '{field}' failed to satisfy constraint: Member must not be null"
            return Missing(None, f"1 validation error detected: {problem}")
    return None


def to_request(shape: Any, parameters: Json) -> dict[str, Any]:
    """The request for an operation with this input shape; JSON values become text where text is due."""
    if shape is None:
        return {}
    converted: dict[str, Any] = _convert(shape, parameters)
    return converted


def _convert(shape: Any, value: Json) -> Any:
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        members = shape.members
        return {
            name: _convert(members[name], item) if name in members else item
            for name, item in value.items()
            if item is not None
        }
    if kind == "list" and isinstance(value, list):
        return [_convert(shape.member, item) for item in value]
    if kind == "map" and isinstance(value, dict):
        return {key: _convert(shape.value, item) for key, item in value.items()}
    if kind == "string" and not isinstance(value, str):
        return dumps(value)
    if kind == "blob":
        return (value if isinstance(value, str) else dumps(value)).encode()
    return value
