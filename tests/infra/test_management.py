"""What bundles have of Azure's SDKs is the SDKs' own, and all that functions use: another version may fail here."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import azure.core
import pytest

from infra.packaging.bundles import CODE
from infra.packaging.management import OPERATIONS
from lambdas.azure.parts import Collection

INSTALLED: Final = Path(azure.core.__file__).parents[2]

# Every model as it is when it is first used, with what it reads each field by, what else an answer may turn out to be,
# every enumeration, what else is sent, all operations, and what code names that is not there.
TOLD: Final = """
import builtins, dis, importlib, inspect, json, sys
from functools import partial
from types import CodeType, FunctionType

def described(it):
    if isinstance(it, partial):
        return [it.func.__name__, *map(described, it.args)]
    if isinstance(it, (list, tuple)):
        return [*map(described, it)]
    return it.__qualname__ if isinstance(it, (type, FunctionType)) else repr(it)

def read_by(model):
    model.__new__(model)
    fields = {
        name: [it._rest_name, it._visibility, it._is_discriminator, it._format, described(it._type)]
        for name, it in model._attr_to_rest_field.items()
    }
    return {"fields": fields, "kinds": {key: it.__name__ for key, it in getattr(model, "__mapping__", {}).items()}}

def functions(module):
    for it in vars(module).values():
        if getattr(it, "__module__", None) == module.__name__:
            yield from (inspect.unwrap(each) for each in [it, *vars(it).values()] if isinstance(each, FunctionType))

def gone(code, names):
    found = None
    for it in dis.get_instructions(code):
        if it.opname == "LOAD_GLOBAL":
            found = names.get(it.argval, getattr(builtins, it.argval, None))
            if it.argval not in names and not hasattr(builtins, it.argval):
                yield it.argval
        elif it.opname == "LOAD_ATTR" and inspect.ismodule(found) and not hasattr(found, it.argval):
            yield f"{found.__name__}.{it.argval}"
        elif it.opname != "CACHE":
            found = None
    for it in code.co_consts:
        if isinstance(it, CodeType):
            yield from gone(it, names)

class Credential:
    def get_token(self, *scopes, **options):
        raise NotImplementedError

told = {}
for package, (client, *arguments) in json.loads(sys.argv[1]).items():
    sdk = importlib.import_module(f"azure.mgmt.{package}")
    made = getattr(sdk, client)(Credential(), *arguments)
    groups = {name: it for name, it in vars(made).items() if not name.startswith("_")}
    models = {name: getattr(sdk.models, name) for name in sdk.models.__all__}
    operations = importlib.import_module(f"azure.mgmt.{package}.operations._operations")
    told[package] = {
        "models": {name: read_by(it) for name, it in models.items() if hasattr(it, "_is_model")},
        "enumerations": {name: str([*it]) for name, it in models.items() if not hasattr(it, "_is_model")},
        "types": {
            name: str(sorted(it.__annotations__.items()))
            for name, it in vars(sdk.types).items()
            if hasattr(it, "__required_keys__")
        },
        "groups": {
            group: {
                name: str(inspect.signature(getattr(it, name)))
                for name in dir(it)
                if not name.startswith("_")
            }
            for group, it in groups.items()
        },
        "own": [name for name in dir(made) if not name.startswith("_")],
        "gone": [name for it in functions(operations) for name in gone(it.__code__, vars(operations))],
    }
json.dump(told, sys.stdout)
"""
CLIENTS: Final = {
    "compute": ["ComputeManagementClient", "a subscription"],
    "costmanagement": ["CostManagementClient"],
    "network": ["NetworkManagementClient", "a subscription"],
}
"""The client of each package, and what it is made with beside a credential."""

ATTRIBUTES: Final = {"compute": "compute", "cost_management": "costmanagement", "network": "network"}
"""By the attributes of our own clients, what they are clients of."""

Told = dict[str, dict[str, Any]]


def ran(program: str, *path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-S", "-P", "-c", program, json.dumps(CLIENTS)],
        env={"PYTHONPATH": os.pathsep.join(map(str, path))},
        check=False,
        capture_output=True,
        text=True,
    )


def told(path: Path) -> Told:
    answered = ran(TOLD, path)
    assert answered.returncode == 0, answered.stderr
    found: Told = json.loads(answered.stdout)
    return found


@pytest.fixture(name="pruned", scope="module")
def _pruned(layers: dict[str, Path]) -> Told:
    return told(layers["azure"])


@pytest.fixture(name="whole", scope="module")
def _whole() -> Told:
    return told(INSTALLED)


@pytest.mark.parametrize("package", OPERATIONS)
@pytest.mark.parametrize("kind", ["models", "enumerations", "types"])
def test_what_is_left_is_as_the_sdk_has_it_and_a_part_of_it(whole: Told, pruned: Told, package: str, kind: str) -> None:
    left, everything = pruned[package][kind], whole[package][kind]

    assert {name: everything[name] for name in left} == left
    assert 0 < len(left) < len(everything) / 2


@pytest.mark.parametrize("package", OPERATIONS)
def test_exactly_the_operations_that_are_named_are_left_as_the_sdk_has_them(
    whole: Told, pruned: Told, package: str
) -> None:
    left = pruned[package]["groups"]

    assert {group: {*operations} for group, operations in left.items()} == OPERATIONS[package]
    for group, operations in left.items():
        assert {name: whole[package]["groups"][group][name] for name in operations} == operations
    assert {*pruned[package]["own"]} == {"close", "send_request", *left}


@pytest.mark.parametrize("package", OPERATIONS)
def test_nothing_that_is_left_names_what_is_gone(pruned: Told, package: str) -> None:
    assert pruned[package]["gone"] == []


def test_exactly_the_operations_that_are_called_are_named() -> None:
    called = defaultdict[str, dict[str, set[str]]](dict)
    for path in (CODE / "azure").rglob("*.py"):
        for package, group, operation in calls(ast.parse(path.read_text())):
            called[package].setdefault(group, set()).update(operation)

    assert called == OPERATIONS


def calls(tree: ast.AST) -> Iterator[tuple[str, str, set[str]]]:
    """Every package and group that is named, with the operation, or with those of a resource if it is passed on."""
    called = set[ast.expr]()
    for node in ast.walk(tree):  # outer attributes come first
        match node:
            case ast.Attribute(value=ast.Attribute(value=ast.Attribute(attr=client), attr=group) as of, attr=operation):
                called.add(of)
                if client in ATTRIBUTES:
                    yield ATTRIBUTES[client], group, {operation}
            case ast.Attribute(value=ast.Attribute(attr=client), attr=group) if client in ATTRIBUTES:
                if node not in called:
                    yield ATTRIBUTES[client], group, {name for name in vars(Collection) if not name.startswith("_")}


@pytest.mark.parametrize(
    ("used", "says"),
    [
        ("client.snapshots", "'ComputeManagementClient' object has no attribute 'snapshots'"),
        ("client.disks.begin_grant_access", "'DisksOperations' object has no attribute 'begin_grant_access'"),
        ("compute.models.Snapshot", "module 'azure.mgmt.compute.models' has no attribute 'Snapshot'"),
    ],
)
def test_what_is_not_named_is_not_there_and_says_so(layers: dict[str, Path], used: str, says: str) -> None:
    made = (
        "from azure.mgmt import compute; client = compute.ComputeManagementClient(type('C', (), {'get_token': 0}), 's')"
    )

    whole, pruned = (ran(f"{made}; {used}", path) for path in (INSTALLED, layers["azure"]))

    assert (whole.returncode, pruned.returncode) == (0, 1)
    assert says in pruned.stderr.splitlines()[-1]
