"""Azure's management SDKs without the operations that no function uses.

Whoever makes a client makes every group of its operations, and whoever imports it defines all that any of them sends or
is answered. What is left is the SDK's own source, less whole statements and entries of lists, so that whoever imports
it does so plainly: the operations that are named here, and what they are made of. A client has no attribute for others.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from infra.packaging.archive import replace_file
from infra.packaging.source import Part, Unfamiliar, reachable, without

Groups = Mapping[str, frozenset[str]]
Modules = Mapping[str, ast.Module]

_RESOURCE: Final = frozenset({"begin_create_or_update", "begin_delete", "get"})

OPERATIONS: Final[Mapping[str, Groups]] = {
    "compute": {
        "disks": _RESOURCE | {"list"},
        "resource_skus": frozenset({"list"}),
        "usage": frozenset({"list"}),
        "virtual_machines": _RESOURCE | {"list_all"},
    },
    "costmanagement": {"query": frozenset({"usage"})},
    "network": {
        "network_interfaces": _RESOURCE | {"list_all"},
        "public_ip_addresses": _RESOURCE | {"list_all"},
        "usages": frozenset({"list"}),
    },
}
"""What functions use: by package of `azure.mgmt`, and by attribute of its client."""

_CLIENT: Final = "_client.py"
_OPERATIONS: Final = "operations/_operations.py"
_MODELS: Final = "models/_models.py"
_ENUMERATIONS: Final = "models/_enums.py"
_TYPES: Final = "types.py"
_DEFINING: Final = (_OPERATIONS, _MODELS, _ENUMERATIONS, _TYPES)
_LISTING: Final = ("operations/__init__.py", "models/__init__.py")


def prune_management(sdks: Path) -> None:
    """Leave those operations in the packages that the folder `azure/mgmt` has.

    Raises Unfamiliar where one is not written as it was, and changes nothing of it. To go on would not be noticed: what
    the SDK finds no model for, it leaves as it was answered.
    """
    for name, groups in OPERATIONS.items():
        package = sdks / name
        if package.exists():
            try:
                pruned = _pruned(package, groups)
            except (Unfamiliar, SyntaxError) as error:
                raise Unfamiliar(f"azure.mgmt.{name} is not written as {__name__} expects: {error}") from error
            for path, source in pruned.items():
                replace_file(path, source.encode())


def _pruned(package: Path, groups: Groups) -> dict[Path, str]:
    """The new source of each module that changes."""
    sources = {it.relative_to(package).as_posix(): it.read_text() for it in package.rglob("*.py")}
    if missing := {_CLIENT, *_DEFINING, *_LISTING} - sources.keys():
        raise Unfamiliar(f"no {', '.join(sorted(missing))}")
    client, operations = ast.parse(sources[_CLIENT]), ast.parse(sources[_OPERATIONS])
    sources[_CLIENT] = without(sources[_CLIENT], _other_groups(client, groups))
    sources[_OPERATIONS] = without(sources[_OPERATIONS], _other_operations(operations, _classes(client, groups)))
    modules = {path: ast.parse(source) for path, source in sources.items()}
    dropped = _dropped(modules)
    for path in (*_DEFINING, *_LISTING):
        sources[path] = without(sources[path], _parts(path, modules[path], dropped))
    return {package / path: sources[path] for path in (_CLIENT, *_DEFINING, *_LISTING)}


def _classes(client: ast.Module, groups: Groups) -> Groups:
    """The operations by the class that the client makes their group of."""
    made = {group: kind for group, kind, _ in _made(client)}
    if missing := groups.keys() - made.keys():
        raise Unfamiliar(f"no client makes {', '.join(sorted(missing))}")
    return {made[group]: operations for group, operations in groups.items()}


def _made(client: ast.Module) -> Iterator[tuple[str, str, ast.stmt]]:
    """Each attribute that is made for a client, of which class, and the statement that makes it."""
    for node in ast.walk(client):
        match node:
            case ast.Assign(
                targets=[ast.Attribute(value=ast.Name(id="self"), attr=name)], value=ast.Call(func=ast.Name(id=kind))
            ):
                yield name, kind, node


def _other_groups(client: ast.Module, groups: Groups) -> Iterator[Part]:
    """What the client's module has of other groups, and of operations of its own, which it inherits."""
    imported = {
        it.name: it
        for node in client.body
        if isinstance(node, ast.ImportFrom) and (node.level, node.module) == (1, "operations")
        for it in node.names
    }
    others = imported.keys() - _classes(client, groups).keys()
    yield from (imported[name] for name in others)
    yield from (node for _, kind, node in _made(client) if kind in others)
    for node in client.body:
        if isinstance(node, ast.ClassDef):
            yield from (it for it in node.bases if isinstance(it, ast.Name) and it.id in others)


