"""Choice rules in JSONPath: every comparison operator, And, Or and Not, compiled to predicates."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable

from local.stepfunctions.asl.environment import Environment
from local.stepfunctions.asl.jsonpath import Evaluate, PathNotFoundError, compile_path
from local.stepfunctions.errors import Fault
from local.stepfunctions.jsontext import Json
from local.stepfunctions.timestamps import parse_timestamp

Predicate = Callable[[Json, Environment], bool]
_Compare = Callable[[Json, Json], bool]
_ABSENT = object()

_RELATIONS: dict[str, Callable[[Json, Json], bool]] = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "GreaterThan": operator.gt,
    "LessThanEquals": operator.le,
    "GreaterThanEquals": operator.ge,
}


def _is_number(value: Json) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _as_string(value: Json) -> Json:
    return value if isinstance(value, str) else None


def _as_number(value: Json) -> Json:
    return value if _is_number(value) else None


def _as_moment(value: Json) -> Json:
    if not isinstance(value, str):
        return None
    try:
        return parse_timestamp(value)
    except ValueError:
        return None


def _relation(read: Callable[[Json], Json], compare: Callable[[Json, Json], bool]) -> _Compare:
    def holds(actual: Json, wanted: Json) -> bool:
        left, right = read(actual), read(wanted)
        return left is not None and right is not None and compare(left, right)

    return holds


def _boolean_equals(actual: Json, wanted: Json) -> bool:
    return isinstance(actual, bool) and isinstance(wanted, bool) and actual == wanted


def _matches(actual: Json, pattern: Json) -> bool:
    if not isinstance(actual, str) or not isinstance(pattern, str):
        return False
    parts = re.findall(r"\\[*\\]|\*|[^*\\]+|\\", pattern)
    expression = "".join(".*" if part == "*" else re.escape(re.sub(r"^\\(.)", r"\1", part)) for part in parts)
    return re.fullmatch(expression, actual, re.DOTALL) is not None


OPERATORS: dict[str, _Compare] = {
    **{f"String{name}": _relation(_as_string, compare) for name, compare in _RELATIONS.items()},
    **{f"Numeric{name}": _relation(_as_number, compare) for name, compare in _RELATIONS.items()},
    **{f"Timestamp{name}": _relation(_as_moment, compare) for name, compare in _RELATIONS.items()},
    "BooleanEquals": _boolean_equals,
    "StringMatches": _matches,
}
TYPE_TESTS: dict[str, Callable[[Json], bool]] = {
    "IsNull": lambda value: value is None,
    "IsString": lambda value: isinstance(value, str),
    "IsNumeric": _is_number,
    "IsBoolean": lambda value: isinstance(value, bool),
    "IsTimestamp": lambda value: _as_moment(value) is not None,
    "IsPresent": lambda value: value is not _ABSENT,
}
PATH_OPERATORS = {f"{name}Path": compare for name, compare in OPERATORS.items() if name != "StringMatches"}
COMPARISONS = set(OPERATORS) | set(PATH_OPERATORS) | set(TYPE_TESTS)
COMBINATIONS = {"And", "Or", "Not"}


def compile_rule(rule: dict[str, Json]) -> Predicate:
    """A rule's predicate over (document, environment); the rule has been validated."""
    if "And" in rule:
        every = [compile_rule(inner) for inner in rule["And"]]
        return lambda document, environment: all(holds(document, environment) for holds in every)
    if "Or" in rule:
        some = [compile_rule(inner) for inner in rule["Or"]]
        return lambda document, environment: any(holds(document, environment) for holds in some)
    if "Not" in rule:
        inner = compile_rule(rule["Not"])
        return lambda document, environment: not inner(document, environment)
    return _comparison(rule)


def _comparison(rule: dict[str, Json]) -> Predicate:
    name = next(key for key in rule if key in COMPARISONS)
    variable = compile_path(rule["Variable"]).evaluate
    if name in TYPE_TESTS:
        return _type_test(name, variable, rule["Variable"], rule[name])
    read = _reader(variable, rule["Variable"])
    if name in PATH_OPERATORS:
        compare, other = PATH_OPERATORS[name], _reader(compile_path(rule[name]).evaluate, rule[name])
        return lambda document, environment: compare(read(document, environment), other(document, environment))
    compare, constant = OPERATORS[name], rule[name]
    return lambda document, environment: compare(read(document, environment), constant)


def _type_test(name: str, variable: Evaluate, text: str, wanted: bool) -> Predicate:
    test = TYPE_TESTS[name]
    required = _reader(variable, text)

    def present(document: Json, environment: Environment) -> bool:
        try:
            variable(document, environment)
        except PathNotFoundError:
            return wanted is False
        return wanted

    if name == "IsPresent":
        return present
    return lambda document, environment: test(required(document, environment)) is wanted


def _reader(variable: Evaluate, text: str) -> Evaluate:
    def read(document: Json, environment: Environment) -> Json:
        try:
            return variable(document, environment)
        except PathNotFoundError as error:
            raise Fault(
                f"Invalid path '{text}': The choice state's condition path references an invalid value."
            ) from error

    return read
