"""Requests checked against botocore's model of the service, with the messages AWS answers."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from local.stepfunctions.errors import ApiError
from local.stepfunctions.integrations.models import service_model
from local.stepfunctions.jsontext import Json

_AWS_ORDER = ("SUCCEEDED", "TIMED_OUT", "PENDING_REDRIVE", "ABORTED", "FAILED", "RUNNING")  # as recorded


@cache
def operations() -> frozenset[str]:
    """The names of the service's operations."""
    return frozenset(service_model("stepfunctions").operation_names)


def check_request(operation: str, request: dict[str, Json]) -> None:
    """Raise ApiError ValidationException for a request that the service's own model refuses."""
    shape = service_model("stepfunctions").operation_model(operation).input_shape
    problems: list[str] = []
    _structure(shape, request, "", problems)
    if problems:
        count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected: "
        raise ApiError("ValidationException", count + "; ".join(problems))


def _structure(shape: Any, value: Json, path: str, problems: list[str]) -> None:
    for name in shape.required_members:
        if value.get(name) is None:
            where = f"{path}{name}"
            problems.append(f"Value null at '{where}' failed to satisfy constraint: Member must not be null")
    for name, member in shape.members.items():
        if value.get(name) is not None:
            _value(member, value[name], f"{path}{name}", problems)


def _value(shape: Any, value: Json, path: str, problems: list[str]) -> None:
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        _structure(shape, value, f"{path}.", problems)
    elif kind == "list" and isinstance(value, list):
        _length(shape, value, _java_list(shape, value), path, problems)
        for index, item in enumerate(value):
            member = f"{path}.{index + 1}.member"
            _value(shape.member, item, member, problems)
    elif kind == "string" and isinstance(value, str):
        shown = "*** Sensitive Data Redacted ***" if shape.metadata.get("sensitive") else value
        _length(shape, value, shown, path, problems)
        _text(shape, value, shown, path, problems)
    elif kind in ("integer", "long", "float", "double") and isinstance(value, (int, float)):
        _range(shape, value, path, problems)


def _java_list(shape: Any, value: list[Json]) -> str:
    items = [
        f"{shape.member.name}({', '.join(f'{key}={part}' for key, part in item.items())})"
        if isinstance(item, dict)
        else str(item)
        for item in value
    ]
    return f"[{', '.join(items)}]"


def _fail(shown: Json, path: str, constraint: str) -> str:
    return f"Value '{shown}' at '{path}' failed to satisfy constraint: Member must {constraint}"


def _length(shape: Any, value: Any, shown: str, path: str, problems: list[str]) -> None:
    if len(value) > shape.metadata.get("max", len(value)):
        problems.append(_fail(shown, path, f"have length less than or equal to {shape.metadata['max']}"))
    if len(value) < shape.metadata.get("min", 0):
        problems.append(_fail(shown, path, f"have length greater than or equal to {shape.metadata['min']}"))


def _range(shape: Any, value: float, path: str, problems: list[str]) -> None:
    if value > shape.metadata.get("max", value):
        problems.append(_fail(value, path, f"have value less than or equal to {shape.metadata['max']}"))
    if value < shape.metadata.get("min", value):
        problems.append(_fail(value, path, f"have value greater than or equal to {shape.metadata['min']}"))


def _text(shape: Any, value: str, shown: str, path: str, problems: list[str]) -> None:
    pattern, allowed = shape.metadata.get("pattern"), shape.metadata.get("enum")
    if path == "name" and pattern and re.fullmatch(pattern, value) is None:
        problems.append(_fail(shown, path, f"satisfy regular expression pattern: {pattern}"))
    if allowed and value not in allowed:
        names = ", ".join(_AWS_ORDER if set(allowed) == set(_AWS_ORDER) else allowed)
        problems.append(_fail(shown, path, f"satisfy enum value set: [{names}]"))
