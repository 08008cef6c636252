"""The descriptions by which botocore makes clients, without the operations that nobody calls.

A client is made from its service's whole description: to read EC2's takes longer than to import botocore, and as much
memory. What is left is word for word what AWS describes.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from infra.packaging.archive import replace_file

OPERATIONS: Final[Mapping[str, frozenset[str]]] = {
    "ec2": frozenset(
        {
            "AttachVolume",
            "CreateVolume",
            "DeleteNetworkInterface",
            "DeleteVolume",
            "DescribeImages",
            "DescribeInstanceTypes",
            "DescribeInstances",
            "DescribeNetworkInterfaces",
            "DescribeRegions",
            "DescribeVolumes",
            "RunInstances",
            "TerminateInstances",
        }
    ),
    "ssm": frozenset({"GetParameters"}),
}
"""What is called of the services whose descriptions are long; a client has no method for another operation."""

_MODEL: Final = "service-2.json.gz"


def prune_descriptions(data: Path) -> None:
    """Leave those operations in botocore's folder `data`, in the newest version of each service's API."""
    for service, operations in OPERATIONS.items():
        *_, newest = sorted((data / service).glob("*/"))
        path = newest / _MODEL
        model = json.loads(gzip.decompress(path.read_bytes()))
        described = json.dumps(_only(model, operations), separators=(",", ":"))
        replace_file(path, gzip.compress(described.encode(), mtime=0))  # the same bytes at every build


def _only(model: dict[str, Any], operations: frozenset[str]) -> dict[str, Any]:
    kept = {name: it for name, it in model["operations"].items() if name in operations}
    needed = _reachable(model["shapes"], _shapes_of(kept))
    return {**model, "operations": kept, "shapes": {name: it for name, it in model["shapes"].items() if name in needed}}


def _reachable(shapes: Mapping[str, Any], first: Iterable[str]) -> set[str]:
    found, ahead = set[str](), set(first)
    while ahead:
        name = ahead.pop()
        found.add(name)
        ahead |= set(_shapes_of(shapes[name])) - found
    return found


def _shapes_of(described: Any) -> Iterable[str]:
    """The names of shapes that a part of a description refers to, each under the key `shape`."""
    if isinstance(described, list):
        for it in described:
            yield from _shapes_of(it)
    elif isinstance(described, dict):
        for key, it in described.items():
            if key == "shape" and isinstance(it, str):
                yield it
            else:
                yield from _shapes_of(it)
