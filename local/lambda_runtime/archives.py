"""Code and layer zips, unpacked once per content."""

from __future__ import annotations

import io
import os
import shutil
import stat
import tempfile
import threading
import zipfile
from pathlib import Path

from local.lambda_runtime.functions import CodeArchive


class ArchiveCache:
    """Keeps each zip unpacked in a directory named after its SHA-256, complete or absent, across processes."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory.resolve()
        self._directory.mkdir(parents=True, exist_ok=True)
        self._locks_lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}

    def unpacked(self, archive: CodeArchive) -> Path:
        """Return the directory of `archive`, unpacking it the first time; a bad zip raises zipfile.BadZipFile."""
        target = self._directory / archive.sha256
        if not target.is_dir():
            with self._lock_of(archive.sha256):
                if not target.is_dir():
                    self._unpack(archive.read(), target)
        return target

    def _lock_of(self, sha256: str) -> threading.Lock:
        with self._locks_lock:
            return self._locks.setdefault(sha256, threading.Lock())

    def _unpack(self, content: bytes, target: Path) -> None:
        partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=self._directory))
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as bundle:
                for member in bundle.infolist():
                    _extract(bundle, member, partial)
            partial.chmod(0o755)
            partial.rename(target)
        except OSError:
            # Another process may have unpacked the same content meanwhile; its result is as good.
            if not target.is_dir():
                raise
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def _extract(bundle: zipfile.ZipFile, member: zipfile.ZipInfo, directory: Path) -> None:
    mode = member.external_attr >> 16
    if stat.S_ISLNK(mode):
        raise zipfile.BadZipFile(f"{member.filename} is a symbolic link, which is not supported here")
    path = bundle.extract(member, directory)
    if mode and not member.is_dir():
        os.chmod(path, stat.S_IMODE(mode) | stat.S_IRUSR)
