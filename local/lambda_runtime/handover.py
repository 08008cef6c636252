"""Deployed functions on their way to a runtime in another process: one JSON document, the code unpacked beforehand."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from local.lambda_runtime.archives import ArchiveCache
from local.lambda_runtime.errors import FunctionNotFound
from local.lambda_runtime.functions import (
    AsynchronousPolicy,
    CodeArchive,
    DeployedFunction,
    FunctionSource,
    RoutedVersion,
)
from local.lambda_runtime.reference import LATEST, FunctionReference


def hand_over(
    file: Path, source: FunctionSource, names: Iterable[str], environment: Mapping[str, str], cache_dir: Path
) -> None:
    """Write what the functions of these names are now, and the `environment` that is put over theirs.

    A name may have a qualifier. The code is unpacked into the runtime's `cache_dir`, where the other process finds it.
    """
    archives = ArchiveCache(cache_dir / "tasks")
    functions: dict[str, list[dict[str, Any]]] = {}
    for name in names:
        reference = FunctionReference.parse(name)
        routed = source.resolve(reference)
        for version in routed:
            for archive in (version.function.code, *version.function.layers):
                archives.unpacked(archive)
        functions[_key(reference)] = [_document(version) for version in routed]
    file.write_text(json.dumps({"environment": dict(environment), "functions": functions}))


class HandedOver:
    """The functions, and the environment from outside, of such a document."""

    def __init__(self, file: Path) -> None:
        document = json.loads(file.read_text())
        self.environment: dict[str, str] = document["environment"]
        self._functions = {key: [_version(it) for it in routed] for key, routed in document["functions"].items()}

    def resolve(self, reference: FunctionReference) -> Sequence[RoutedVersion]:
        """Return the versions a call may reach; raises FunctionNotFound for what was not handed over."""
        try:
            return self._functions[_key(reference)]
        except KeyError:
            raise FunctionNotFound(f"Function not found: {_key(reference)}") from None


def _key(reference: FunctionReference) -> str:
    return f"{reference.name}:{reference.qualifier or LATEST}"


def _document(version: RoutedVersion) -> dict[str, Any]:
    function = version.function
    # Field by field: asdict would copy what reads the archives.
    plain = {name: value for name, value in vars(function).items() if name not in ("code", "layers", "asynchronous")}
    return {
        **plain,
        "environment": dict(function.environment),
        "code": function.code.sha256,
        "layers": [layer.sha256 for layer in function.layers],
        "asynchronous": asdict(function.asynchronous),
        "share": version.share,
    }


def _version(document: dict[str, Any]) -> RoutedVersion:
    fields = {
        **document,
        "code": _unpacked(document["code"]),
        "layers": tuple(_unpacked(layer) for layer in document["layers"]),
        "asynchronous": AsynchronousPolicy(**document["asynchronous"]),
    }
    share = fields.pop("share")
    return RoutedVersion(DeployedFunction(**fields), share)


def _unpacked(sha256: str) -> CodeArchive:
    def read() -> bytes:
        raise FileNotFoundError(f"the code {sha256} was unpacked when it was handed over, and is gone from the cache")

    return CodeArchive(sha256, read)
