"""What bundles have of the SDKs is the SDKs' own, and all that functions use: a new version that differs fails here."""

from __future__ import annotations

import ast
import gzip
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore
import google.cloud.compute_v1
import pytest
from botocore import xform_name

from infra.packaging.bundles import CODE
from infra.packaging.compute import SERVICES, prune_compute
from infra.packaging.descriptions import OPERATIONS, prune_descriptions
from tests.infra.interpreter import printed

INSTALLED = Path(google.cloud.compute_v1.__file__).parent
DESCRIBED = Path(botocore.__file__).parent / "data"

# every message with its fields and every enumeration with its values, as protobuf describes them, and all methods
TOLD = """
import json, sys
import proto
from google.cloud import compute_v1
told = {}
for name in compute_v1.__all__:
    it = getattr(compute_v1, name)
    if issubclass(it, proto.Message):
        told[name] = str([
            (f.name, f.number, f.type, *(kind.full_name for kind in (f.message_type, f.enum_type) if kind))
            for f in it.pb().DESCRIPTOR.fields
        ])
    elif issubclass(it, proto.Enum):
        told[name] = str(list(it))
    else:
        told[name] = str(sorted(method for method in dir(it) if not method.startswith("_")))
json.dump(told, sys.stdout)
"""


def told(*path: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads(printed(TOLD, *path))
    return found


def test_what_is_left_of_compute_engine_is_as_the_sdk_has_it_and_a_small_part(layers: dict[str, Path]) -> None:
    whole, pruned = told(INSTALLED.parents[2]), told(layers["gcp"])

    assert {name: whole[name] for name in pruned} == pruned
    assert 100 < len(pruned) < len(whole) / 4


def test_all_that_the_code_imports_of_compute_engine_is_left(layers: dict[str, Path]) -> None:
    imported = {
        alias.name
        for path in (CODE / "gcp").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module == "google.cloud.compute_v1"
        for alias in node.names
    }

    assert "InstancesClient" in imported
    assert imported <= told(layers["gcp"]).keys()


@pytest.mark.parametrize("change", ["a service is missing", "two classes in a line", "no Python"])
def test_a_compute_engine_sdk_that_is_written_otherwise_is_left_whole(tmp_path: Path, change: str) -> None:
    package = tmp_path / "compute_v1"
    (package / "types").mkdir(parents=True)
    for service in (*SERVICES, "addresses"):
        (package / "services" / service).mkdir(parents=True)
    if change == "a service is missing":
        (package / "services" / "zones").rmdir()
    messages = {"two classes in a line": "x = 1; y = ['Unused']\nclass Unused: pass\n", "no Python": "class\n"}
    for path, source in (
        ("__init__.py", ""),
        ("types/__init__.py", ""),
        ("types/compute.py", messages.get(change, "")),
    ):
        (package / path).write_text(source)
    before = {path: path.read_text() for path in package.rglob("*.py")}

    prune_compute(package)

    assert {path: path.read_text() for path in package.rglob("*.py")} == before
    assert (package / "services" / "addresses").exists()


def test_what_is_left_of_a_description_is_as_aws_describes_it(layers: dict[str, Path]) -> None:
    for service, operations in OPERATIONS.items():
        pruned, whole = (model(data, service) for data in (layers["aws"] / "botocore" / "data", DESCRIBED))

        assert pruned["operations"] == {name: whole["operations"][name] for name in operations}
        assert pruned["shapes"] == {name: whole["shapes"][name] for name in pruned["shapes"]}
        assert set(shapes_of([pruned["operations"], pruned["shapes"]])) == pruned["shapes"].keys()


def model(data: Path, service: str) -> dict[str, Any]:
    *_, newest = sorted((data / service).glob("*/"))
    described: dict[str, Any] = json.loads(gzip.decompress((newest / "service-2.json.gz").read_bytes()))
    return described


def shapes_of(described: Any) -> Iterator[str]:
    for key, it in described.items() if isinstance(described, dict) else enumerate(described):
        if key == "shape" and isinstance(it, str):
            yield it
        elif isinstance(it, dict | list):
            yield from shapes_of(it)


def test_exactly_the_operations_that_are_called_are_left() -> None:
    written = {
        node.attr if isinstance(node, ast.Attribute) else node.value
        for path in CODE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
    }
    for service, operations in OPERATIONS.items():
        assert {it for it in model(DESCRIBED, service)["operations"] if xform_name(it) in written} == operations


def test_pruning_never_writes_into_a_file_that_may_be_linked_to_an_installers(tmp_path: Path) -> None:
    cache, linked = tmp_path / "cache", tmp_path / "linked"
    for service in OPERATIONS:
        shutil.copytree(DESCRIBED / service, cache / service)
    shutil.copytree(cache, linked, copy_function=os.link)
    before = {path: path.read_bytes() for path in cache.rglob("*") if path.is_file()}

    prune_descriptions(linked)

    assert {path: path.read_bytes() for path in before} == before
    assert model(linked, "ec2") != model(cache, "ec2")
