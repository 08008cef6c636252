"""JSONata expressions, `{% $states.input.a %}`, on the library jsonata-python with AWS's own functions added.

AWS's additions and the functions it withholds: "JSONata functions provided by Step Functions" in its developer guide.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from local.stepfunctions.asl.environment import Environment
from local.stepfunctions.asl.intrinsic_functions import FUNCTIONS, IntrinsicError
from local.stepfunctions.errors import QUERY, Fault
from local.stepfunctions.identity import draw_uuid
from local.stepfunctions.jsontext import Json, dumps, loads, type_name

Query = Callable[[Environment], Json]
UNDEFINED: Any = object()
_compiled_here = threading.local()


def is_expression(value: Json) -> bool:
    """Whether a field's value is a JSONata expression."""
    return isinstance(value, str) and value.startswith("{%") and value.endswith("%}")


def expression_text(value: Json) -> str:
    """What stands between `{%` and `%}`."""
    return str(value)[2:-2].strip()


def check(value: Json) -> None:
    """Raise ValueError when the expression does not parse."""
    _parse(expression_text(value))


def _parse(text: str) -> Any:
    import jsonata  # noqa: PLC0415 - 60 ms that definitions in JSONPath need not pay

    known = _compiled_here.__dict__.setdefault("expressions", {})
    if text not in known:
        try:
            expression = jsonata.Jsonata(text)
        except (jsonata.jexception.JException, RecursionError) as error:
            raise ValueError(str(error)) from error
        expression.set_output_convert_nulls(False)
        known[text] = expression
    return known[text]


def compile_query(value: str, location: str, expected: str | None = None) -> Query:
    """An expression's query; evaluating it raises Fault when nothing, or not the `expected` type, comes out."""
    text = expression_text(value)
    _parse(text)

    def evaluate(environment: Environment) -> Json:
        found = _evaluate(text, location, environment)
        if found is UNDEFINED:
            raise Fault(f"{_named(text, location)} returned nothing (undefined).", QUERY, location)
        if expected is not None and type_name(found) != expected:
            raise Fault(
                f"{_named(text, location)} returned an unexpected result type. "
                f"Expected '{expected}', but was '{type_name(found)}' for value: {dumps(found)}",
                QUERY,
                location,
            )
        return found

    return evaluate


def compile_query_template(template: Json, location: str) -> Query:
    """JSON whose strings may be expressions; `location` is the field, as in `Arguments/FunctionName`."""
    dynamic = _compile(template, location)
    return dynamic if dynamic is not None else lambda environment: template


def _compile(template: Json, location: str) -> Query | None:
    if is_expression(template):
        return compile_query(template, location)
    if isinstance(template, dict):
        fields = [(key, _compile(value, f"{location}/{key}"), value) for key, value in template.items()]
        if all(query is None for _, query, _ in fields):
            return None
        return lambda environment: {
            key: constant if query is None else query(environment) for key, query, constant in fields
        }
    if isinstance(template, list):
        items = [(_compile(item, f"{location}[{index}]"), item) for index, item in enumerate(template)]
        if all(query is None for query, _ in items):
            return None
        return lambda environment: [constant if query is None else query(environment) for query, constant in items]
    return None


def _named(text: str, location: str) -> str:
    return f"The JSONata expression '{text}' specified for the field '{location}'"


def _evaluate(text: str, location: str, environment: Environment) -> Json:
    expression = _parse(text)
    bindings = {**_bound(environment), "states": environment.states, **_functions(environment)}
    try:
        return _plain(expression.evaluate(None, bindings))
    except Exception as error:
        code = getattr(error, "error", None)
        detail = f"{code}: {error}" if code else str(error)
        message = f"{_named(text, location)} threw an error during evaluation. {detail}"
        raise Fault(message, QUERY, location) from error


def _bound(environment: Environment) -> dict[str, Any]:
    """The variables, with null told from nothing as the library wants it."""
    from jsonata.utils import Utils  # noqa: PLC0415

    return {name: Utils.NULL_VALUE if value is None else value for name, value in environment.variables.items()}


def _plain(value: Any) -> Json:
    """The library's sequences and null marker as plain JSON; UNDEFINED for nothing."""
    if value is None:
        return UNDEFINED
    return _plain_inside(value)


def _plain_inside(value: Any) -> Json:
    if isinstance(value, dict):
        return {key: _plain_inside(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, range)):
        return [_plain_inside(item) for item in value]
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if type(value).__name__ == "NullValue":
        return None
    raise TypeError("the result is a function, which is not JSON")


def _functions(environment: Environment) -> dict[str, Any]:
    from jsonata import Jsonata  # noqa: PLC0415

    def wrap(function: Callable[..., Json]) -> Any:
        return Jsonata.JLambda(function)

    def intrinsic(name: str) -> Callable[..., Json]:
        apply = FUNCTIONS[name].apply

        def call(*arguments: Json) -> Json:
            try:
                return apply(environment, *(_plain_inside(argument) for argument in arguments))
            except IntrinsicError as error:
                raise ValueError(str(error)) from error

        return call

    partition, spread, digest = (intrinsic(f"States.{name}") for name in ("ArrayPartition", "ArrayRange", "Hash"))

    def draw(*seed: Json) -> Json:
        from random import Random  # noqa: PLC0415

        return (Random(seed[0]) if seed and seed[0] is not None else environment.random).random()  # noqa: S311

    return {
        "partition": wrap(partition),
        "range": wrap(_unwrapped(spread)),
        "hash": wrap(digest),
        "parse": wrap(loads),
        "uuid": wrap(lambda: draw_uuid(environment.random)),
        "random": wrap(draw),
    }


def _unwrapped(function: Callable[..., Json]) -> Callable[..., Json]:
    """A function whose list of one is that one, as JSONata treats its sequences."""

    def call(*arguments: Json) -> Json:
        values = function(*arguments)
        return values[0] if len(values) == 1 else values

    return call
