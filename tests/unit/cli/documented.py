"""The shapes of documents that docs/command.md promises, and whether a document keeps what it promises."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[3] / "docs" / "command.md"
FREE = frozenset({"labels", "keys", "resource_counts"})
"""Fields whose own fields are named by users, or are statuses."""

OPTIONAL = frozenset({".cost", ".cost_freshness"})
"""Fields that are there once something is known."""


def examples() -> dict[str, Mapping[str, Any]]:
    """The documented example of each schema."""
    blocks = re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return {it["schema"]: it for it in map(json.loads, blocks)}


def shape(document: Any, path: str = "") -> dict[str, str]:
    """The kind of value at each path; nothing for what is null, and for what is inside an empty list."""
    return dict(_shape(document, path))


def departures(document: Mapping[str, Any], *, whole: bool) -> list[str]:
    """Where a document is not as documented; `whole` if it has a value for everything: nothing may be missing."""
    promised, found = shape(examples()[document["schema"]]), shape(document)
    wrong = [f"{path} is a {kind}" for path, kind in found.items() if promised.get(path, "undocumented") != kind]
    nulls = {path for path, value in _leaves(document) if value is None}
    missing = [path for path in promised if path not in found and path not in nulls]
    if whole:
        return wrong + [f"{path} is missing" for path in missing]
    there = [path for path in missing if not path.endswith("[]") and _parent(path) in found and path not in OPTIONAL]
    return wrong + [f"{path} is missing" for path in there]


def _shape(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if value is None:
        return
    if isinstance(value, dict):
        yield path, "object"
        if path.rpartition(".")[2] not in FREE:
            for name, inner in value.items():
                yield from _shape(inner, f"{path}.{name}")
    elif isinstance(value, list):
        yield path, "list"
        for inner in value:
            yield from _shape(inner, f"{path}[]")
    else:
        yield path, "number" if type(value) in (int, float) else type(value).__name__


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, f"{path}[]")
    else:
        yield path, value


def _parent(path: str) -> str:
    return path.rpartition(".")[0]
