"""Staged pages and window files, in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import count
from typing import cast

from lambdas.core.billing.sources import AnySource
from lambdas.core.billing.spans import window_of
from lambdas.core.billing.windows import Contents, Read, Window, WindowFile
from lambdas.core.errors import Overtaken
from lambdas.core.ports.costs import ExportedFile, Row, Rows


@dataclass(frozen=True)
class StoredFile:
    """One window's file: its rows, the read they are of, and whether it was sealed."""

    rows: tuple[Row, ...]
    read: Read
    etag: str
    closed: bool

    @property
    def billed(self) -> Decimal:
        """The sum of its rows."""
        return sum((cast(Decimal, row["BilledCost"]) for row in self.rows), Decimal())


class FakeStaging:
    """Keeps pages of rows by source, read, run and number."""

    def __init__(self, hop: Callable[[], object] = lambda: None) -> None:
        self._hop = hop
        self.pages: dict[tuple[str, str, str, int], Rows] = {}

    def put(self, source: str, read: str, run: str, number: int, content: Rows | ExportedFile) -> None:
        """Keep a page."""
        assert isinstance(content, Rows)
        self._hop()
        self.pages[source, read, run, number] = content
        self._hop()

    def rows(self, source: str, read: Read) -> list[Row]:
        """Every row of the pages that count."""
        numbers = [(it.run, it.first + offset) for it in read.segments for offset in range(it.count)]
        return [row for run, number in numbers for row in self.pages[source, read.id, run, number].rows]


@dataclass
class FakeCostFiles:
    """A bucket with one file a window; a write holds only over the file whose ETag is given."""

    staging: FakeStaging
    hop: Callable[[], object] = lambda: None
    files: dict[str, StoredFile] = field(default_factory=dict)
    _etags: Iterator[int] = field(default_factory=count)

    @contextmanager
    def arrange(self, source: AnySource, read: Read) -> Iterator[FakeArranged]:
        """The rows of a read by window."""
        yield FakeArranged(self, read, self.staging.rows(source.name, read))

    def there(self, key: str) -> WindowFile | None:
        """What is in a window's place."""
        file = self.files.get(key)
        return WindowFile(file.read.id, file.read.begun_at, file.etag) if file else None

    def replace(self, key: str, before: str | None, rows: tuple[Row, ...], read: Read, *, closed: bool) -> str:
        """Put a file in the place of another."""
        self.hop()
        there = self.files.get(key)
        if (there.etag if there else None) != before:
            raise Overtaken(f"{key} has been replaced already")
        file = StoredFile(rows, read, f"etag-{next(self._etags)}", closed)
        self.files[key] = file
        self.hop()
        return file.etag


class FakeArranged:
    """The rows of one read by window."""

    def __init__(self, files: FakeCostFiles, read: Read, rows: list[Row]) -> None:
        self._files = files
        self._read = read
        self._rows: dict[datetime, list[Row]] = {}
        for row in rows:
            self._rows.setdefault(row_window(row), []).append(row)
        self.contents: Mapping[datetime, Contents] = {start: _contents(it) for start, it in self._rows.items()}

    @property
    def data_through(self) -> datetime | None:
        """The end of the newest charge."""
        ends = [cast(datetime, row["ChargePeriodEnd"]) for rows in self._rows.values() for row in rows]
        return max(ends, default=None)

    def write(self, window: Window, key: str, *, closed: bool) -> str:
        """Replace a window's file."""
        rows = tuple(self._rows.get(window.start, ()))
        return self._files.replace(key, window.etag, rows, self._read, closed=closed)


def row_window(row: Row) -> datetime:
    """The window that a row belongs to."""
    return window_of(max(cast(datetime, row["ChargePeriodStart"]), cast(datetime, row["BillingPeriodStart"])))


def _contents(rows: list[Row]) -> Contents:
    texts = sorted(repr(sorted(row.items())) for row in rows)
    billed: dict[str, Decimal] = {}
    for row in rows:
        currency = cast(str, row["BillingCurrency"])
        billed[currency] = billed.get(currency, Decimal()) + cast(Decimal, row["BilledCost"])
    digest = hashlib.sha256("\n".join(texts).encode()).hexdigest()
    return Contents(rows=len(rows), digest=digest, billed=billed)