def _other_operations(module: ast.Module, classes: Groups) -> Iterator[Part]:
    """The methods of those classes that none of their operations calls."""
    defined = {node.name: node for node in module.body if isinstance(node, ast.ClassDef)}
    for name, operations in classes.items():
        methods = [node for node in defined[name].body if isinstance(node, ast.FunctionDef)] if name in defined else []
        calls = defaultdict[str, set[str]](set)  # an operation and its overloads are several methods
        for method in methods:
            calls[method.name].update(_own(method))
        if missing := operations - calls.keys():
            raise Unfamiliar(f"{name} has no {', '.join(sorted(missing))}")
        used = reachable(calls, calls.__getitem__, {"__init__", *operations})
        yield from (method for method in methods if method.name not in used)


def _own(method: ast.FunctionDef) -> Iterator[str]:
    for node in ast.walk(method):
        match node:
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                yield name


def _dropped(modules: Modules) -> set[str]:
    """What is defined, and what nobody comes to who begins at the client and other modules that stay as they are."""
    defined = _definitions(modules)
    extensions = _extensions(modules[_MODELS])

    def named(name: str) -> Iterator[str]:
        yield from extensions.get(name, ())
        for path, node in defined[name]:
            yield from _names(path, node)

    first = [it for path, tree in modules.items() if path not in (*_DEFINING, *_LISTING) for it in _names(path, tree)]
    return defined.keys() - reachable(defined, named, first)


def _definitions(modules: Modules) -> dict[str, list[tuple[str, ast.stmt]]]:
    """The statements that define something, and the module of each, by what they define."""
    found = defaultdict[str, list[tuple[str, ast.stmt]]](list)
    for path in _DEFINING:
        for node in modules[path].body:
            match node:
                case ast.Import() | ast.ImportFrom() | ast.If(test=ast.Name(id="TYPE_CHECKING")):
                    pass
                case _:
                    if (name := _defined_by(node)) is None:
                        raise Unfamiliar(f"{path}, line {node.lineno}")
                    found[_named(path, name)].append((path, node))
    return found


def _defined_by(node: ast.stmt) -> str | None:
    match node:
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
            return name
        case ast.Assign(targets=[ast.Name(id=name) | ast.Attribute(value=ast.Name(id=name))]):
            return name
    return None


def _named(path: str, name: str) -> str:
    """As others name it: what is sent may be a model, or a mapping of a type that has the model's name."""
    return f"_types.{name}" if path == _TYPES else name


def _names(path: str, tree: ast.AST) -> Iterator[str]:
    """All that may be meant by some source.

    Models quote each other, and are found by name when they are first used. Types do so for type checkers, and have not
    even imported what they quote; the texts of enumerations are values.
    """
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="_types"), attr=name):
                yield _named(_TYPES, name)
            case ast.Attribute(attr=name):
                yield name
            case ast.Name(id=name):
                yield from (name, _named(path, name))
            case ast.Constant(value=str(text)) if path not in (_TYPES, _ENUMERATIONS):
                yield text.rpartition(".")[2]


def _extensions(models: ast.Module) -> dict[str, set[str]]:
    """By model, those that extend it, where an answer says by a field's value which of them it is."""
    found: dict[str, set[str]] = {}
    for node in models.body:
        if isinstance(node, ast.ClassDef):
            extended = [found[it.id] for it in node.bases if isinstance(it, ast.Name) and it.id in found]
            for extensions in extended:
                extensions.add(node.name)
            if extended or any(_maps(it) for it in node.body):
                found[node.name] = set()
            elif any(it.arg == "discriminator" for it in node.keywords):
                raise Unfamiliar(f"nothing says what is a {node.name}")
    return found


def _maps(node: ast.stmt) -> bool:
    return isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == "__mapping__"


def _parts(path: str, module: ast.Module, dropped: set[str]) -> Iterator[Part]:
    """The statements, imports and listed names that are dropped from a module."""
    for node in module.body:
        match node:
            case ast.ImportFrom(level=level, names=imported) if level:
                gone = [it for it in imported if it.name in dropped]
                yield from [node] if len(gone) == len(imported) else gone
            case ast.Assign(targets=[ast.Name(id="__all__")], value=ast.List(elts=listed)):
                yield from (it for it in listed if isinstance(it, ast.Constant) and it.value in dropped)
            case _ if (name := _defined_by(node)) and _named(path, name) in dropped:
                yield node
