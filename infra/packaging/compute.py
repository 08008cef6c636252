"""Google's Compute Engine SDK without the services and the messages that no function uses.

The SDK defines two thousand messages when it is imported, of which the services used here are made of a tenth. What is
left is the SDK's own source, less whole statements and entries of lists, so that whoever imports it does so plainly.
"""

from __future__ import annotations

import ast
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from infra.packaging.archive import replace_file
from infra.packaging.source import Part, Unfamiliar, names, reachable, without

SERVICES: Final = frozenset({"disks", "instances", "machine_types", "regions", "zone_operations", "zones"})
"""The services that `lambdas/gcp/clients.py` has clients of; the others are 50 MB."""

Dropped = Callable[[str], bool]


def prune_compute(package: Path) -> None:
    """Leave those services in the package `compute_v1`; where it is not written as it was, leave it as it is."""
    try:
        pruned = _pruned(package)
    except (OSError, SyntaxError, Unfamiliar):
        return  # it works, and is too slow and too large, which the budgets tell
    for path, source in pruned.items():
        replace_file(path, source.encode())
    for folder in (package / "services").glob("*/"):
        if folder.name not in SERVICES:
            shutil.rmtree(folder)


def _pruned(package: Path) -> dict[Path, str]:
    """The new source of each module that changes."""
    messages, listing, front = (
        package / "types" / "compute.py",
        package / "types" / "__init__.py",
        package / "__init__.py",
    )
    defined = {it.name: it for it in ast.parse(messages.read_text()).body if isinstance(it, ast.ClassDef)}
    services = [path for name in SERVICES for path in _existing(package / "services" / name).rglob("*.py")]
    used = {name for path in services for name in names(ast.parse(path.read_text()))}
    # A field names its message in text or by its class.
    kept = reachable(defined, lambda name: names(defined[name]), used)
    clients = set(_clients(ast.parse(front.read_text())))

    def dropped(name: str) -> bool:
        return name in defined.keys() - kept or name in clients

    return {path: _without(path.read_text(), dropped) for path in (messages, listing, front)}


def _existing(folder: Path) -> Path:
    if not folder.is_dir():
        raise Unfamiliar(folder)
    return folder


def _clients(front: ast.Module) -> Iterator[str]:
    """The names that the package imports from services which are not kept."""
    kept = {f"services.{name}" for name in SERVICES}
    for node in front.body:
        match node:
            case ast.ImportFrom(module=str(module)) if module.startswith("services.") and module not in kept:
                yield from (it.name for it in node.names)


def _without(source: str, dropped: Dropped) -> str:
    """The source without the classes, imports and listed names that are dropped; raises Unfamiliar."""
    return without(source, [part for node in ast.parse(source).body for part in _parts(node, dropped)])


def _parts(node: ast.stmt, dropped: Dropped) -> Iterator[Part]:
    match node:
        case ast.ClassDef(name=name) if dropped(name):
            yield node
        case ast.ImportFrom(names=imported):
            gone = [it for it in imported if dropped(it.name)]
            yield from [node] if len(gone) == len(imported) else gone
        case ast.Assign(value=value):
            for it in ast.walk(value):
                if isinstance(it, ast.Constant) and isinstance(it.value, str) and dropped(it.value):
                    yield it
