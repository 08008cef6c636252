"""The grammar of JSONPath: text to steps."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from local.stepfunctions.asl.jsonpath_filter import compile_filter
from local.stepfunctions.jsontext import Json

FUNCTIONS = {"length", "min", "max", "sum", "avg", "keys"}


class Name(NamedTuple):
    """`.name` or `['name']`."""

    name: str

    def __str__(self) -> str:
        return f"['{self.name}']"


class Index(NamedTuple):
    """`[0]`; negative counts from the end."""

    position: int

    def __str__(self) -> str:
        return f"[{self.position}]"


class Wildcard(NamedTuple):
    """`.*` or `[*]`."""


class Slice(NamedTuple):
    """`[start:stop:step]`."""

    start: int | None
    stop: int | None
    step: int | None


class Union(NamedTuple):
    """`['a','b']` or `[0,1]`."""

    members: tuple[Name | Index, ...]


class Filter(NamedTuple):
    """`[?(...)]`: keeps the items that `accepts(item, whole document)`."""

    accepts: Callable[[Json, Json], bool]


class Descend(NamedTuple):
    """`..` and the step applied at every depth."""

    step: Name | Index | Wildcard | Slice | Union | Filter


Step: TypeAlias = Name | Index | Wildcard | Slice | Union | Filter | Descend

_ROOT = re.compile(r"\$\$|\$(?:[A-Za-z_][A-Za-z0-9_]*)?")
_DOT_NAME = re.compile(r"[^.\[\]()\s'\"]+")
_FUNCTION_CALL = re.compile(r"\.([a-z]+)\(\)$")
_INTEGER = re.compile(r"-?\d+")
_SLICE = re.compile(r"(-?\d+)?:(-?\d+)?(?::(-?\d+)?)?")
_QUOTED = re.compile(r"""\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*""")


def parse(text: str) -> tuple[str, tuple[Step, ...], str | None]:
    """(root, steps, trailing function): the root is `$`, `$$` or a variable's name; raises ValueError."""
    match = _ROOT.match(text)
    if match is None:
        raise ValueError(f"not a JSONPath: {text}")
    root, rest = match.group(), text[match.end() :]
    function = None
    call = _FUNCTION_CALL.search(rest)
    if call is not None:
        if call.group(1) not in FUNCTIONS:
            raise ValueError(f"unknown function in {text}")
        function, rest = call.group(1), rest[: call.start()]
    steps: list[Step] = []
    position = 0
    while position < len(rest):
        step, position = _step(rest, position, text)
        steps.append(step)
    return (root if root in ("$", "$$") else root[1:]), tuple(steps), function


def _step(rest: str, position: int, text: str) -> tuple[Step, int]:
    if rest.startswith("..", position):
        inner, after = (
            _bracket(rest, position + 2, text)
            if rest.startswith("[", position + 2)
            else _dotted(rest, position + 2, text)
        )
        return Descend(inner), after
    if rest[position] == ".":
        if rest.startswith("[", position + 1):
            return _bracket(rest, position + 1, text)
        return _dotted(rest, position + 1, text)
    if rest[position] == "[":
        return _bracket(rest, position, text)
    raise ValueError(f"not a JSONPath: {text}")


def _dotted(rest: str, position: int, text: str) -> tuple[Name | Wildcard, int]:
    match = _DOT_NAME.match(rest, position)
    if match is None:
        raise ValueError(f"not a JSONPath: {text}")
    return (Wildcard() if match.group() == "*" else Name(match.group())), match.end()


def _bracket(rest: str, position: int, text: str) -> tuple[Name | Index | Wildcard | Slice | Union | Filter, int]:
    end = _closing(rest, position, text)
    inner = rest[position + 1 : end].strip()
    return _bracket_content(inner, text), end + 1


def _bracket_content(inner: str, text: str) -> Name | Index | Wildcard | Slice | Union | Filter:
    if inner == "*":
        return Wildcard()
    if inner.startswith("?"):
        return Filter(compile_filter(inner[1:].strip()))
    if match := _SLICE.fullmatch(inner):
        start, stop, step = (int(part) if part else None for part in match.groups())
        return Slice(start, stop, step)
    members = tuple(_member(part, text) for part in _split(inner))
    return members[0] if len(members) == 1 else Union(members)


def _member(part: str, text: str) -> Name | Index:
    if match := _QUOTED.fullmatch(part):
        quoted = match.group(1) if match.group(1) is not None else match.group(2)
        return Name(re.sub(r"\\(['\\])", r"\1", quoted))
    if _INTEGER.fullmatch(part.strip()):
        return Index(int(part))
    raise ValueError(f"not a JSONPath: {text}")


def _split(inner: str) -> list[str]:
    parts, depth_quote, current = [], "", ""
    for char in inner:
        if depth_quote:
            depth_quote = "" if char == depth_quote else depth_quote
        elif char in "'\"":
            depth_quote = char
        if char == "," and not depth_quote:
            parts.append(current)
            current = ""
        else:
            current += char
    return [*parts, current]


def _closing(rest: str, position: int, text: str) -> int:
    depth, quote, index = 0, "", position
    while index < len(rest):
        char = rest[index]
        if quote:
            if char == "\\":
                index += 1
            elif char == quote:
                quote = ""
        elif char in "'\"":
            quote = char
        elif char in "[(":
            depth += 1
        elif char in "])":
            depth -= 1
            if depth == 0:
                return index
        index += 1
    raise ValueError(f"not a JSONPath: {text}")
