"""Folders into zip files whose bytes depend on nothing but names and contents."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold
_MODE: Final = stat.S_IFREG | 0o644


def write_zip(source: Path, destination: Path, compression: int) -> None:
    """Zip the files under `source` into `destination`, compressed as far as a level from 1 to 9 goes."""
    with zipfile.ZipFile(destination, "w") as archive:
        for path in sorted(path for path in source.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(source).as_posix(), _EPOCH)
            entry.external_attr = _MODE << 16
            archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED, compression)


def replace_file(path: Path, content: bytes) -> None:
    """Put another file in a file's place; never write into it, since a package's files may be links to an installer's.

    What they are linked to is its cache, and every environment that it has made.
    """
    path.unlink()
    path.write_bytes(content)


def compile_bytecode(folder: Path, runs_in: str) -> None:
    """Compile every module under `folder`, as seen from `runs_in` on Lambda, never to be checked against its source.

    Lambda's file system is read-only, so that what is not compiled now is compiled at every cold start. The hash seed
    is fixed, and one process compiles all in the order of names, because both show in the bytes.
    """
    subprocess.run(  # noqa: S603 - our own interpreter and folder
        [
            *(sys.executable, "-S", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"),
            *("-s", str(folder), "-p", runs_in, str(folder)),
        ],
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        stdout=sys.stderr,
    )
