"""A bill, BigQuery that exports it, and the source that reads it: what the tests need to say things briefly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lambdas.core.billing.sources import BigQueryExport
from lambdas.core.billing.spans import Span
from lambdas.core.errors import Throttled
from lambdas.core.ports.costs import Page, Row, Rows
from lambdas.core.targets import GcpTarget
from lambdas.gcp.costs.bigquery import BigQueryCosts
from lambdas.gcp.settings import GcpSettings
from local.clock import VirtualClock
from local.http_server import serve
from local.simulators.bill import Bill, Charge
from local.simulators.faults import Fault, FaultKind
from local.simulators.gcp import write_service_account
from local.simulators.gcp.bigquery import BigQuerySimulator, BigQueryTiming

TABLE = "finance.billing.gcp_billing_export_resource_v1_01A2B3_C4D5E6_F7A8B9"
SOURCE = BigQueryExport(name="shop", project="shop", table=TABLE, since=datetime(2026, 10, 1, tzinfo=UTC))
NOVEMBER = datetime(2026, 11, 1, 7, tzinfo=UTC)
"""When November begins in Pacific time; October ends in daylight saving time."""


def hour(text: str) -> datetime:
    """`2026-11-26T09` in UTC."""
    return datetime.strptime(text, "%Y-%m-%dT%H").replace(tzinfo=UTC)


USED = hour("2026-11-20T09")
DAY = Span(hour("2026-11-20T00"), hour("2026-11-21T00"))


def charge(id: str, start: datetime = USED, **fields: Any) -> Charge:
    """An hour of a virtual machine, `fields` overriding what it would be."""
    usage: dict[str, Any] = {
        "id": id,
        "provider": "gcp",
        "account": "shop",
        "service": "Compute Engine",
        "sku": "E2 Instance Core",
        "region": "europe-west1",
        "resource": "web",
        "start": start,
        "end": start + timedelta(hours=1),
        "quantity": Decimal(2),
        "unit": "hour",
        "amount": Decimal("0.0436"),
        "currency": "EUR",
        "known_at": start,
        "billing_month": SOURCE.calendar.month_of(start),
        "tags": {"skysaga-saga": "s0abc", "skysaga-resource": "web"},
    }
    return Charge(**{**usage, **fields})


@dataclass(frozen=True)
class Export:
    """BigQuery on loopback, on a clock that the test moves, and what reads from it."""

    bill: Bill
    simulator: BigQuerySimulator
    clock: VirtualClock
    costs: BigQueryCosts

    @property
    def now(self) -> datetime:
        """The present moment."""
        return datetime.fromtimestamp(self.clock.now(), UTC)

    def page(self, cursor: str | None = None, span: Span = DAY) -> Page:
        """One page, however long it takes until it is there."""
        while True:
            try:
                page = self.costs.page(span, cursor, None)
            except Throttled as error:
                self.clock.advance(error.retry_after)
                continue
            assert isinstance(page, Page)
            return page

    def pages(self, span: Span = DAY) -> list[list[Row]]:
        """All pages of a span."""
        found, cursor = [], None
        while True:
            page = self.page(cursor, span)
            assert isinstance(page.content, Rows)
            found.append(list(page.content.rows))
            cursor = page.cursor
            if cursor is None:
                return found

    def rows(self, span: Span = DAY) -> list[Row]:
        """All rows of a span."""
        return [row for page in self.pages(span) for row in page]

    def row(self, span: Span = DAY) -> Row:
        """The only one."""
        (row,) = self.rows(span)
        return row

    def fault(self, operation: str, kind: FaultKind, **fields: Any) -> None:
        """Let the next call of an operation go wrong."""
        self.simulator.faults.arm([Fault(operation=operation, fault=kind, **fields)])

    def calls(self) -> list[str]:
        """The operations that were called, but for the tokens."""
        return [it.operation for it in self.simulator.log if it.operation != "oauth2.token"]


@contextmanager
def billing_export(
    folder: Path, monkeypatch: pytest.MonkeyPatch, timing: BigQueryTiming | None = None
) -> Iterator[Export]:
    """An empty bill, exported."""
    clock = VirtualClock(hour("2026-12-01T00").timestamp())
    bill = Bill()
    simulator = BigQuerySimulator(clock, clock.advance, bill, timing)
    with serve(simulator, name="bigquery") as server:
        write_service_account(folder / "key.json", f"{server.url}/_token")
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(folder / "key.json"))
        environ = {"GOOGLE_CLOUD_PROJECT": "shop", "GOOGLE_BIGQUERY_ENDPOINT": server.url}
        settings = GcpSettings.from_environment(environ)
        costs = BigQueryCosts(SOURCE, settings, GcpTarget(project="billing-reader"), page_rows=100)
        yield Export(bill, simulator, clock, costs)


def total(rows: list[Row]) -> Mapping[str, Decimal]:
    """What is billed in all, by currency."""
    sums: dict[str, Decimal] = {}
    for row in rows:
        currency, billed = row["BillingCurrency"], row["BilledCost"]
        assert isinstance(currency, str)
        assert isinstance(billed, Decimal)
        sums[currency] = sums.get(currency, Decimal(0)) + billed
    return sums
