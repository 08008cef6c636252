"""Fields that hold a value, a path to it (`...Path`) or a JSONata expression for it."""

from __future__ import annotations

from collections.abc import Callable

from local.stepfunctions.asl.environment import Environment
from local.stepfunctions.asl.intrinsics import compile_call, is_call
from local.stepfunctions.asl.jsonata import compile_query, is_expression
from local.stepfunctions.asl.jsonpath import Evaluate, PathNotFoundError, compile_path
from local.stepfunctions.asl.program import Number
from local.stepfunctions.errors import Fault
from local.stepfunctions.jsontext import Json, dumps


def required_path(text: str) -> Evaluate:
    """A path whose absence is AWS's `Invalid path` fault."""
    path = compile_path(text).evaluate

    def evaluate(document: Json, environment: Environment) -> Json:
        try:
            return path(document, environment)
        except PathNotFoundError as error:
            raise Fault(f"Invalid path '{text}' : {error}") from error

    return evaluate


def value_field(state: dict[str, Json], field: str) -> Evaluate | None:
    """The field's value, whichever way it is written; None when the field is absent."""
    if f"{field}Path" in state:
        return required_path(state[f"{field}Path"])
    if field not in state:
        return None
    literal = state[field]
    if is_expression(literal):
        query = compile_query(literal, field)
        return lambda document, environment: query(environment)
    return lambda document, environment: literal


def number_field(state: dict[str, Json], field: str, check: Callable[[Json, str], float]) -> Number | None:
    """A number that `check(value, path or "")` turns into the one to use, or refuses with a Fault."""
    read = value_field(state, field)
    if read is None:
        return None
    path = state.get(f"{field}Path", "")
    return lambda document, environment: check(read(document, environment), path)


def optional_number(state: dict[str, Json], field: str) -> Number | None:
    """A positive number of seconds, None when the field is absent."""

    def check(value: Json, path: str) -> float:
        name = f"{field}Path" if path else field
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value):
            raise Fault(f"The {name} parameter cannot be parsed as a long value: {path} == {dumps(value)}")
        if value <= 0:
            raise Fault(f"The {name} parameter must be positive: {path} == {dumps(value)}")
        return int(value)

    return number_field(state, field, check)


def text_field(state: dict[str, Json], field: str) -> Callable[[Json, Environment], str | None]:
    """Fail's Error or Cause: literal, path, intrinsic function call or JSONata expression."""
    path_name = f"{field}Path"
    if path_name in state:
        return _text_at(state[path_name], path_name)
    literal = state.get(field)
    if literal is not None and is_expression(literal):
        query = compile_query(literal, field, "string")
        return lambda document, environment: query(environment)
    return lambda document, environment: literal


def _text_at(text: str, field: str) -> Callable[[Json, Environment], str | None]:
    read = compile_call(text) if is_call(text) else compile_path(text).evaluate

    def evaluate(document: Json, environment: Environment) -> str | None:
        try:
            value = read(document, environment)
        except PathNotFoundError as error:
            place = f"The JSONPath '{text}' specified for the field '{field}'"
            raise Fault(f"{place} could not be found in the input '{dumps(document)}'") from error
        if not isinstance(value, str):
            raise Fault(f"The {field} parameter does not reference a string value: {text}")
        return value

    return evaluate
