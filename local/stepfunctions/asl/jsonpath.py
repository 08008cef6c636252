"""JSONPath as Step Functions evaluates it: Jayway's dialect, compiled to closures.

A definite path (names and single indices only) yields one value or fails; any other yields a list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from local.stepfunctions.asl import jsonpath_syntax as syntax
from local.stepfunctions.asl.environment import Environment
from local.stepfunctions.jsontext import Json

Evaluate = Callable[[Json, Environment], Json]
_MISSING: Any = object()


class PathNotFoundError(LookupError):
    """A definite path that leads nowhere; the text is Jayway's."""


class Path(NamedTuple):
    """A compiled path: `text` as written, `definite` when it yields exactly one value."""

    text: str
    definite: bool
    evaluate: Evaluate


def compile_path(text: str) -> Path:
    """Compile `$.a`, `$$.Execution.Id` or `$variable.a`; raises ValueError for what is not a path."""
    root, steps, function = syntax.parse(text)
    definite = all(isinstance(step, (syntax.Name, syntax.Index)) for step in steps)
    find = _definite(steps) if definite else _indefinite(steps)
    if function is not None:
        find = _with_function(find, function)
    return Path(text, definite, _rooted(root, find))


def _rooted(root: str, find: Callable[[Json], Json]) -> Evaluate:
    if root == "$":
        return lambda document, environment: find(document)
    if root == "$$":
        return lambda document, environment: find(environment.context)

    def from_variable(document: Json, environment: Environment) -> Json:
        value = environment.variables.get(root, _MISSING)
        if value is _MISSING:
            raise PathNotFoundError(f"No results for path: $['{root}']")
        return find(value)

    return from_variable


def _definite(steps: tuple[syntax.Step, ...]) -> Callable[[Json], Json]:
    if not steps:
        return lambda document: document
    keys = _keys(steps)
    names = [key for key in keys if isinstance(key, str)]
    if len(names) == len(keys):
        return _of_names(names, steps)

    def find(document: Json) -> Json:
        value = document
        for depth, key in enumerate(keys):
            value = _child(value, key)
            if value is _MISSING:
                raise PathNotFoundError(_not_found(steps, depth))
        return value

    return find


def _of_names(names: list[str], steps: tuple[syntax.Step, ...]) -> Callable[[Json], Json]:
    def find(document: Json) -> Json:
        value, depth = document, 0
        try:
            for depth, name in enumerate(names):  # noqa: B007 - where it ends is told
                value = value[name]
        except (KeyError, TypeError):  # it has no such member, or is no object
            raise PathNotFoundError(_not_found(steps, depth)) from None
        return value

    return find


def _keys(steps: tuple[syntax.Step, ...]) -> list[str | int]:
    keys: list[str | int] = []
    for step in steps:
        if isinstance(step, syntax.Name):
            keys.append(step.name)
        elif isinstance(step, syntax.Index):
            keys.append(step.position)
    return keys


def _is_set(step: syntax.Step) -> bool:
    return not isinstance(step, (syntax.Name, syntax.Index))


def _child(value: Json, key: str | int) -> Json:
    if isinstance(key, str):
        return value.get(key, _MISSING) if isinstance(value, dict) else _MISSING
    if isinstance(value, list) and -len(value) <= key < len(value):
        return value[key]
    return _MISSING


def _not_found(steps: tuple[syntax.Step, ...], depth: int) -> str:
    written = "".join(str(step) for step in steps[: depth + 1])
    if depth == len(steps) - 1:
        return f"No results for path: ${written}"
    return f"Missing property in path ${written}"


def _indefinite(steps: tuple[syntax.Step, ...]) -> Callable[[Json], Json]:
    def find(document: Json) -> Json:
        values = [document]
        for step in steps:
            values = [found for value in values for found in _select(step, value, document)]
        return values

    return find


def _select(step: syntax.Step, value: Json, document: Json) -> Iterator[Json]:
    if isinstance(step, syntax.Name):
        yield from _present(_child(value, step.name))
    elif isinstance(step, syntax.Index):
        yield from _present(_child(value, step.position))
    elif isinstance(step, syntax.Wildcard):
        yield from _children(value)
    elif isinstance(step, syntax.Slice):
        yield from value[step.start : step.stop : step.step] if isinstance(value, list) else ()
    elif isinstance(step, syntax.Union):
        for member in step.members:
            yield from _select(member, value, document)
    elif isinstance(step, syntax.Filter):
        candidates = _children(value) if isinstance(value, list) else iter([value])
        yield from (item for item in candidates if step.accepts(item, document))
    else:
        for descendant in _descendants(value):
            yield from _select(step.step, descendant, document)


def _present(value: Json) -> Iterator[Json]:
    if value is not _MISSING:
        yield value


def _children(value: Json) -> Iterator[Json]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _descendants(value: Json) -> Iterator[Json]:
    yield value
    for child in _children(value):
        yield from _descendants(child)


def _with_function(find: Callable[[Json], Json], name: str) -> Callable[[Json], Json]:
    apply = _FUNCTIONS[name]

    def find_and_apply(document: Json) -> Json:
        value = find(document)
        try:
            return apply(value)
        except (TypeError, ValueError, ZeroDivisionError, AttributeError) as error:
            raise PathNotFoundError(f"Function {name}() cannot be applied to the value found") from error

    return find_and_apply


_FUNCTIONS: dict[str, Callable[[Json], Json]] = {
    "length": len,
    "min": min,
    "max": max,
    "sum": sum,
    "avg": lambda values: sum(values) / len(values),
    "keys": lambda value: list(value.keys()),
}
assert set(_FUNCTIONS) == syntax.FUNCTIONS  # noqa: S101 - the parser refuses what nothing here evaluates


class ReferencePath:
    """Where a result is put (ResultPath): names and indices below `$`, nothing that could match twice."""

    def __init__(self, text: str) -> None:
        root, steps, function = syntax.parse(text)
        if root != "$" or function is not None or any(_is_set(step) for step in steps):
            raise ValueError(f"not a reference path: {text}")
        self.text = text
        self._keys = _keys(steps)
        self._name = self._keys[0] if len(self._keys) == 1 and isinstance(self._keys[0], str) else None

    def put(self, document: Json, value: Json) -> Json:
        """A copy of `document` with `value` at this path; raises PathNotFoundError where it cannot be put."""
        if self._name is not None and isinstance(document, dict):
            return {**document, self._name: value}
        return self._put(document, 0, value)

    def _put(self, node: Json, depth: int, value: Json) -> Json:
        if depth == len(self._keys):
            return value
        key = self._keys[depth]
        if isinstance(key, str):
            if not isinstance(node, dict) and node is not _MISSING:
                raise PathNotFoundError(self.text)
            copy = {} if node is _MISSING else dict(node)
            copy[key] = self._put(copy.get(key, _MISSING), depth + 1, value)
            return copy
        if not isinstance(node, list) or not -len(node) <= key < len(node):
            raise PathNotFoundError(self.text)
        items = list(node)
        items[key] = self._put(items[key], depth + 1, value)
        return items
