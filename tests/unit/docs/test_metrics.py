"""The page of telemetry tells of every metric that the code writes, and of none that nobody does."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
WRITERS = {"gauge", "measure", "_gauge", "_count", "add_metric", "Measured", "Figure"}
METRIC = re.compile(r"[A-Z][a-z]+(?:[A-Z][a-z]+)*")


def modules() -> Iterator[ast.Module]:
    for path in sorted((ROOT / "lambdas").rglob("*.py")):
        yield ast.parse(path.read_text())


def constants() -> dict[str, str]:
    """The texts that modules have names for."""
    return {
        node.target.id: node.value.value
        for module in modules()
        for node in module.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    }


def written() -> set[str]:
    """The names of all metrics: what the calls that write one name first, or what is counted under in a mapping."""
    known, found = constants(), set()
    for module in modules():
        calls = [node for node in ast.walk(module) if isinstance(node, ast.Call) and _name(node.func) in WRITERS]
        named = [first for call in calls for first in _first(call)]
        if calls:
            keys = [key for node in ast.walk(module) if isinstance(node, ast.Dict) for key in node.keys]
            named += [key for key in keys if isinstance(key, ast.Name)]
        found |= {_text(it, known) for it in named}
    return {it for it in found if METRIC.fullmatch(it)}


def _text(expression: ast.expr, known: Mapping[str, str]) -> str:
    """What an expression says, "" where it is neither a text nor the name of one."""
    if isinstance(expression, ast.Constant):
        return str(expression.value)
    return known.get(expression.id, "") if isinstance(expression, ast.Name) else ""


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _first(call: ast.Call) -> list[ast.expr]:
    return [*call.args[:1], *(it.value for it in call.keywords if it.arg in ("name", "metric"))]


def told() -> set[str]:
    page = (ROOT / "docs" / "telemetry.md").read_text()
    return set(re.findall(r"^\| `([A-Z]\w+)` \| (?:count|seconds) \|", page, re.MULTILINE))


def looked_at() -> set[str]:
    """What the deployment's alarms and dashboard name."""
    texts = "\n".join(path.read_text() for path in (ROOT / "infra").rglob("*.py"))
    return {name for name in re.findall(r'"(\w+)"', texts) if METRIC.fullmatch(name)}


def test_every_metric_that_is_written_is_told_of() -> None:
    assert len(written()) > 20
    assert written() - told() == set()


def test_none_is_told_of_that_is_neither_written_nor_looked_at() -> None:
    assert told() - written() - looked_at() == set()
