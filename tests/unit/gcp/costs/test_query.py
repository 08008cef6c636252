"""The query's own text, run by DuckDB over a table of the export's schema: which rows are in which span."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any, Final

import duckdb
import pytest

from lambdas.core.billing.spans import Span
from lambdas.gcp.costs.bigquery import EXPORTED_BEFORE, QUERY
from local.simulators.bill import Charge
from local.simulators.gcp.billing_export import begins, exported
from tests.unit.gcp.costs.exports import DAY, NOVEMBER, SOURCE, charge, hour

_NAMED: Final = {"id": "VARCHAR", "description": "VARCHAR"}
_LABELS: Final = [{"key": "VARCHAR", "value": "VARCHAR"}]
_SCHEMA: Final = {
    "billing_account_id": "VARCHAR",
    "invoice": {"month": "VARCHAR", "publisher_type": "VARCHAR"},
    "cost_type": "VARCHAR",
    "service": _NAMED,
    "sku": _NAMED,
    "usage_start_time": "TIMESTAMPTZ",
    "usage_end_time": "TIMESTAMPTZ",
    "project": {"id": "VARCHAR", "number": "VARCHAR", "name": "VARCHAR", "labels": _LABELS},
    "labels": _LABELS,
    "system_labels": _LABELS,
    "location": {"location": "VARCHAR", "country": "VARCHAR", "region": "VARCHAR", "zone": "VARCHAR"},
    "resource": {"name": "VARCHAR", "global_name": "VARCHAR"},
    "cost": "DOUBLE",
    "currency": "VARCHAR",
    "usage": {"amount": "DOUBLE", "unit": "VARCHAR", "amount_in_pricing_units": "DOUBLE", "pricing_unit": "VARCHAR"},
    "credits": [{"name": "VARCHAR", "amount": "DOUBLE", "type": "VARCHAR"}],
    "export_time": "TIMESTAMPTZ",
}

_BRIDGES: Final = (
    "SET TimeZone = 'UTC'",
    "CREATE MACRO to_json_string(it) AS CAST(to_json(it) AS VARCHAR)",
    "CREATE MACRO parse_date(format, it) AS CAST(strptime(it, format) AS DATE)",
    'CREATE MACRO "timestamp"(day, zone) AS timezone(zone, CAST(day AS TIMESTAMP))',
)
"""Functions of BigQuery that DuckDB calls otherwise."""

_ROW: Final = f"SELECT row.* FROM (SELECT from_json(?, '{json.dumps(_SCHEMA)}') AS row)"  # noqa: S608 -- ours
_CREATE: Final = f"CREATE TABLE export AS SELECT *, NULL::TIMESTAMPTZ AS _PARTITIONTIME FROM ({_ROW}) LIMIT 0"  # noqa: S608
_INSERT: Final = f"INSERT INTO export SELECT *, ?::TIMESTAMPTZ FROM ({_ROW})"  # noqa: S608


class Warehouse:
    """The export's table in DuckDB."""

    def __init__(self) -> None:
        self._connection = duckdb.connect()
        for bridge in _BRIDGES:
            self._connection.execute(bridge)
        self._connection.execute(_CREATE, ["{}"])

    def add(self, it: Charge, exported_on: datetime | None, **changes: Any) -> None:
        """Export a charge into the partition of a day, or into none yet."""
        row = json.dumps({**exported(it), **changes})
        self._connection.execute(_INSERT, [exported_on, row])

    def ask(self, span: Span, project: str = "shop") -> list[str]:
        """The SKUs of what the query finds."""
        sql = QUERY.format(table="export").replace("`", '"').replace("TIMESTAMP(", '"timestamp"(').replace("@", "$")
        parameters = {
            "project": project,
            "timezone": SOURCE.calendar.timezone,
            "first": span.start,
            "beyond": span.end,
            "exported_since": span.start - EXPORTED_BEFORE,
        }
        found = self._connection.execute(sql, parameters).fetchall()
        return sorted(json.loads(document)["sku"]["id"] for (document,) in found)


@pytest.fixture
def warehouse() -> Warehouse:
    return Warehouse()


def test_usage_is_in_the_span_that_it_begins_in(warehouse: Warehouse) -> None:
    for name, start in {
        "before": DAY.start - timedelta(seconds=1),
        "first": DAY.start,
        "last": DAY.end - timedelta(seconds=1),
        "after": DAY.end,
    }.items():
        warehouse.add(charge(name, start, sku=name), DAY.end)
    assert warehouse.ask(DAY) == ["first", "last"]


def test_usage_on_a_later_invoice_is_in_the_span_that_its_month_begins_in(warehouse: Warehouse) -> None:
    warehouse.add(charge("a", hour("2026-10-20T09"), sku="fix", billing_month="2026-11", corrects=True), NOVEMBER)
    assert warehouse.ask(Span(hour("2026-10-20T00"), hour("2026-10-21T00"))) == []
    assert warehouse.ask(Span(NOVEMBER - timedelta(hours=1), NOVEMBER)) == []
    assert warehouse.ask(Span(NOVEMBER, NOVEMBER + timedelta(hours=1))) == ["fix"]


def test_usage_on_an_earlier_invoice_or_on_none_yet_is_where_it_began(warehouse: Warehouse) -> None:
    warehouse.add(charge("a", sku="early", billing_month="2026-10"), DAY.end)
    warehouse.add(charge("b", sku="none"), DAY.end, invoice={"month": None})
    assert warehouse.ask(DAY) == ["early", "none"]


def test_only_the_sources_project_is_found_and_one_without_a_name_is_what_belongs_to_none(warehouse: Warehouse) -> None:
    warehouse.add(charge("a", sku="ours"), DAY.end)
    warehouse.add(charge("b", sku="theirs", account="warehouse"), DAY.end)
    warehouse.add(charge("c", sku="support"), DAY.end, project=None)
    warehouse.add(charge("d", sku="tax"), DAY.end, project={"id": None})
    assert warehouse.ask(DAY) == ["ours"]
    assert warehouse.ask(DAY, project="") == ["support", "tax"]


def test_old_partitions_are_not_read_and_what_is_in_none_yet_is(warehouse: Warehouse) -> None:
    warehouse.add(charge("a", sku="old"), DAY.start - EXPORTED_BEFORE - timedelta(days=1))
    warehouse.add(charge("b", sku="paid in advance"), DAY.start - EXPORTED_BEFORE)
    warehouse.add(charge("c", sku="late"), DAY.end + timedelta(days=90))
    warehouse.add(charge("d", sku="just arrived"), None)
    assert warehouse.ask(DAY) == ["just arrived", "late", "paid in advance"]


def test_every_hour_around_a_pacific_month_is_in_one_span_as_the_simulator_says(warehouse: Warehouse) -> None:
    charges = [
        charge(f"{day}-{hours}", day + timedelta(hours=hours), sku=f"{month}-{hours}", billing_month=month)
        for day in (NOVEMBER, hour("2026-03-08T00"))
        for hours in range(-12, 12)
        for month in ("2026-03", "2026-11")
    ]
    for it in charges:
        warehouse.add(it, None)
    for start in (NOVEMBER - timedelta(hours=13), NOVEMBER, hour("2026-03-01T08"), hour("2026-03-08T00")):
        span = Span(start, start + timedelta(hours=6))
        expected = sorted(it.sku for it in charges if span.start <= begins(it) < span.end)
        assert warehouse.ask(span) == expected
