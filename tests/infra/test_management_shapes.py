"""How Azure's SDKs have to be written to be pruned: another shape is told, and nothing of it is changed."""

from __future__ import annotations

import ast
import os
from pathlib import Path
from typing import Final

import pytest

from infra.packaging import management
from infra.packaging.management import prune_management
from infra.packaging.source import Unfamiliar

SDK: Final = {
    "_client.py": """\
from .operations import (
    DisksOperations,
    SnapshotsOperations,
    _ClientOperationsMixin,
)


class Client(
    _ClientOperationsMixin
):
    def __init__(self, *given):
        self._given = given
        self.disks = DisksOperations(*given)
        self.snapshots = SnapshotsOperations(*given)
""",
    "operations/__init__.py": """\
from ._operations import DisksOperations  # type: ignore
from ._operations import SnapshotsOperations  # type: ignore
from ._operations import _ClientOperationsMixin  # type: ignore

__all__ = [
    "DisksOperations",
    "SnapshotsOperations",
]
""",
    "operations/_operations.py": """\
from .. import models as _models, types as _types

T = int


def build_disks_list_request(): ...


def build_snapshots_list_request(): ...


class _ClientOperationsMixin:
    def check(self) -> _models.Checked: ...


class DisksOperations:
    def __init__(self, *given): ...

    @staticmethod
    def begin_grant_access(given: _types.Access): ...

    def begin_create_or_update(self, disk: _types.Disk | _models.Disk) -> T:
        return self._initial()

    def _initial(self) -> "_models.Put": ...

    def list(self):
        return build_disks_list_request()


class SnapshotsOperations:
    def list(self) -> "_models.Snapshot":
        return build_snapshots_list_request()
""",
    "models/__init__.py": """\
from ._models import (
    Access,
    Checked,
    Disk,
    Encrypted,
    Kept,
    Plain,
    Put,
    Security,
    Snapshot,
)
from ._enums import (
    Kind,
    Tier,
)

__all__ = [
    "Access",
    "Disk",
    "Snapshot",
]
""",
    "models/_models.py": """\
from ._enums import (
    Kind,
)


class Access: ...


class Checked: ...


class Disk:
    kept: "_models.Kept"


class Put:
    security: "_models.Security"


class Security:
    __mapping__: dict = {}
    kind: Kind


class Plain(Security, discriminator="plain"): ...


class Encrypted(Plain, discriminator="encrypted"): ...


class Kept: ...


class Snapshot: ...
""",
    "models/_enums.py": """\
class Kind:
    SNAPSHOT = "Snapshot"


class Tier: ...


class Level: ...
""",
    "types.py": """\
from .models._enums import (
    Level,
)


class Access: ...


class Sku: ...


class Disk:
    sku: "Sku"
    tier: "Tier"
    level: Level


Put = dict("Put")
Put.__doc__ = "What is put."
""",
    "_patch.py": "",
}
"""How an SDK is written, as far as it matters here."""


@pytest.fixture(name="sdks")
def _sdks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with that SDK, of which two operations are used; its files are links, as an installer makes them."""
    monkeypatch.setattr(management, "OPERATIONS", {"compute": {"disks": {"begin_create_or_update", "list"}}})
    for name, source in SDK.items():
        cached, linked = tmp_path / "cache" / name, tmp_path / "sdks" / "compute" / name
        for path in (cached, linked):
            path.parent.mkdir(parents=True, exist_ok=True)
        cached.write_text(source)
        os.link(cached, linked)
    return tmp_path / "sdks"


def sources(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*.py")}


def defined(source: str) -> set[str]:
    found = set[str]()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.Name(id=name, ctx=ast.Store()):
                found.add(name)
            case ast.Attribute(attr=name, ctx=ast.Store()) | ast.alias(name=name):
                found.add(name)
    return found


def test_an_operation_is_left_with_what_it_calls_sends_and_is_answered(sdks: Path) -> None:
    prune_management(sdks)

    left = {path: defined(source) for path, source in sources(sdks / "compute").items()}
    models = {"Disk", "Encrypted", "Kept", "Plain", "Put", "Security"}
    assert left == {
        "_client.py": {"Client", "DisksOperations", "__init__", "_given", "disks"},
        "operations/__init__.py": {"DisksOperations", "__all__"},
        "operations/_operations.py": {
            *{"DisksOperations", "T", "build_disks_list_request", "models", "types"},
            *{"__init__", "_initial", "begin_create_or_update", "list"},
        },
        "models/__init__.py": {*models, "Kind", "__all__"},
        "models/_models.py": {*models, "Kind", "__mapping__", "kept", "kind", "security"},
        "models/_enums.py": {"Kind", "Level", "SNAPSHOT"},
        "types.py": {"Disk", "Level", "level", "sku", "tier"},
        "_patch.py": set(),
    }


def test_what_other_modules_name_is_left(sdks: Path) -> None:
    (sdks / "compute" / "_patch.py").unlink()
    (sdks / "compute" / "_patch.py").write_text("from .models import Snapshot\nspare = Snapshot\n")

    prune_management(sdks)

    assert "Snapshot" in defined((sdks / "compute" / "models" / "_models.py").read_text())


def test_pruning_never_writes_into_a_file_that_may_be_linked_to_an_installers(sdks: Path) -> None:
    prune_management(sdks)

    assert sources(sdks.parent / "cache") == SDK
    assert sources(sdks / "compute") != SDK


@pytest.mark.parametrize(
    ("path", "was", "becomes", "says"),
    [
        ("_client.py", "self.disks = DisksOperations(*given)", "self.disks = None", "no client makes disks"),
        (
            "_client.py",
            "(\n    _ClientOperationsMixin\n)",
            "(_ClientOperationsMixin)",
            "line 8 holds more than one thing",
        ),
        ("operations/_operations.py", "def list(self):", "def list_all(self):", "DisksOperations has no list"),
        ("operations/_operations.py", "class DisksOperations", "class Disks", "DisksOperations has no begin_create"),
        ("operations/_operations.py", "T = int", "T, U = int, int", "operations/_operations.py, line 3"),
        ("operations/_operations.py", "T = int", "T = = int", "invalid syntax"),
        ("models/_models.py", "    __mapping__: dict = {}\n", "", "nothing says what is a Plain"),
        ("models/_enums.py", "class Tier: ...", "x = 1; Tier = 1", "line 5 holds more than one thing"),
        ("types.py", "class Access: ...", "if True:\n    class Access: ...", "types.py, line 6"),
    ],
)
def test_an_sdk_that_is_written_otherwise_is_told_and_left_whole(
    sdks: Path, path: str, was: str, becomes: str, says: str
) -> None:
    other = SDK[path].replace(was, becomes)
    (sdks / "compute" / path).unlink()
    (sdks / "compute" / path).write_text(other)

    with pytest.raises(
        Unfamiliar, match=r"azure\.mgmt\.compute is not written as infra\.packaging\.management"
    ) as told:
        prune_management(sdks)

    assert says in str(told.value)
    assert sources(sdks / "compute") == {**SDK, path: other}


def test_an_sdk_without_a_module_that_it_had_is_told(sdks: Path) -> None:
    (sdks / "compute" / "types.py").unlink()

    with pytest.raises(Unfamiliar, match=r"no types\.py"):
        prune_management(sdks)
