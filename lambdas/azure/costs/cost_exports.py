"""Azure Cost Management's exports as a source: the FOCUS dataset of a month, in files that a manifest lists.

Each run writes the month so far anew, in a folder of its own, `DIRECTORY/EXPORT/20261101-20261130/…/RUN/`, and, when
all of it is there, a `manifest.json` beside the files. Older runs are left there or removed, as the export is set up.
Either way only the files of the newest run that is whole count: a month that was exported twice is not counted twice.

Sources: https://learn.microsoft.com/azure/cost-management-billing/costs/tutorial-improved-exports; what a manifest
holds: https://learn.microsoft.com/cloud-computing/finops/toolkit/hubs/data-processing ("About exports").
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NamedTuple, cast
from urllib.parse import unquote, urlsplit

from azure.core import MatchConditions
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lambdas.azure.costs.clients import CostClients
from lambdas.azure.costs.errors import answered
from lambdas.core.billing.paging import Cursor, file_format
from lambdas.core.billing.sources import CostExport
from lambdas.core.billing.spans import Span
from lambdas.core.errors import CursorExpired, RetryableError, TerminalError
from lambdas.core.ports.costs import ExportedFile, Page, Rows, Unchanged

if TYPE_CHECKING:
    from azure.storage.blob import BlobProperties, ContainerClient, StorageStreamDownloader

_MANIFEST: Final = "/manifest.json"
_LISTED: Final = 5000
"""Blobs in one answer: the most that Blob Storage gives."""

_MARGIN: Final = timedelta(minutes=5)
"""By which Azure's clock, which dates a manifest to the second, may be behind ours."""


class _Cursor(Cursor):
    """The next file of a month's run; the month's first file is that of whichever run is the newest by then."""

    month: str
    run: str = ""
    file: int = 0


class _Blob(NamedTuple):
    """A blob as it was listed."""

    name: str
    etag: str
    size: int
    modified: datetime


class _Run(NamedTuple):
    """A run that is whole, by its manifest's name and ETag, and its files in their order."""

    identity: str
    files: Sequence[_Blob]


class _File(BaseModel):
    """A file as a manifest lists it."""

    model_config = ConfigDict(defer_build=True)

    name: str = Field(alias="blobName")
    size: int | None = Field(default=None, alias="byteCount")


class _Configuration(BaseModel):
    """What was exported."""

    model_config = ConfigDict(defer_build=True)

    type: str = "FocusCost"


class _Manifest(BaseModel):
    """What is read of a manifest."""

    model_config = ConfigDict(defer_build=True)

    blobs: list[_File]
    configuration: _Configuration = Field(default_factory=_Configuration, alias="exportConfig")


