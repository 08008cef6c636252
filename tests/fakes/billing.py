"""Sources for tests about billing."""

from __future__ import annotations

from datetime import UTC, datetime

from lambdas.core.billing.sources import AnySource, BigQueryExport, CostQuery, DataExport

SINCE = datetime(2026, 1, 1, tzinfo=UTC)


def hourly(since: datetime = SINCE) -> AnySource:
    """A source that is read by the hour."""
    return BigQueryExport(name="hourly", since=since, project="shop", table="shop.billing.export_1")


def daily(since: datetime = SINCE) -> AnySource:
    """A source that knows days only."""
    return CostQuery(name="daily", since=since, subscription="sub-1")


def monthly(since: datetime = SINCE) -> AnySource:
    """A source that exports months."""
    return DataExport(name="monthly", since=since, account="123456789012", bucket="exports", export="focus")
