"""An account with a bill, and what reads it: Cost Explorer, and exports in S3, over the real SDK."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import duckdb

from lambdas.aws.clients import AwsClients
from lambdas.aws.costs.cost_explorer import CostExplorerCosts
from lambdas.aws.costs.data_exports import DataExportCosts
from lambdas.aws.settings import AwsSettings
from lambdas.core.billing.sources import CostExplorer, DataExport
from lambdas.core.billing.spans import Span
from lambdas.core.ports.costs import CostSource, Page, Row, Rows
from local.aws.account import create_app
from local.aws.clients import create_client
from local.clock import VirtualClock
from local.http_server import serve
from local.simulators.aws_billing import CostExplorerSettings, CostExplorerSimulator
from local.simulators.aws_billing.exports import FocusExport
from local.simulators.bill import Bill, Charge

ACCOUNT = "123456789012"
ANOTHER_ACCOUNT = "210987654321"
REGION = "us-east-1"
BUCKET = "exports"
EXPORT = "focus"
EC2 = "Amazon Elastic Compute Cloud - Compute"
S3 = "Amazon Simple Storage Service"
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
NOVEMBER = Span(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
USUAL = CostExplorerSettings()
SINCE = datetime(2026, 1, 1, tzinfo=UTC)


def charge(number: int, start: datetime, amount: str = "0.0416", saga: str = "", **fields: Any) -> Charge:
    """An hour of an instance."""
    usual: dict[str, Any] = {
        "id": f"charge-{number:06}",
        "provider": "aws",
        "account": ACCOUNT,
        "service": EC2,
        "sku": "BoxUsage:t3.medium",
        "region": REGION,
        "resource": f"i-{number:017x}",
        "end": start + timedelta(hours=1),
        "quantity": Decimal(1),
        "unit": "Hours",
        "currency": "USD",
        "known_at": start + timedelta(hours=2),
        "billing_month": start.strftime("%Y-%m"),
        "tags": {"skysaga-saga": saga, "skysaga-resource": "web"} if saga else {},
    }
    return Charge(**usual | {"start": start, "amount": Decimal(amount)} | fields)


class Account(NamedTuple):
    """What tests set, and what they read with."""

    clock: VirtualClock
    bill: Bill
    explorer: CostExplorerSimulator
    clients: AwsClients
    s3: Any

    def costs(self, **fields: Any) -> CostExplorerCosts:
        """Cost Explorer as a source, read by the account's clock."""
        return CostExplorerCosts(self.clients, explorer_source(**fields), ClockOf(self.clock))

    def exported(self, **fields: Any) -> DataExportCosts:
        """The export as a source."""
        source = DataExport(name="exported", since=SINCE, account=ACCOUNT, bucket=BUCKET, export=EXPORT, **fields)
        return DataExportCosts(self.clients, source)

    def export(self, **fields: Any) -> FocusExport:
        """What delivers it."""
        return FocusExport(self.s3, self.bill, ACCOUNT, BUCKET, EXPORT, **fields)


class ClockOf:
    """The account's clock, as a collector asks it."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now(), UTC)


def explorer_source(**fields: Any) -> CostExplorer:
    return CostExplorer(**{"name": "explorer", "since": SINCE, "account": ACCOUNT, **fields})


@contextmanager
def billed_account(setenv: Callable[[str, str], None], settings: CostExplorerSettings = USUAL) -> Iterator[Account]:
    """An account whose bill is empty yet, at noon of a day in November."""
    clock = VirtualClock(NOON.timestamp())
    bill = Bill()
    explorer = CostExplorerSimulator(clock, clock.advance, bill, (ACCOUNT, ANOTHER_ACCOUNT), settings)
    with serve(create_app(clock, cost_explorer=explorer), name="account") as server:
        setenv("AWS_ENDPOINT_URL", server.url)
        setenv("AWS_ACCESS_KEY_ID", "local")
        setenv("AWS_SECRET_ACCESS_KEY", "local")
        s3 = create_client("s3", server.url, REGION)
        s3.create_bucket(Bucket=BUCKET)
        yield Account(clock, bill, explorer, AwsClients(AwsSettings.from_environment({})), s3)


def pages(source: CostSource, span: Span, cursor: str | None = None) -> Iterator[Page]:
    """Every page of a span, one after the other."""
    while True:
        page = source.page(span, cursor, None)
        assert isinstance(page, Page)
        yield page
        if page.cursor is None:
            return
        cursor = page.cursor


def rows(source: CostSource, span: Span) -> list[Row]:
    """All rows of a span."""
    return [row for page in pages(source, span) for row in content(page)]


def content(page: Page) -> Sequence[Row]:
    """What is on a page; a file's text stays as it is written, but for amounts, times and tags."""
    if isinstance(page.content, Rows):
        return page.content.rows
    with page.content.open() as file:
        data = file.read()
    if page.content.format == "parquet":
        return _of_parquet(data)
    return [_typed(it) for it in csv.DictReader(gzip.decompress(data).decode().splitlines())]


def total(found: Sequence[Row], column: str = "BilledCost") -> Decimal:
    return sum((_decimal(row[column]) for row in found), Decimal())


def _decimal(value: object) -> Decimal:
    assert isinstance(value, Decimal)
    return value


def _typed(row: Mapping[str, str]) -> Row:
    costs = {key: Decimal(text) for key, text in row.items() if key.endswith("Cost")}
    times = {
        key: datetime.fromisoformat(text)
        for key, text in row.items()
        if key.startswith(("BillingPeriod", "ChargePeriod")) and text
    }
    return {key: text for key, text in row.items() if text} | costs | times | {"Tags": json.loads(row["Tags"])}


def _of_parquet(data: bytes) -> list[Row]:
    """Doubles become the shortest decimals that stand for them, which are those that were written."""
    with TemporaryDirectory() as folder, duckdb.connect() as database:
        path = Path(folder) / "rows.parquet"
        path.write_bytes(data)
        found = database.read_parquet(str(path))
        names = found.columns
        read = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    return [
        {key: _of_duckdb(value) for key, value in row.items() if value is not None and not key.startswith("x_D")}
        for row in read
    ]


def _of_duckdb(value: Any) -> Any:
    if isinstance(value, float):
        return Decimal(repr(value))
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value
