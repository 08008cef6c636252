"""Objects of S3 on disk: fetched once for each ETag, and kept as long as they are listed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

_FETCHERS: Final = 4


class StoredFile(NamedTuple):
    """An object on disk, and the partition that its key says: `source=a/billing_period=b`, in order."""

    path: Path
    partition: tuple[tuple[str, str], ...]


class _Object(NamedTuple):
    bucket: str
    key: str
    etag: str


class Files:
    """A cache below a folder; safe to use from several threads."""

    def __init__(self, client: Callable[[str], Any], folder: Path) -> None:
        self._client = client
        self._folder = folder
        self._lock = Lock()

    def below(self, location: str) -> list[StoredFile]:
        """Every object below `s3://bucket/prefix/`, by key; raises ClientError."""
        parts = urlsplit(location)
        bucket, prefix = parts.netloc, parts.path.lstrip("/")
        s3 = self._client("s3")
        listed = sorted(_objects(s3, bucket, prefix))
        with self._lock, ThreadPoolExecutor(_FETCHERS) as fetchers:
            paths = list(fetchers.map(lambda it: self._fetched(s3, it), listed))
        return [StoredFile(path, _partition(it.key, prefix)) for it, path in zip(listed, paths, strict=True)]

    def _fetched(self, s3: Any, wanted: _Object) -> Path:
        # The name says which object of which content it is, and nothing that a key may hold.
        name = hashlib.sha256("\0".join(wanted).encode()).hexdigest()
        path = self._folder / f"{name}.parquet"
        if not path.exists():
            partial = path.with_suffix(".partial")
            partial.write_bytes(s3.get_object(Bucket=wanted.bucket, Key=wanted.key)["Body"].read())
            partial.rename(path)
        return path


def _objects(s3: Any, bucket: str, prefix: str) -> Iterator[_Object]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for it in page.get("Contents", []):
            name = it["Key"].rpartition("/")[2]
            # Athena leaves out what Hive hides.
            if it["Size"] and not name.startswith(("_", ".")):
                yield _Object(bucket, it["Key"], it["ETag"])


def _partition(key: str, prefix: str) -> tuple[tuple[str, str], ...]:
    folders = key.removeprefix(prefix).split("/")[:-1]
    pairs = (folder.partition("=") for folder in folders)
    return tuple((name.lower(), value) for name, equals, value in pairs if equals)
