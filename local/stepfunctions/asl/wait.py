"""Wait: the moment a wait is over, from Seconds, SecondsPath, Timestamp, TimestampPath or their JSONata forms."""

from __future__ import annotations

from collections.abc import Callable

from local.stepfunctions.asl.environment import Environment
from local.stepfunctions.asl.fields import value_field
from local.stepfunctions.asl.jsonata import is_expression
from local.stepfunctions.errors import QUERY, Fault
from local.stepfunctions.jsontext import Json, dumps
from local.stepfunctions.timestamps import parse_timestamp

Until = Callable[[Json, Environment, float], float]
MAX_SECONDS = 99_999_999


def compile_wait(state: dict[str, Json]) -> Until:
    """The moment, in seconds since the epoch, from (document, environment, now)."""
    seconds = value_field(state, "Seconds")
    if seconds is not None:
        path = state.get("SecondsPath", "")
        jsonata = is_expression(state.get("Seconds"))
        return lambda document, environment, now: now + _seconds(seconds(document, environment), path, jsonata)
    timestamp = value_field(state, "Timestamp")
    assert timestamp is not None  # noqa: S101 - validation lets no Wait without a moment pass
    path = state.get("TimestampPath", "")
    jsonata = is_expression(state.get("Timestamp"))
    return lambda document, environment, now: max(now, _moment(timestamp(document, environment), path, jsonata))


def _seconds(value: Json, path: str, jsonata: bool) -> float:
    field = "SecondsPath parameter" if path else "Seconds field"
    shown = f"{path} == {dumps(value)}" if path else dumps(value)
    fault, verb = (QUERY, "has") if jsonata else ("States.Runtime", "references")
    location = "Seconds" if jsonata else None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value):
        raise Fault(f"The {field} cannot be parsed as a long value: {shown}", fault, location)
    if value < 0:
        raise Fault(f"The {field} {verb} a negative value: {shown}", fault, location)
    if value > MAX_SECONDS:
        raise Fault(f"The {field} {verb} a value over {MAX_SECONDS}: {shown}", fault, location)
    return value


def _moment(value: Json, path: str, jsonata: bool) -> float:
    try:
        return parse_timestamp(value)
    except (TypeError, ValueError) as error:
        shown = value if isinstance(value, str) else dumps(value)
        form = "ISO-8601 extended offset date-time format string"
        if jsonata:
            raise Fault(f"The Timestamp field cannot be parsed as an {form}: {shown}", QUERY, "Timestamp") from error
        raise Fault(f"The TimestampPath parameter does not reference a valid {form}: {path} == {shown}") from error
