"""A source that reads a simulated bill: in pages, of what is known at the moment, as the kind of source does."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from lambdas.core.billing.sources import AnySource
from lambdas.core.billing.spans import Span, window_of
from lambdas.core.errors import CursorExpired
from lambdas.core.ports.clock import Clock
from lambdas.core.ports.costs import Page, Row, Rows, Unchanged
from local.simulators.bill import Bill, Charge

SNAPSHOT_LIVES: Final = timedelta(hours=24)
EXPORT_EVERY: Final = timedelta(hours=8)


class BillSource:
    """Pages of what a bill knows; `before` is called at each, and may raise."""

    def __init__(
        self,
        bill: Bill,
        account: str,
        source: AnySource,
        clock: Clock,
        size: int,
        before: Callable[[], object] = lambda: None,
    ) -> None:
        self._bill = bill
        self._account = account
        self._source = source
        self._clock = clock
        self._size = size
        self._before = before
        self._last: tuple[tuple[Span, datetime], list[Row]] | None = None

    def page(self, span: Span, cursor: str | None, unless: datetime | None) -> Page | Unchanged:
        """One page."""
        raise NotImplementedError

    def _page(self, span: Span, known_at: datetime, offset: int, snapshot: str | None) -> Page:
        if self._last is None or self._last[0] != (span, known_at):
            self._last = ((span, known_at), self.rows(span, known_at))
        rows = self._last[1]
        there = rows[offset : offset + self._size]
        end = offset + self._size
        cursor = json.dumps({"offset": end, "snapshot": snapshot}) if end < len(rows) else None
        return Page(Rows(there), cursor)

    def rows(self, span: Span, known_at: datetime) -> list[Row]:
        """What was known at a moment of the windows in a span."""
        charges = self._bill.known(self._account, known_at, span.start - timedelta(days=40), span.end)
        rows = [charge_row(it, self._source) for it in charges]
        return [row for row in rows if span.start <= _window(row) < span.end]


class SnapshotSource(BillSource):
    """As a BigQuery job: all pages are of one moment, for a day."""

    def page(self, span: Span, cursor: str | None, unless: datetime | None) -> Page | Unchanged:
        """One page of the snapshot that the first page takes."""
        self._before()
        if cursor is None:
            now = self._clock.now()
            return self._page(span, now, 0, now.isoformat())
        place = json.loads(cursor)
        taken = datetime.fromisoformat(place["snapshot"])
        if self._clock.now() - taken > SNAPSHOT_LIVES:
            raise CursorExpired("the job's results are gone")
        return self._page(span, taken, place["offset"], place["snapshot"])


class LiveSource(BillSource):
    """As a query API: every page is of what is known when it is asked for, so that one reading may be torn."""

    def page(self, span: Span, cursor: str | None, unless: datetime | None) -> Page | Unchanged:
        """One page as of now."""
        self._before()
        return self._page(span, self._clock.now(), json.loads(cursor)["offset"] if cursor else 0, None)


class ExportSource(BillSource):
    """As an export: files of a whole month, replaced three times a day, and gone when they are."""

    def page(self, span: Span, cursor: str | None, unless: datetime | None) -> Page | Unchanged:
        """One file of the newest export."""
        self._before()
        exported = self._exported_at()
        if cursor is None:
            if unless is not None and exported <= unless:
                return Unchanged()
            return self._page(span, exported, 0, exported.isoformat())
        place = json.loads(cursor)
        if place["snapshot"] != exported.isoformat():
            raise CursorExpired("the export was replaced")
        return self._page(span, exported, place["offset"], place["snapshot"])

    def _exported_at(self) -> datetime:
        now = self._clock.now()
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight + EXPORT_EVERY * ((now - midnight) // EXPORT_EVERY)


def charge_row(charge: Charge, source: AnySource) -> Row:
    """A charge in as many columns as a total needs."""
    year, month = (int(it) for it in charge.billing_month.split("-"))
    period = source.calendar.period_of(datetime(year, month, 15, tzinfo=charge.start.tzinfo))
    return {
        "x_Charge": charge.id,
        "ChargePeriodStart": charge.start,
        "ChargePeriodEnd": charge.end,
        "BillingPeriodStart": period.start,
        "BilledCost": charge.amount,
        "BillingCurrency": charge.currency,
        "Tags": dict(charge.tags),
    }


def _window(row: Row) -> datetime:
    start, period = row["ChargePeriodStart"], row["BillingPeriodStart"]
    assert isinstance(start, datetime)
    assert isinstance(period, datetime)
    return window_of(max(start, period))
