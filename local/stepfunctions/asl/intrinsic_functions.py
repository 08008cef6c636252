"""What each intrinsic function does, by the "Intrinsic functions" page of the Step Functions developer guide."""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
import re
from collections.abc import Callable
from random import Random
from typing import NamedTuple

from local.stepfunctions.asl.environment import Environment
from local.stepfunctions.identity import draw_uuid
from local.stepfunctions.jsontext import Json, dumps, loads

_MAX_RANGE = 1000
_MAX_TEXT = 10_000
_HASHES = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
_PLACEHOLDER = re.compile(r"\\([\\{}])|\{\}")


class IntrinsicError(ValueError):
    """A call whose arguments do not fit."""


class Function(NamedTuple):
    """An intrinsic: least and most arguments, and what it does with (environment, *arguments)."""

    arity: tuple[int, int]
    apply: Callable[..., Json]


def _integer(value: Json, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise IntrinsicError(f"The {what} must be a number")
    return value if isinstance(value, int) else math.floor(value + 0.5)


def _array(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise IntrinsicError("The argument must be an array")
    return value


def _string(value: Json) -> str:
    if not isinstance(value, str):
        raise IntrinsicError("The argument must be a string")
    return value


def _identity(value: Json) -> str:
    return dumps(value) if not isinstance(value, dict) else dumps({key: value[key] for key in sorted(value)})


def _partition(_: Environment, array: Json, size: Json) -> Json:
    items, step = _array(array), _integer(size, "chunk size")
    if step <= 0:
        raise IntrinsicError("The chunk size must be a positive number")
    return [items[start : start + step] for start in range(0, len(items), step)]


def _contains(_: Environment, array: Json, value: Json) -> Json:
    wanted = _identity(value)
    return any(_identity(item) == wanted for item in _array(array))


def _range(_: Environment, first: Json, last: Json, step: Json) -> Json:
    start, stop, stride = _integer(first, "start"), _integer(last, "end"), _integer(step, "step")
    if stride == 0:
        raise IntrinsicError("The step must not be 0")
    values = range(start, stop + (1 if stride > 0 else -1), stride)
    if len(values) > _MAX_RANGE:
        raise IntrinsicError(f"The array must not hold more than {_MAX_RANGE} items")
    return list(values)


def _get_item(_: Environment, array: Json, index: Json) -> Json:
    items, position = _array(array), _integer(index, "index")
    if not 0 <= position < len(items):
        raise IntrinsicError(f"The index {position} is out of bounds for length {len(items)}")
    return items[position]


def _unique(_: Environment, array: Json) -> Json:
    return list({_identity(item): item for item in _array(array)[::-1]}.values())[::-1]


def _encode(_: Environment, text: Json) -> Json:
    if len(_string(text)) > _MAX_TEXT:
        raise IntrinsicError(f"The text must not be longer than {_MAX_TEXT} characters")
    return base64.b64encode(text.encode()).decode()


def _decode(_: Environment, text: Json) -> Json:
    if len(_string(text)) > _MAX_TEXT:
        raise IntrinsicError(f"The text must not be longer than {_MAX_TEXT} characters")
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise IntrinsicError("The text is not Base64") from error


def _hash(_: Environment, data: Json, algorithm: Json) -> Json:
    name = _HASHES.get(algorithm) if isinstance(algorithm, str) else None
    if name is None:
        raise IntrinsicError(f"The algorithm must be one of {', '.join(_HASHES)}")
    text = data if isinstance(data, str) else dumps(data)
    return hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest()


def _merge(_: Environment, first: Json, second: Json, deep: Json) -> Json:
    if not isinstance(first, dict) or not isinstance(second, dict):
        raise IntrinsicError("Both arguments must be objects")
    if deep is not False:
        raise IntrinsicError("Deep merging is not supported")
    return {**first, **second}


def _to_json(_: Environment, text: Json) -> Json:
    if text is None or text == "":
        return None
    try:
        return loads(_string(text))
    except ValueError as error:
        raise IntrinsicError("The text is not JSON") from error


def _random(environment: Environment, start: Json, stop: Json, seed: Json = None) -> Json:
    low, high = _integer(start, "start"), _integer(stop, "end")
    if low >= high:
        raise IntrinsicError("The start must be less than the end")
    source = environment.random if seed is None else Random(_integer(seed, "seed"))  # noqa: S311 - as documented
    return source.randrange(low, high)


def _split(_: Environment, text: Json, delimiters: Json) -> Json:
    if not _string(delimiters):
        return [_string(text)]
    return [part for part in re.split("[" + re.escape(delimiters) + "]", _string(text)) if part]


def _format(_: Environment, template: Json, *values: Json) -> Json:
    remaining = list(values)

    def fill(match: re.Match[str]) -> str:
        if match.group(1):
            return match.group(1)
        if not remaining:
            raise IntrinsicError("There are more placeholders than arguments")
        value = remaining.pop(0)
        return value if isinstance(value, str) else _java_text(value)

    text = _PLACEHOLDER.sub(fill, _string(template))
    if remaining:
        raise IntrinsicError("There are more arguments than placeholders")
    return text


def _java_text(value: Json) -> str:
    """How Java prints a map or a list, which is what AWS's States.Format was recorded to do with them."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={_java_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_java_text(item) for item in value) + "]"
    return value if isinstance(value, str) else dumps(value)


def _uuid(environment: Environment) -> Json:
    return draw_uuid(environment.random)


FUNCTIONS = {
    "States.Array": Function((0, 1000), lambda _, *items: list(items)),
    "States.ArrayPartition": Function((2, 2), _partition),
    "States.ArrayContains": Function((2, 2), _contains),
    "States.ArrayRange": Function((3, 3), _range),
    "States.ArrayGetItem": Function((2, 2), _get_item),
    "States.ArrayLength": Function((1, 1), lambda _, array: len(_array(array))),
    "States.ArrayUnique": Function((1, 1), _unique),
    "States.Base64Encode": Function((1, 1), _encode),
    "States.Base64Decode": Function((1, 1), _decode),
    "States.Hash": Function((2, 2), _hash),
    "States.JsonMerge": Function((3, 3), _merge),
    "States.StringToJson": Function((1, 1), _to_json),
    "States.JsonToString": Function((1, 1), lambda _, value: dumps(value)),
    "States.MathRandom": Function((2, 3), _random),
    "States.MathAdd": Function((2, 2), lambda _, a, b: _integer(a, "first value") + _integer(b, "second value")),
    "States.StringSplit": Function((2, 2), _split),
    "States.UUID": Function((0, 0), _uuid),
    "States.Format": Function((1, 1000), _format),
}
