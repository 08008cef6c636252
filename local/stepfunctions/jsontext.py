"""JSON as Step Functions writes it: no spaces, characters as they are, numbers as they came."""

from __future__ import annotations

import json
from typing import Any, TypeAlias

Json: TypeAlias = Any

MAX_PAYLOAD_BYTES = 256 * 1024

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
_decode = json.JSONDecoder().decode


def dumps(value: Json) -> str:
    """The compact text of a JSON value; raises ValueError for NaN and infinities."""
    return _encode(value)


def loads(text: str) -> Json:
    """The value of a JSON text; raises ValueError for anything else, NaN included."""
    return json.loads(text, parse_constant=_refuse_constant) if "N" in text or "I" in text else _decode(text)


def too_large(text: str) -> bool:
    """Whether a payload is over the service's 256 KiB of UTF-8."""
    size = len(text)
    return size > MAX_PAYLOAD_BYTES or (size * 4 > MAX_PAYLOAD_BYTES and len(text.encode()) > MAX_PAYLOAD_BYTES)


def _refuse_constant(name: str) -> Json:
    raise ValueError(f"{name} is not JSON")


def type_name(value: Json) -> str:
    """The JSON type's own name: array, boolean, null, number, object or string."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"
