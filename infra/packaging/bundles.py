"""Builds each bundle once: a file name that holds the hash of all it was made from is the cache.

A dependency bundle is a Lambda layer (packages under `python/`); the code bundle holds our own `lambdas` package
and the console's page. What most bundles have in common is installed, pruned and compiled once (`parts.py`).
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from infra.packaging.archive import compile_bytecode, write_zip
from infra.packaging.budget import check_size
from infra.packaging.parts import link_into, make_part, pins_of
from infra.packaging.target import Target

ROOT: Final = Path(__file__).resolve().parents[2]
CODE: Final = ROOT / "lambdas"
PAGE: Final = ROOT / "console"
CACHE: Final = ROOT / ".local" / "bundles"

_AT_ONCE: Final = 2
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
    missing = {keys[folder]: path for folder, path in requirements.items() if not _bundle(keys[folder]).exists()}
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        code = pool.submit(_cached, CACHE / f"code-{_code_key(target)}.zip", partial(_zipped, copy_code, target))
        wanted = dict.fromkeys(it for path in missing.values() for it in _wanted(path, target))
        # All parts come first: two bundles that share one would wait for each other.
        list(pool.map(lambda it: _part(it[0], it[1], target), wanted))
        built = {
            key: pool.submit(_cached, _bundle(key), partial(_zipped, fill, target)) for key, fill in installs.items()
        }
        bundles = Bundles(target, code.result(), {folder: built[key].result() for folder, key in keys.items()})
    for folder, dependencies in bundles.dependencies.items():
        check_size(folder, bundles.code, dependencies)
    return bundles


def dependency_key(requirements: Path, target: Target) -> str:
    """Return a hash over all that decides a dependency bundle's bytes."""
    platform = target.uv_platform_of(requirements.parent.name) or ""
    return _hash([requirements.read_bytes(), platform.encode(), *_build(target)])


def install(requirements: Path, target: Target, out: Path) -> None:
    """Fill the empty folder `out` with a layer of exactly the hashed pins in `requirements`, as wheels for `target`.

    Its files are links, to be read only. Raise CalledProcessError for a pin that cannot be installed.
    """
    for pin, uv_platform in _wanted(requirements, target):
        link_into(_part(pin, uv_platform, target), out)


def copy_code(out: Path) -> None:
    """Fill the empty folder `out` with our own package, compiled, and the page that the API serves."""
    for folder in (CODE, PAGE):
        shutil.copytree(folder, out / folder.name, ignore=shutil.ignore_patterns(*_NOT_CODE))
    compile_bytecode(out, _CODE_MOUNT)


def _wanted(requirements: Path, target: Target) -> Iterator[tuple[str, str | None]]:
    """The parts that a layer is made of: each pin with the platform of its wheel."""
    uv_platform = target.uv_platform_of(requirements.parent.name)
    for pin in pins_of(requirements.read_text()):
        yield pin, uv_platform


def _part(pin: str, uv_platform: str | None, target: Target) -> Path:
    key = _hash([pin.encode(), (uv_platform or "").encode(), *_build(target)])
    return _cached(CACHE / "parts" / key, lambda folder: make_part(pin, uv_platform, target.python, folder))


def _bundle(key: str) -> Path:
    return CACHE / f"dependencies-{key}.zip"


def _zipped(fill: Callable[[Path], None], target: Target, archive: Path) -> None:
    """Fill a folder, and write all of it into a zip file."""
    content = archive.with_name("content")
    content.mkdir()
    fill(content)
    write_zip(content, archive, target.compression)


def _cached(made: Path, build: Callable[[Path], None]) -> Path:
    """Return the file or folder, which `build` makes where it is told if it is not there yet."""
    if not made.exists():
        made.parent.mkdir(parents=True, exist_ok=True)
        with _alone(made.with_name(f"{made.stem}.lock")):
            if not made.exists():
                _build_into(made, build)
    return made


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Wait until nobody else on this machine is inside: whoever comes second finds what the first has built."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _build_into(made: Path, build: Callable[[Path], None]) -> None:
    with tempfile.TemporaryDirectory(dir=made.parent, prefix=f"{made.stem}-") as staging:
        unfinished = Path(staging, made.name)
        build(unfinished)
        os.replace(unfinished, made)  # whole or not at all, even when it is interrupted


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
