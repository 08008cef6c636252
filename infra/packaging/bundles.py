"""Builds each bundle once: a file name that holds the hash of all it was made from is the cache.

A dependency bundle is a Lambda layer (packages under `python/`); the code bundle holds our own `lambdas` package
and the console's page.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import uv

from infra.packaging.archive import compile_bytecode, write_zip
from infra.packaging.budget import check_size
from infra.packaging.pruning import prune
from infra.packaging.target import Target

ROOT: Final = Path(__file__).resolve().parents[2]
CODE: Final = ROOT / "lambdas"
PAGE: Final = ROOT / "console"
CACHE: Final = ROOT / ".local" / "bundles"

_UV: Final = uv.find_uv_bin()
_AT_ONCE: Final = 2
_LAYER_MOUNT: Final = "/opt"
_CODE_MOUNT: Final = "/var/task"
_NOT_CODE: Final = ("__pycache__", "requirements.*", ".*")


class Bundles(NamedTuple):
    """The zip files of one target: our code, and the dependencies by the folder whose requirements.txt they are.

    Folders with the same requirements share a file: `dependencies["."] == dependencies["aws"]`.
    """

    target: Target
    code: Path
    dependencies: dict[str, Path]


def build_bundles(target: Target) -> Bundles:
    """Build what is missing from the cache and return every bundle.

    Raise CalledProcessError when an install fails, BundleTooLarge when a function would unpack more than its budget.
    """
    requirements = {path.parent.relative_to(CODE).as_posix(): path for path in CODE.rglob("requirements.txt")}
    keys = {folder: dependency_key(path, target) for folder, path in requirements.items()}
    installs = {keys[folder]: partial(install, path, target) for folder, path in requirements.items()}
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        built = {key: pool.submit(_cached, f"dependencies-{key}", build) for key, build in installs.items()}
        code = pool.submit(_cached, f"code-{_code_key(target)}", copy_code)
        bundles = Bundles(target, code.result(), {folder: built[key].result() for folder, key in keys.items()})
    for folder, dependencies in bundles.dependencies.items():
        check_size(folder, bundles.code, dependencies)
    return bundles


def dependency_key(requirements: Path, target: Target) -> str:
    """Return a hash over all that decides a dependency bundle's bytes."""
    platform = target.uv_platform_of(requirements.parent.name) or ""
    return _hash([requirements.read_bytes(), platform.encode(), *_build(target)])


def install(requirements: Path, target: Target, out: Path) -> None:
    """Fill the empty folder `out` with a layer of exactly the hashed pins in `requirements`, as wheels for `target`."""
    packages = out / "python"
    uv_platform = target.uv_platform_of(requirements.parent.name)
    platform = ["--python-platform", uv_platform] if uv_platform else []
    subprocess.run(  # noqa: S603 - the packaged uv, arguments are ours
        [
            *(_UV, "pip", "install", "--quiet", "--python", sys.executable, "--target", str(packages)),
            *("--link-mode", "copy"),  # what is installed is pruned, and must not be part of the cache
            *("--python-version", target.python, *platform, "--only-binary", ":all:", "--require-hashes", "--no-deps"),
            *("-r", str(requirements)),
        ],
        check=True,
        stdout=sys.stderr,
    )
    prune(packages)
    compile_bytecode(out, _LAYER_MOUNT)


def copy_code(out: Path) -> None:
    """Fill the empty folder `out` with our own package, compiled, and the page that the API serves."""
    for folder in (CODE, PAGE):
        shutil.copytree(folder, out / folder.name, ignore=shutil.ignore_patterns(*_NOT_CODE))
    compile_bytecode(out, _CODE_MOUNT)


def _cached(name: str, build: Callable[[Path], None]) -> Path:
    bundle = CACHE / f"{name}.zip"
    if not bundle.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with _alone(CACHE / f"{name}.lock"):
            if not bundle.exists():
                _build_into(bundle, build)
    return bundle


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Wait until nobody else on this machine is inside: whoever comes second finds what the first has built."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _build_into(bundle: Path, build: Callable[[Path], None]) -> None:
    with tempfile.TemporaryDirectory(dir=CACHE, prefix=f"{bundle.stem}-") as staging:
        folder, archive = Path(staging, "content"), Path(staging, bundle.name)
        folder.mkdir()
        build(folder)
        write_zip(folder, archive)
        os.replace(archive, bundle)  # whole or not at all, even when it is interrupted


def _code_key(target: Target) -> str:
    ignored = shutil.ignore_patterns(*_NOT_CODE)
    files = sorted(path for folder in (CODE, PAGE) for path in folder.rglob("*") if path.is_file())
    kept = [path for path in files if not ignored("", list(path.relative_to(ROOT).parts))]
    contents = [part for path in kept for part in (path.relative_to(ROOT).as_posix().encode(), path.read_bytes())]
    return _hash([*contents, *_build(target)])


def _build(target: Target) -> list[bytes]:
    """Return what else a build depends on: the target, the bytecode's format, and how bundles are made."""
    recipe = [path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))]
    return [target.platform.encode(), target.python.encode(), importlib.util.MAGIC_NUMBER, *recipe]


def _hash(parts: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8))
        digest.update(part)
    return digest.hexdigest()[:16]
