"""Costs in S3: one Parquet file a window, `costs/source=NAME/billing_period=2026-11/2026-11-26T09.parquet`.

A read's pages are taken from the staging area one after the other, normalised by DuckDB into one table on the disk, and
sorted by window there; memory stays the same however many rows there are.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import uuid4

import duckdb
from botocore.exceptions import ClientError
from duckdb import DuckDBPyConnection

from lambdas.adapters.refusals import retryable
from lambdas.adapters.staging import page_name, read_prefix
from lambdas.billing.checking import contents
from lambdas.billing.normalising import UNUSABLE, WRITTEN, normalised, table_columns
from lambdas.billing.reading import delivered, literal, quoted
from lambdas.core.billing.focus.columns import BY_NAME
from lambdas.core.billing.sources import AnySource
from lambdas.core.billing.spans import window_name
from lambdas.core.billing.windows import Contents, Read, Window, WindowFile
from lambdas.core.errors import Overtaken, RetryableError, TerminalError
from lambdas.core.ports.clock import Clock

MEMORY: Final = "256MB"
"""What DuckDB may hold before it turns to the disk; the process takes about as much again."""

_OVERTAKEN: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})
"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html, as is the 404 for what is gone."""

_ABSENT: Final = frozenset({"404", "NoSuchKey"})
_ATTEMPT: Final = "skysaga-attempt"
_READ: Final = "skysaga-read"
_BEGUN_AT: Final = "skysaga-begun-at"


class Limits(NamedTuple):
    """What DuckDB may take: memory, threads, and the folder whose disk it may fill, None for the system's."""

    memory: str = MEMORY
    threads: int = 1
    folder: Path | None = None


class _Page(NamedTuple):
    number: int
    key: str

    @property
    def form(self) -> str:
        return self.key.rpartition("/")[2].partition(".")[2]

    @property
    def name(self) -> str:
        return self.key.rpartition("/")[2]


class S3CostFiles:
    """Window files in a bucket, made from the pages that are staged in it."""

    def __init__(self, client: Any, bucket: str, clock: Clock, limits: Limits = Limits()) -> None:  # noqa: B008 - immutable
        self._client = client
        self._bucket = bucket
        self._clock = clock
        self._limits = limits

    @contextmanager
    def arrange(self, source: AnySource, read: Read) -> Iterator[ArrangedRows]:
        """The rows of a read's staged pages; raises RetryableError, or TerminalError for rows that cannot be used.

        A row whose window is not in the read's span belongs to another read, and is left out.
        """
        with tempfile.TemporaryDirectory(dir=self._limits.folder) as folder, self._database(Path(folder)) as database:
            loading = _Loading(self._client, self._bucket, Path(folder), database, source)
            with _of_duckdb():
                loading.load(_pages(self._client, self._bucket, source.name, read))
                rows = ArrangedRows(self._client, self._bucket, self._clock, Path(folder), database, source, read)
            yield rows

    def there(self, key: str) -> WindowFile | None:
        """What is in a window's place now; raises RetryableError."""
        with retryable("S3 did not look for the file", "S3 did not answer"):
            try:
                found = self._client.head_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                if error.response["Error"]["Code"] in _ABSENT:
                    return None
                raise
        about = found["Metadata"]
        return WindowFile(about[_READ], datetime.fromisoformat(about[_BEGUN_AT]), str(found["ETag"]))

    @contextmanager
    def _database(self, folder: Path) -> Iterator[DuckDBPyConnection]:
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": self._limits.memory,
            "threads": self._limits.threads,
            "temp_directory": str(folder / "spilled"),
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
        }
        with duckdb.connect(folder / "rows.duckdb", config=settings) as database:
            database.execute("SET TimeZone = 'UTC'")
            yield database


@contextmanager
def _of_duckdb() -> Iterator[None]:
    """A full disk or memory passes on another machine; its words may hold what rows hold, so they stay here."""
    try:
        yield
    except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
        raise RetryableError(type(error).__name__, "DuckDB had no room for the rows") from None


def _pages(client: Any, bucket: str, source: str, read: Read) -> list[_Page]:
    """The pages that the read's segments name, in order; raises TerminalError for one that is not there any more."""
    prefix = read_prefix(source, read.id)
    with retryable("S3 did not list the pages", "S3 did not answer"):
        listed = [
            item["Key"]
            for answer in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            for item in answer.get("Contents", ())
        ]
    by_name = {key.removeprefix(prefix).partition(".")[0] + ".": key for key in listed}
    wanted = [page_name(it.run, it.first + place) for it in read.segments for place in range(it.count)]
    if missing := [name for name in wanted if name not in by_name]:
        raise TerminalError("MissingPages", f"{len(missing)} staged pages are gone, the first is {prefix}{missing[0]}")
    return [_Page(number, by_name[name]) for number, name in enumerate(wanted)]