class CostExportCosts:
    """One export; a span is read month by month, and file by file."""

    def __init__(self, clients: CostClients, source: CostExport) -> None:
        self._clients = clients
        self._source = source

    def page(self, span: Span, cursor: str | None, unless: datetime | None) -> Page | Unchanged:
        """One file, or the empty page of a month that was not exported yet.

        Raises RetryableError while no run of a month is whole, and CursorExpired when there is a newer one than that
        of the month's first page.
        """
        months = list(self._source.calendar.months(span))
        at = _Cursor.read(cursor) if cursor else _Cursor(month=months[0])
        if at.month not in months:
            raise CursorExpired("the cursor is of another span")
        with answered():
            if cursor is None and unless is not None and self._as_it_was(months, unless):
                return Unchanged()
            return self._page(at, months)

    def _page(self, at: _Cursor, months: Sequence[str]) -> Page:
        run = self._newest(at.month)
        if at.run and (run is None or run.identity != at.run):
            raise CursorExpired(f"{at.month} was exported anew while it was read")
        following = _following(at, run, months)
        cursor = following.model_dump_json() if following else None
        if run is None or not run.files:
            return Page(Rows([]), cursor)
        file = run.files[at.file]
        return Page(ExportedFile(file_format(file.name), partial(self._opened, file)), cursor)

    def _as_it_was(self, months: Sequence[str], then: datetime) -> bool:
        """Whether no run is newer; one that is no longer there says nothing of what things cost."""
        manifests = [it for month in months for it in _manifests(self._listed(month))]
        return all(it.modified <= then - _MARGIN for it in manifests)

    def _listed(self, month: str) -> dict[str, _Blob]:
        """All blobs of a month's runs, by name."""
        parts = (self._source.directory.strip("/"), self._source.export, _days_of(month))
        folder = "/".join(part for part in parts if part)
        found = self._container.list_blobs(name_starts_with=f"{folder}/", results_per_page=_LISTED)
        return {it.name: it for it in (_blob(properties) for properties in found)}

    def _newest(self, month: str) -> _Run | None:
        """The newest run of a month that is whole; None where none was begun."""
        listed = self._listed(month)
        manifests = _manifests(listed)
        for manifest in manifests:
            files = self._files(manifest, listed)
            if files is not None:
                return _Run(f"{manifest.name} {manifest.etag}", files)
        if manifests:
            raise RetryableError("ExportUnderWay", f"no run of {month} has all the files that its manifest lists")
        return None

    def _files(self, manifest: _Blob, listed: Mapping[str, _Blob]) -> list[_Blob] | None:
        """A run's files as they are now; None when one of them is not there, or not as the manifest says."""
        text = b"".join(self._download(manifest).chunks())
        try:
            read = _Manifest.model_validate_json(text)
        except ValidationError as error:
            raise TerminalError("UnknownManifest", f"{manifest.name} does not list its blobs") from error
        if read.configuration.type.lower() != "focuscost":
            raise TerminalError("NotFocus", f"{self._source.export} exports {read.configuration.type}, not FocusCost")
        files = [listed.get(self._path(file.name)) for file in read.blobs]
        whole = [
            found
            for found, file in zip(files, read.blobs, strict=True)
            if found is not None and file.size in (None, found.size)
        ]
        return whole if len(whole) == len(files) else None

    def _path(self, name: str) -> str:
        """The name of a blob in our own container, whatever account or host a manifest names with it."""
        if not urlsplit(name).scheme:
            return name.lstrip("/")
        return unquote(urlsplit(name).path).lstrip("/").removeprefix(f"{self._source.container}/")

    @contextmanager
    def _opened(self, blob: _Blob) -> Iterator[BinaryIO]:
        """A file as it was when its page was made; raises CursorExpired where it no longer is."""
        with answered():
            yield cast("BinaryIO", io.BufferedReader(_Download(self._download(blob))))

    def _download(self, blob: _Blob) -> StorageStreamDownloader[bytes]:
        return self._container.download_blob(
            blob.name, etag=f'"{blob.etag}"', match_condition=MatchConditions.IfNotModified, max_concurrency=1
        )

    @cached_property
    def _container(self) -> ContainerClient:
        return self._clients.container(self._source.account_url, self._source.container)


class _Download(io.RawIOBase):
    """A download as a file, fetched as it is read."""

    def __init__(self, stream: StorageStreamDownloader[bytes]) -> None:
        super().__init__()
        self._stream = stream

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill what there is of a buffer; 0 at the end."""
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _manifests(listed: Mapping[str, _Blob]) -> list[_Blob]:
    """The manifests among some blobs, the newest one first."""
    found = [blob for name, blob in listed.items() if name.endswith(_MANIFEST)]
    return sorted(found, key=lambda it: (it.modified, it.name), reverse=True)


def _blob(properties: BlobProperties) -> _Blob:
    return _Blob(properties.name, str(properties.etag).strip('"'), properties.size, properties.last_modified)


def _days_of(month: str) -> str:
    """How an export names a month: by its first and last day."""
    first = datetime.strptime(month, "%Y-%m")  # noqa: DTZ007 -- a name, not a moment
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return f"{first:%Y%m%d}-{last:%Y%m%d}"


def _following(at: _Cursor, run: _Run | None, months: Sequence[str]) -> _Cursor | None:
    """Where the next page begins: at the run's next file, or in the next month."""
    if run is not None and at.file + 1 < len(run.files):
        return _Cursor(month=at.month, run=run.identity, file=at.file + 1)
    later = months[months.index(at.month) + 1 :]
    return _Cursor(month=later[0]) if later else None
