"""Event patterns: which events a rule is for.

Source: EventBridge user guide, "Comparison operators for use in event patterns"; all of them are here.
"""

from __future__ import annotations

import ipaddress
import json
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from local.event_pump.errors import NotSupported

Event = Mapping[str, Any]
Test = Callable[[Event], bool]
ValueTest = Callable[[Any], bool]

_COMPARISONS: Final = {"<": operator.lt, "<=": operator.le, "=": operator.eq, ">=": operator.ge, ">": operator.gt}


def compile_pattern(pattern: Mapping[str, Any]) -> Test:
    """A test whether an event matches; raises NotSupported naming what cannot be read."""
    return _object(pattern, ())


@lru_cache(maxsize=256)
def read_pattern(text: str) -> Test:
    """The test of a pattern in JSON, read once however often it is asked for; raises ValueError for what is no JSON."""
    return compile_pattern(json.loads(text))


def _object(pattern: Mapping[str, Any], path: tuple[str, ...]) -> Test:
    if not pattern:
        raise NotSupported(f"the pattern at {_name(path)} is empty")
    tests: list[Test] = []
    for key, wanted in pattern.items():
        if key == "$or":
            tests.append(_any_of([_object(each, path) for each in wanted]))
        elif isinstance(wanted, Mapping):
            tests.append(_object(wanted, (*path, key)))
        elif isinstance(wanted, list):
            tests.append(_field(wanted, (*path, key)))
        else:
            raise NotSupported(f"the pattern's {_name((*path, key))} must be a list or an object")
    return lambda event: all(test(event) for test in tests)


def _any_of(tests: list[Test]) -> Test:
    return lambda event: any(test(event) for test in tests)


def _field(wanted: list[Any], path: tuple[str, ...]) -> Test:
    absent = any(isinstance(it, Mapping) and it.get("exists") is False for it in wanted)
    tests = [_value(it, path) for it in wanted if not (isinstance(it, Mapping) and it.get("exists") is False)]

    def matches(event: Event) -> bool:
        found = list(_values(event, path))
        return (absent and not found) or any(test(value) for value in found for test in tests)

    return matches


def _values(node: Any, path: tuple[str, ...]) -> Iterator[Any]:
    """The leaves at a path; a list stands for each of its elements."""
    if isinstance(node, list):
        for element in node:
            yield from _values(element, path)
    elif not path:
        if not isinstance(node, Mapping):
            yield node
    elif isinstance(node, Mapping) and path[0] in node:
        yield from _values(node[path[0]], path[1:])


def _value(wanted: Any, path: tuple[str, ...]) -> ValueTest:
    if not isinstance(wanted, Mapping):
        return lambda value: _same(value, wanted)
    if len(wanted) != 1:
        raise NotSupported(f"the pattern's {_name(path)}: one comparison per object")
    ((comparison, operand),) = wanted.items()
    match comparison:
        case "exists" if operand is True:
            return lambda _: True
        case "anything-but":
            return _anything_but(operand, path)
        case "numeric":
            return _numeric(operand, path)
        case "cidr":
            network = ipaddress.ip_network(operand)
            return lambda value: _is_address(value, network)
        case "prefix" | "suffix" | "equals-ignore-case" | "wildcard":
            return _text(comparison, operand, path)
        case _:
            raise NotSupported(f"the pattern's {_name(path)}: the comparison {comparison!r}")


def _text(comparison: str, operand: Any, path: tuple[str, ...]) -> ValueTest:
    fold = isinstance(operand, Mapping) and set(operand) == {"equals-ignore-case"}
    text = operand["equals-ignore-case"] if fold else operand
    if not isinstance(text, str) or (fold and comparison not in ("prefix", "suffix")):
        raise NotSupported(f"the pattern's {_name(path)}: {comparison} of {operand!r}")
    expression = {
        "prefix": re.escape(text) + ".*",
        "suffix": ".*" + re.escape(text),
        "equals-ignore-case": re.escape(text),
        "wildcard": _wildcard(text),
    }[comparison]
    ignore = fold or comparison == "equals-ignore-case"
    compiled = re.compile(expression, re.DOTALL | (re.IGNORECASE if ignore else 0))
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


def _wildcard(text: str) -> str:
    r"""A `*` is any text; `\*` is an asterisk and `\\` a backslash."""
    parts = re.findall(r"\\[*\\]|\*|[^*\\]+|\\", text)
    return "".join(".*" if part == "*" else re.escape(part[1:] if part in (r"\*", "\\\\") else part) for part in parts)


def _anything_but(operand: Any, path: tuple[str, ...]) -> ValueTest:
    if isinstance(operand, Mapping):
        ((comparison, values),) = operand.items()
        tests = [_value({comparison: it}, path) for it in (values if isinstance(values, list) else [values])]
        return lambda value: not any(test(value) for test in tests)
    values = operand if isinstance(operand, list) else [operand]
    return lambda value: not any(_same(value, it) for it in values)


def _numeric(operand: Any, path: tuple[str, ...]) -> ValueTest:
    pairs = list(zip(operand[::2], operand[1::2], strict=False))
    if not pairs or len(operand) % 2 or any(symbol not in _COMPARISONS for symbol, _ in pairs):
        raise NotSupported(f"the pattern's {_name(path)}: numeric {operand!r}")

    def matches(value: Any) -> bool:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and all(_COMPARISONS[symbol](value, limit) for symbol, limit in pairs)

    return matches


def _same(value: Any, wanted: Any) -> bool:
    """Equality of JSON: true is not 1, and 300 is 300.0."""
    return value == wanted and isinstance(value, bool) == isinstance(wanted, bool)


def _is_address(value: Any, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    try:
        return ipaddress.ip_address(value) in network
    except ValueError:
        return False


def _name(path: tuple[str, ...]) -> str:
    return ".".join(path) or "(root)"
