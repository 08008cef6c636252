"""S3: the pages of a read, kept as they came until they are published.

A page is `staging/source=NAME/READ/RUN-000017.FORMAT`: rows as JSON lines, every value in them as text so that amounts
stay exact, and a file that a cloud exported as it is.
"""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import IO, Any, Final

from lambdas.adapters.refusals import retryable
from lambdas.core.errors import RetryableError
from lambdas.core.ports.costs import ExportedFile, Row, Rows, Value

ROWS_FORMAT: Final = "jsonl.gz"

_IN_MEMORY: Final = 8 * 1024 * 1024
"""Bytes of a page above which it is written to the disk."""

_LEVEL: Final = 3
"""Of gzip: twice as quick as its default, and pages are read once."""


def read_prefix(source: str, read: str) -> str:
    """What the keys of a read's pages begin with."""
    return f"staging/source={source}/{read}/"


def page_name(run: str, number: int) -> str:
    """What the name of a run's page begins with; its format follows."""
    return f"{run}-{number:06d}."


class S3Staging:
    """Pages in a bucket."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, source: str, read: str, run: str, number: int, content: Rows | ExportedFile) -> None:
        """Keep a page; the same page of the same run again replaces it. Raises RetryableError."""
        key = read_prefix(source, read) + page_name(run, number)
        if isinstance(content, ExportedFile):
            with content.open() as file:
                self._upload(file, key + content.format)
        else:
            with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
                write_rows(file, content.rows)
                file.seek(0)
                self._upload(file, key + ROWS_FORMAT)

    def _upload(self, file: IO[bytes], key: str) -> None:
        with _uploading():
            self._client.upload_fileobj(file, self._bucket, key)


@contextmanager
def _uploading() -> Iterator[None]:
    """boto3 wraps what S3 refused in an error of its own."""
    from boto3.exceptions import S3UploadFailedError  # noqa: PLC0415 -- boto3 is only loaded to send a file

    try:
        with retryable("S3 did not take the page", "S3 did not answer"):
            yield
    except S3UploadFailedError as error:
        raise RetryableError("S3UploadFailed", "S3 did not take the page") from error


def write_rows(file: IO[bytes], rows: Iterable[Row]) -> None:
    """Rows as compressed JSON lines, the same bytes for the same rows."""
    with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=_LEVEL, mtime=0) as lines:
        for row in rows:
            line = json.dumps(_texts(row), ensure_ascii=False, separators=(",", ":"))
            lines.write(line.encode("utf-8", "replace") + b"\n")


def _texts(row: Row) -> dict[str, str | dict[str, str]]:
    return {name: _text(value) for name, value in row.items() if value is not None}


def _text(value: Value) -> str | dict[str, str]:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return dict(value) if isinstance(value, Mapping) else str(value)
