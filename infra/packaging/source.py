"""Python source, shortened: whole statements go, or entries of what is listed, and the rest stays as it is."""

from __future__ import annotations

import ast
from collections.abc import Callable, Container, Iterable, Iterator

Part = ast.stmt | ast.expr | ast.alias


class Unfamiliar(Exception):
    """A package is not written as it was; the message says where."""


def names(tree: ast.AST) -> Iterator[str]:
    """The names in some source, of variables and of attributes, and its texts, which may be names."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Constant(value=str(name)):
                yield name


def reachable(defined: Container[str], named: Callable[[str], Iterable[str]], first: Iterable[str]) -> set[str]:
    """What is defined and named by `first`, or, as `named` tells, by something that is reached itself."""
    found, ahead = set[str](), {it for it in first if it in defined}
    while ahead:
        name = ahead.pop()
        found.add(name)
        ahead |= {it for it in named(name) if it in defined} - found
    return found


def without(source: str, parts: Iterable[Part]) -> str:
    """The source without some parts; raises Unfamiliar where one shares a line with anything but a comment."""
    lines = source.encode().splitlines(keepends=True)  # as the parser counts lines and columns
    for part in parts:
        first, last = begins(part) - 1, (part.end_lineno or part.lineno) - 1
        behind = lines[last][part.end_col_offset :].strip(b" ,\r\n")
        if lines[first][: part.col_offset].strip() or (behind and not behind.startswith(b"#")):
            raise Unfamiliar(f"line {part.lineno} holds more than one thing")
        lines[first : last + 1] = [b""] * (last + 1 - first)
    return b"".join(lines).decode()


def begins(part: Part) -> int:
    """The number of its first line, which is that of a decorator."""
    match part:
        case (
            ast.ClassDef(decorator_list=[first, *_])
            | ast.FunctionDef(decorator_list=[first, *_])
            | ast.AsyncFunctionDef(decorator_list=[first, *_])
        ):
            return first.lineno
    return part.lineno
