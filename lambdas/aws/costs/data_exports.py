"""AWS Data Exports as a source: the FOCUS table of a month, in files that a manifest lists.

An export leaves data in `PREFIX/EXPORT/data/BILLING_PERIOD=2026-11/` and, when all of it is there, a manifest in
`PREFIX/EXPORT/metadata/BILLING_PERIOD=2026-11/`. Each delivery is the whole month so far. It takes the place of the one
before ("overwrite"), or lies beside it in a folder of its own ("create new"); either way only the files that the newest
manifest lists count, so that a month that was delivered twice is not counted twice.

Source: "Understanding export delivery" in the Data Exports user guide. What the manifest calls its fields (`dataFiles`,
`executionId`) is not documented there; it is what others read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple, cast
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lambdas.aws.clients import AwsClients
from lambdas.aws.costs.errors import answered
from lambdas.core.billing.paging import Cursor, file_format
from lambdas.core.billing.sources import DataExport
from lambdas.core.billing.spans import Span
from lambdas.core.errors import CursorExpired, RetryableError, TerminalError
from lambdas.core.ports.costs import ExportedFile, Page, Rows, Unchanged

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_MARGIN: Final = timedelta(minutes=5)
"""By which S3's clock, which dates a manifest to the second, may be behind ours."""


class _Cursor(Cursor):
    """The next file of a month's delivery; the month's first file is that of whichever manifest is there by then."""

    month: str
    manifest: str = ""
    file: int = 0


class _Manifest(NamedTuple):
    """A delivery, by where its manifest is, what that holds (its ETag), and since when."""

    key: str
    etag: str
    modified: datetime


class _Listing(BaseModel):
    """What is read of a manifest."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    data_files: list[str] = Field(alias="dataFiles")


class DataExportCosts:
    """One export; a span is read month by month, and file by file."""

    def __init__(self, clients: AwsClients, source: DataExport) -> None:
        self._clients = clients
        self._source = source

    def page(self, span: Span, cursor: str | None, unless: datetime | None) -> Page | Unchanged:
        """One file, or the empty page of a month that was not delivered yet.

        Raises RetryableError while the next delivery is replacing a file, and CursorExpired when it has begun since
        the month's first page.
        """
        months = list(self._source.calendar.months(span))
        at = _Cursor.read(cursor) if cursor else _Cursor(month=months[0])
        if at.month not in months:
            raise CursorExpired("the cursor is of another span")
        with self._clients.asked(answered):
            if cursor is None and unless is not None and self._as_it_was(months, unless):
                return Unchanged()
            return self._page(at, months)

    def _page(self, at: _Cursor, months: Sequence[str]) -> Page:
        manifest = self._newest(at.month)
        if at.manifest and (manifest is None or manifest.etag != at.manifest):
            raise CursorExpired(f"{at.month} was delivered anew while it was read")
        files = self._files(manifest) if manifest else []
        following = _following(at, manifest, len(files), months)
        cursor = following.model_dump_json() if following else None
        if manifest is None or not files:
            return Page(Rows([]), cursor)
        return Page(self._file(files[at.file], manifest), cursor)

    def _as_it_was(self, months: Sequence[str], then: datetime) -> bool:
        """Whether no manifest is newer; one that is no longer there says nothing of what things cost."""
        newest = [self._newest(month) for month in months]
        return all(it is None or it.modified <= then - _MARGIN for it in newest)

    def _newest(self, month: str) -> _Manifest | None:
        """The manifest that was written last, in the month's folder or in a delivery's own below it."""
        folder = "/".join(
            filter(None, (self._source.prefix, self._source.export, "metadata", f"BILLING_PERIOD={month}"))
        )
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._source.bucket, Prefix=f"{folder}/")
        found = [
            _Manifest(it["Key"], it["ETag"], it["LastModified"])
            for page in pages
            for it in page.get("Contents", ())
            if it["Key"].endswith("-Manifest.json")
        ]
        return max(found, key=lambda it: (it.modified, it.key), default=None)

    def _files(self, manifest: _Manifest) -> list[str]:
        """The keys of a delivery's files, in its order."""
        answer = self._s3.get_object(Bucket=self._source.bucket, Key=manifest.key, IfMatch=manifest.etag)
        try:
            listing = _Listing.model_validate_json(answer["Body"].read())
        except ValidationError as error:
            raise TerminalError("UnknownManifest", f"{manifest.key} does not list its dataFiles") from error
        return [self._key(url) for url in listing.data_files]

    def _key(self, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme != "s3" or parts.netloc != self._source.bucket:
            raise TerminalError("UnknownManifest", f"the manifest lists a file outside of {self._source.bucket}")
        return url.removeprefix(f"s3://{parts.netloc}/")

    def _file(self, key: str, manifest: _Manifest) -> ExportedFile:
        head = self._s3.head_object(Bucket=self._source.bucket, Key=key)
        if head["LastModified"] > manifest.modified:
            raise RetryableError("DeliveryUnderWay", f"{key} is newer than its manifest: the next one is to come")
        return ExportedFile(file_format(key), partial(self._opened, key, head["ETag"]))

    @contextmanager
    def _opened(self, key: str, etag: str) -> Iterator[BinaryIO]:
        """A file as it was when its page was made."""
        with self._clients.asked(answered):
            body = self._s3.get_object(Bucket=self._source.bucket, Key=key, IfMatch=etag)["Body"]
            with closing(body):
                yield cast("BinaryIO", body)

    @property
    def _s3(self) -> S3Client:
        return self._clients.s3(self._source.bucket_region)


def _following(at: _Cursor, manifest: _Manifest | None, files: int, months: Sequence[str]) -> _Cursor | None:
    """Where the next page begins: at the delivery's next file, or in the next month."""
    if manifest is not None and at.file + 1 < files:
        return _Cursor(month=at.month, manifest=manifest.etag, file=at.file + 1)
    later = months[months.index(at.month) + 1 :]
    return _Cursor(month=later[0]) if later else None
