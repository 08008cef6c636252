"""A bill, a simulated Azure that reads it, and our sources pointed at that with the unmodified SDKs."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from itertools import count
from typing import Any, cast

import pytest

from lambdas.azure.costs.clients import CostClients
from lambdas.azure.costs.cost_exports import CostExportCosts
from lambdas.azure.costs.cost_query import CostQueryCosts
from lambdas.azure.settings import AzureSettings
from lambdas.core.billing.sources import CostExport, CostQuery
from lambdas.core.billing.spans import Span
from lambdas.core.ports.costs import CostSource, ExportedFile, Page, Row, Rows
from local.clock import VirtualClock
from local.http_server import serve
from local.simulators.azure import AzureSimulator, AzureSimulatorSettings, create_app
from local.simulators.azure.blobs import BlobStorage
from local.simulators.azure.exports import Export, run
from local.simulators.bill import Bill, Charge
from local.simulators.faults import Fault, FaultKind

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
VM = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/shop/providers/Microsoft.Compute/virtualMachines/web"
TAGS = {"skysaga-saga": "s1", "skysaga-resource": "web"}
CONTAINER, DIRECTORY, EXPORT = "costs", "daily", "focus"

_ids = count(1)


def at(text: str) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


NOVEMBER = Span(at("2026-11-01"), at("2026-12-01"))
DECEMBER = Span(at("2026-12-01"), at("2027-01-01"))
NOW = at("2026-12-20T09:30")


def charge(start: str = "2026-11-24T05:00", amount: str = "1.5", **changes: Any) -> Charge:
    """An hour of a virtual machine, known at once and billed in its own month."""
    begun = at(start)
    facts: dict[str, Any] = {
        "id": f"c{next(_ids)}",
        "provider": "azure",
        "account": SUBSCRIPTION,
        "service": "Virtual Machines",
        "sku": "D2s v5",
        "region": "westeurope",
        "resource": VM,
        "start": begun,
        "end": begun + timedelta(hours=1),
        "quantity": Decimal(1),
        "unit": "1 Hour",
        "amount": Decimal(amount),
        "currency": "EUR",
        "known_at": begun,
        "billing_month": f"{begun:%Y-%m}",
        "tags": TAGS,
    }
    return Charge(**{**facts, **changes})


@dataclass
class BilledAzure:
    """The simulators, their clock, and who we are to them."""

    bill: Bill
    clock: VirtualClock
    simulator: AzureSimulator
    storage: BlobStorage
    storage_url: str
    clients: CostClients

    def arm(self, operation: str, fault: FaultKind, **details: Any) -> None:
        """Let something go wrong."""
        for simulator in (self.simulator, self.storage):
            simulator.faults.arm([Fault(operation=operation, fault=fault, **details)])

    def queries(self) -> list[str]:
        """The requests to Cost Management so far."""
        return [call.path for call in self.simulator.log if call.operation == "Query_Usage"]

    def query(self) -> CostQueryCosts:
        """The subscription by Cost Management's query."""
        return CostQueryCosts(self.clients, CostQuery(name="query", since=NOVEMBER.start, subscription=SUBSCRIPTION))

    def export(self, **changes: Any) -> CostExportCosts:
        """The subscription by its export."""
        source = CostExport(
            name="export",
            since=NOVEMBER.start,
            subscription=SUBSCRIPTION,
            account_url=self.storage_url,
            container=CONTAINER,
            directory=DIRECTORY,
            export=EXPORT,
        )
        return CostExportCosts(self.clients, source.model_copy(update=changes))

    def run(self, month: str = "2026-11", **changes: Any) -> str:
        """Let the export run; the name of its manifest."""
        export = Export(SUBSCRIPTION, CONTAINER, EXPORT, DIRECTORY, rows=2)._replace(**changes)
        return run(export, self.bill, self.storage, month)


@contextmanager
def billed_azure(monkeypatch: pytest.MonkeyPatch, **settings: Any) -> Iterator[BilledAzure]:
    """Run both simulators on a clock that stands still, with the managed identity that our environment describes."""
    clock, bill = VirtualClock(NOW.timestamp()), Bill()
    simulator = create_app(clock, clock.advance, AzureSimulatorSettings(**settings), bill)
    storage = BlobStorage(clock, clock.advance)
    storage.put(CONTAINER, "unrelated.txt", b"")
    with serve(simulator) as server, serve(storage) as blobs:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{server.url}/_identity/token")
        monkeypatch.setenv("IDENTITY_HEADER", "local")
        yield BilledAzure(bill, clock, simulator, storage, blobs.url, clients(server.url))


def clients(url: str) -> CostClients:
    """Our clients for a Resource Manager at some address, as the managed identity."""
    environ = {
        "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION,
        "AZURE_RESOURCE_MANAGER_ENDPOINT": url,
        "IDENTITY_ENDPOINT": "described by the environment",
    }
    return CostClients(AzureSettings.from_environment(environ))


def pages(source: CostSource, span: Span) -> Iterator[Page]:
    """All pages of a span, one after the other."""
    cursor: str | None = None
    while True:
        page = source.page(span, cursor, None)
        assert isinstance(page, Page)
        yield page
        if (cursor := page.cursor) is None:
            return


def rows(source: CostSource, span: Span) -> list[Row]:
    """All rows of a span, whatever pages they are on."""
    return [row for page in pages(source, span) for row in _rows(page)]


def _rows(page: Page) -> list[Row]:
    if isinstance(page.content, Rows):
        return list(page.content.rows)
    return [cast("Row", row) for row in csv.DictReader(io.StringIO(content(page.content)))]


def content(file: ExportedFile) -> str:
    """What is in an exported file."""
    with file.open() as opened:
        read = opened.read()
    return (gzip.decompress(read) if file.format == "csv.gz" else read).decode()


def total(of: list[Row], column: str = "BilledCost") -> Decimal:
    """The sum of a column."""
    with localcontext(prec=100):
        return sum((Decimal(str(row[column])) for row in of), Decimal(0))


def only(of: list[Row]) -> Mapping[str, Any]:
    """The one row that there is."""
    (row,) = of
    return row