class _Loading:
    """Takes pages into a table `rows`."""

    def __init__(self, client: Any, bucket: str, folder: Path, database: DuckDBPyConnection, source: AnySource) -> None:
        self._client = client
        self._bucket = bucket
        self._folder = folder
        self._database = database
        self._source = source

    def load(self, pages: list[_Page]) -> None:
        """All of them; raises TerminalError for the first row that cannot be used."""
        self._database.execute(f"CREATE TABLE rows ({table_columns()})")
        # in one transaction, so that pages are not written to a log before they are written to the table
        self._database.begin()
        for page in pages:
            with self._as_query(page) as query:
                self._database.execute(f"INSERT INTO rows {query}")
        self._database.commit()
        self._refuse_unusable(pages)

    @contextmanager
    def _as_query(self, page: _Page) -> Iterator[str]:
        path = self._folder / f"page.{page.form}"
        with retryable("S3 did not give the page", "S3 did not answer"):
            self._client.download_file(self._bucket, page.key, str(path))
        try:
            query = delivered(self._database, path, page.form)
            yield normalised(query, page.number, self._source.name, self._source.calendar)
        except (duckdb.OutOfMemoryException, duckdb.IOException):
            raise
        except duckdb.Error:
            # not chained: the cause quotes what the page holds
            raise TerminalError("InvalidRows", f"the page {page.name} cannot be read as {page.form}") from None
        finally:
            path.unlink()

    def _refuse_unusable(self, pages: list[_Page]) -> None:
        found = self._database.execute("SELECT min(page) FROM rows WHERE unusable IS NOT NULL").fetchone()
        if found is None or found[0] is None:
            return
        page = pages[found[0]]
        self._database.execute("SET preserve_insertion_order = true")
        with self._as_query(page) as query:
            numbered = f"SELECT row_number() OVER () AS row_number, unusable FROM ({query})"  # noqa: S608 - our own  # nosec B608
            first = self._database.execute(
                f"SELECT row_number, unusable FROM ({numbered}) WHERE unusable IS NOT NULL ORDER BY 1 LIMIT 1"  # noqa: S608  # nosec B608
            ).fetchone()
        row, column = first or (0, UNUSABLE[0])
        raise TerminalError("InvalidRows", f"row {row} of the page {page.name}: {_complaint(column)}")


def _complaint(column: str) -> str:
    rule = f"{column}-C-{'001' if column == 'BilledCost' else '003'}-M"
    return f"{column} is missing or no {BY_NAME[column].kind} ({rule})"


class ArrangedRows:
    """The rows of one read: normalised, checked, attributed, and sorted into windows."""

    def __init__(
        self,
        client: Any,
        bucket: str,
        clock: Clock,
        folder: Path,
        database: DuckDBPyConnection,
        source: AnySource,
        read: Read,
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._clock = clock
        self._path = folder / "window.parquet"
        self._database = database
        self._source = source
        self._read = read
        self._through = self._newest()
        self._sort()
        self._contents = contents(database, "windows")

    @property
    def contents(self) -> Mapping[datetime, Contents]:
        """What each window of the span holds, for those that hold anything."""
        return self._contents

    @property
    def data_through(self) -> datetime | None:
        """The end of the newest charge period."""
        return self._through

    def write(self, window: Window, key: str, *, closed: bool) -> str:
        """Write a window's file, whole, in place of the one that `window.etag` names; returns the new one's ETag.

        Raises Overtaken when another one is there by now, and RetryableError.
        """
        attempt = uuid4().hex
        with _of_duckdb():
            self._copy(window, closed, attempt)
        condition = {"IfNoneMatch": "*"} if window.etag is None else {"IfMatch": window.etag}
        with retryable("S3 did not take the file", "S3 did not answer"), self._path.open("rb") as body:
            try:
                answer = self._client.put_object(
                    Bucket=self._bucket, Key=key, Body=body, Metadata=self._metadata(attempt), **condition
                )
            except ClientError as error:
                if error.response["Error"]["Code"] not in _OVERTAKEN | _ABSENT:
                    raise
                return self._own(key, attempt)
        return str(answer["ETag"])

    def _metadata(self, attempt: str) -> dict[str, str]:
        return {_ATTEMPT: attempt, _READ: self._read.id, _BEGUN_AT: self._read.begun_at.isoformat()}

    def _own(self, key: str, attempt: str) -> str:
        """The ETag of what this attempt has written after all, when its answer was lost; raises Overtaken."""
        try:
            found = self._client.head_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _ABSENT:
                raise
            raise Overtaken(f"{key} is not there any more") from error
        if found.get("Metadata", {}).get(_ATTEMPT) != attempt:
            raise Overtaken(f"{key} was written by somebody else")
        return str(found["ETag"])

    def _newest(self) -> datetime | None:
        found = self._database.execute('SELECT max("ChargePeriodEnd") FROM rows').fetchone()
        return None if found is None or found[0] is None else found[0].replace(tzinfo=UTC)

    def _sort(self) -> None:
        """Sorted by window, the table's zone maps let each window be found without reading the others."""
        start, end = (moment.astimezone(UTC).replace(tzinfo=None) for moment in self._read.span)
        columns = ", ".join(map(quoted, WRITTEN))
        self._database.execute(
            f"CREATE TABLE windows AS SELECT window_start, broken, {columns} FROM rows "  # noqa: S608 - our own columns  # nosec B608
            f"WHERE window_start >= {_timestamp(start)} AND window_start < {_timestamp(end)} ORDER BY window_start"
        )
        self._database.execute("DROP TABLE rows")

    def _copy(self, window: Window, closed: bool, attempt: str) -> None:
        start = window.start.astimezone(UTC).replace(tzinfo=None)
        columns = ", ".join(map(quoted, WRITTEN))
        about = {
            "source": self._source.name,
            "window": window_name(window.start),
            "read": self._read.id,
            "closed": str(closed).lower(),
            "written_at": self._clock.now().astimezone(UTC).isoformat(),
            "attempt": attempt,
        }
        metadata = ", ".join(f"{literal(name)}: {literal(value)}" for name, value in about.items())
        self._database.execute(
            f"COPY (SELECT {columns} FROM windows WHERE window_start = {_timestamp(start)}) "  # noqa: S608 - our own  # nosec B608
            f"TO {literal(str(self._path))} (FORMAT parquet, COMPRESSION zstd, KV_METADATA {{{metadata}}})"
        )


def _timestamp(moment: datetime) -> str:
    return f"TIMESTAMP '{moment.isoformat(sep=' ')}'"
