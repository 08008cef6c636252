"""Imports of packages put off until somebody needs what they import, as `lazy import` of Python 3.15 will.

Much of what a function imports it never uses: an event loop for coroutines that it does not have, the reading of
certificates that it does not sign in with, the writing of documentation. All of it is there as before, only later:
inside the functions that name it, or when somebody asks a package for what it passes on from its modules.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Set
from functools import partial
from pathlib import Path
from typing import Final

from infra.packaging.archive import replace_file
from infra.packaging.source import Unfamiliar, begins, without

IMPORTS: Final[Mapping[str, Set[str]]] = {
    "azure/identity/_credentials/certificate.py": {"cryptography"},
    "azure/identity/_internal/aadclient_certificate.py": {"cryptography"},
    "azure/mgmt/core/policies/_base_async.py": {"asyncio"},
    "boto3/docs/__init__.py": {"boto3.docs"},
    "boto3/docs/docstring.py": {"boto3.docs"},
    "botocore/docs/__init__.py": {"botocore.docs"},
    "botocore/docs/docstring.py": {"botocore.docs"},
    "wrapt/synchronization.py": {"asyncio"},
}
"""By module, the packages that its functions import instead. What a first call needs is not among them: on Lambda,
whatever is imported before it has a whole processor."""

PASSING_ON: Final = ("aws_lambda_powertools/event_handler", "aws_lambda_powertools/utilities/data_classes")
"""Packages that pass on what most of their modules define, of which a function needs one or two."""

_ON_DEMAND: Final = """

_ON_DEMAND = {modules!r}


def __getattr__(name):
    if name not in _ON_DEMAND:
        raise AttributeError(f"module {{__name__!r}} has no attribute {{name!r}}")
    from importlib import import_module

    found = globals()[name] = getattr(import_module(_ON_DEMAND[name], __name__), name)
    return found
"""

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Import = ast.Import | ast.ImportFrom


def defer_imports(site_packages: Path) -> None:
    """Put off what modules in a folder of installed packages import; one that is not written as it was stays as it is.

    It works, and is slower to import, which the budgets of cold starts tell.
    """
    for name, packages in IMPORTS.items():
        _rewrite(site_packages / name, partial(inside_functions, packages=packages))
    for name in PASSING_ON:
        _rewrite(site_packages / name / "__init__.py", on_demand)


def _rewrite(path: Path, deferring: Callable[[str], str]) -> None:
    if path.exists():
        try:
            source = deferring(path.read_text())
        except (SyntaxError, Unfamiliar):
            return
        replace_file(path, source.encode())


def inside_functions(source: str, packages: Set[str]) -> str:
    """The source, in which functions import by themselves what they name of some packages.

    Raises Unfamiliar where something names it that is evaluated together with the module, or a function means another.
    """
    module = ast.parse(source)
    statements = {_bound(alias): text for node in _imports(module, packages) for alias, text in _one_by_one(node)}
    if not statements or statements.keys() & _names(_evaluated(module)):
        raise Unfamiliar(f"{', '.join(packages)} is not imported for functions alone")
    lines = source.encode().splitlines(keepends=True)  # as the parser counts lines and columns
    for function in sorted(_functions(module), key=lambda it: it.lineno, reverse=True):
        needed = statements.keys() & _names(ast.walk(function))
        if needed & _assigned(function):
            raise Unfamiliar(f"line {function.lineno} means another {', '.join(needed)}")
        if needed:
            lines = _inserted(lines, _first(function), [statements[name] for name in sorted(needed)])
    longer = b"".join(lines).decode()
    return without(longer, _imports(ast.parse(longer), packages))


def on_demand(source: str) -> str:
    """The source of a package, which imports what it only passes on from its modules when somebody asks for it.

    Raises Unfamiliar where there is nothing of that kind, or where the package answers for what it has not by itself.
    """
    module = ast.parse(source)
    own = _names(ast.walk(module))
    deferred = [it for it in module.body if isinstance(it, ast.ImportFrom) and _passes_on(it, own)]
    if not deferred or any(it.name == "__getattr__" for it in _functions(module)):
        raise Unfamiliar("a package that passes on nothing, or already on demand")
    modules = {alias.name: "." * it.level + (it.module or "") for it in deferred for alias in it.names}
    return without(source, deferred) + _ON_DEMAND.format(modules=modules)


def _passes_on(node: ast.ImportFrom, own: Container[str]) -> bool:
    """Whether a statement imports nothing but what others come for: no other module, and nothing named like its own.

    Once that is imported by anybody, the package has it by this name.
    """
    module = (node.module or "").rpartition(".")[2]
    return module != "__future__" and not any(it.asname or it.name == module or it.name in own for it in node.names)


def _imports(module: ast.Module, packages: Set[str]) -> Iterator[_Import]:
    for node in module.body:
        match node:
            case ast.Import(names=[ast.alias(name=name)]) | ast.ImportFrom(module=str(name), level=0):
                if any(f"{name}.".startswith(f"{package}.") for package in packages):
                    yield node


def _one_by_one(node: _Import) -> Iterator[tuple[ast.alias, str]]:
    """Each name that a statement imports, and a statement for it alone."""
    for alias in node.names:
        alone = ast.Import([alias]) if isinstance(node, ast.Import) else ast.ImportFrom(node.module, [alias], 0)
        yield alias, ast.unparse(alone)


def _bound(alias: ast.alias) -> str:
    return alias.asname or alias.name.partition(".")[0]


def _evaluated(node: ast.AST) -> Iterator[ast.AST]:
    """All that is evaluated together with some source: of a function, what it is defined with."""
    yield node
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            parts = [*node.decorator_list, node.args, *([node.returns] if node.returns else ())]
        case _:
            parts = list(ast.iter_child_nodes(node))
    for part in parts:
        yield from _evaluated(part)


def _functions(module: ast.Module) -> list[_Function]:
    """The functions and methods that are in no other function."""
    return [it for it in _evaluated(module) if isinstance(it, _Function)]


def _names(nodes: Iterable[ast.AST]) -> set[str]:
    return {it.id for it in nodes if isinstance(it, ast.Name)}


def _assigned(function: _Function) -> set[str]:
    """What a function means by a name that it may have from elsewhere."""
    stored = {it.id for it in ast.walk(function) if isinstance(it, ast.Name) and isinstance(it.ctx, ast.Store)}
    return stored | {it.arg for it in ast.walk(function) if isinstance(it, ast.arg)}


def _first(function: _Function) -> ast.stmt:
    """The first statement of a function, behind its docstring."""
    return function.body[1 if ast.get_docstring(function, clean=False) is not None and function.body[1:] else 0]


def _inserted(lines: list[bytes], before: ast.stmt, statements: Iterable[str]) -> list[bytes]:
    """The lines with some statements before another one, which has a line for itself."""
    line = begins(before) - 1
    indentation = lines[line][: before.col_offset]
    if indentation.strip():
        raise Unfamiliar(f"line {before.lineno} holds more than one thing")
    return [*lines[:line], *(indentation + f"{it}\n".encode() for it in statements), *lines[line:]]
