"""Files that clouds export: CSV and Parquet, of 1.2 and older versions of FOCUS, each with its own ways."""

from __future__ import annotations

import gzip
from contextlib import closing
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import duckdb
import pytest

from lambdas.core.billing.windows import Window
from lambdas.core.errors import TerminalError
from lambdas.core.ports.costs import ExportedFile
from tests.unit.billing.charges import HOUR
from tests.unit.billing.conftest import Costs
from tests.unit.billing.test_cost_files import KEY, WINDOW

HEADER = "BilledCost,BillingCurrency,ChargePeriodStart,ChargePeriodEnd,ChargeCategory"
LINE = "0.1,USD,2026-11-20T09:00:00Z,2026-11-20T10:00:00Z,Usage"


def exported(content: bytes, form: Any = "csv") -> ExportedFile:
    return ExportedFile(form, lambda: closing(BytesIO(content)))


def csv(header: str, *lines: str) -> ExportedFile:
    return exported("\r\n".join([header, *lines, ""]).encode())


def parquet(folder: Path, query: str) -> ExportedFile:
    path = folder / "exported.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    return exported(path.read_bytes(), "parquet")


def kept(costs: Costs, page: ExportedFile, columns: str) -> tuple[Any, ...]:
    """The values of some columns of the only row of the window."""
    with costs.arranged(page) as arranged:
        arranged.write(WINDOW, KEY, closed=False)
    (row,) = costs.query(KEY, f"SELECT {columns} FROM file")  # noqa: S608
    return row


def test_a_csv_with_a_byte_order_mark_quotes_and_lines_in_values(costs: Costs) -> None:
    page = csv(
        f"\ufeff{HEADER},ChargeDescription,Tags", f'{LINE},"two\nlines, ""quoted""","{{""skysaga-saga"": ""s1""}}"'
    )
    assert kept(costs, page, "ChargeDescription, x_SagaId") == ('two\nlines, "quoted"', "s1")


def test_a_compressed_csv(costs: Costs) -> None:
    page = exported(gzip.compress(f"{HEADER}\n{LINE}\n".encode()), "csv.gz")
    assert kept(costs, page, "ChargeCategory") == ("Usage",)


def test_azures_tags_without_braces(costs: Costs) -> None:
    page = csv(f"{HEADER},Tags", f'{LINE},"""skysaga-saga"": ""s1"",""team"": ""payments"""')
    assert kept(costs, page, "Tags") == ({"skysaga-saga": "s1", "team": "payments"},)


@pytest.mark.parametrize("blank", ["", '""', '"  "'])
def test_what_is_blank_is_null(costs: Costs, blank: str) -> None:
    assert kept(costs, csv(f"{HEADER},RegionId,Tags", f"{LINE},{blank},{blank}"), "RegionId, Tags") == (None, None)


def test_columns_of_older_versions_and_of_microsofts_prefix(costs: Costs) -> None:
    page = csv(f"{HEADER},x_InvoiceId,x_SkuMeterName,UsageUnit,x_Other", f"{LINE},I1,Meter,Hours,other")
    assert kept(costs, page, "InvoiceId, SkuMeter, ConsumedUnit, ServiceSubcategory") == ("I1", "Meter", "Hours", None)


def test_a_new_name_comes_before_an_old_one(costs: Costs) -> None:
    assert kept(costs, csv(f"{HEADER},x_InvoiceId,InvoiceId", f"{LINE},old,new"), "InvoiceId") == ("new",)


def test_names_are_the_same_in_any_case(costs: Costs) -> None:
    assert kept(costs, csv(f"{HEADER.lower()},regionid", f"{LINE},eu"), "RegionId") == ("eu",)


def test_times_of_other_zones_are_in_utc(costs: Costs) -> None:
    page = csv(HEADER, LINE.replace("09:00:00Z", "11:00:00+02:00"))
    assert kept(costs, page, "ChargePeriodStart") == (HOUR.replace(tzinfo=None),)


def test_times_without_a_zone_are_utc(costs: Costs) -> None:
    assert kept(costs, csv(HEADER, LINE.replace("Z", "")), "ChargePeriodStart") == (HOUR.replace(tzinfo=None),)


@pytest.mark.parametrize(("value", "amount"), [("0.1::DOUBLE", "0.1"), ("1e-7::DOUBLE", "1E-7"), ("0.3::FLOAT", "0.3")])
def test_binary_numbers_in_parquet_are_the_decimals_they_were_made_from(costs: Costs, value: str, amount: str) -> None:
    page = parquet(costs.folder, f"SELECT {value} AS BilledCost, {_parquet_rest()}")
    with costs.arranged(page) as arranged:
        assert arranged.contents[HOUR].billed == {"USD": Decimal(amount)}


def test_maps_in_parquet(costs: Costs) -> None:
    page = parquet(costs.folder, f"SELECT 1 AS BilledCost, MAP {{'team': 'a', 'b': NULL}} AS Tags, {_parquet_rest()}")
    assert kept(costs, page, "Tags") == ({"b": None, "team": "a"},)


def _parquet_rest() -> str:
    return (
        "'USD' AS BillingCurrency, TIMESTAMPTZ '2026-11-20 09:00:00+00' AS ChargePeriodStart, "
        "TIMESTAMP '2026-11-20 10:00:00' AS ChargePeriodEnd, 'x' AS x_Discounts"
    )


def test_a_row_of_an_export_that_cannot_be_used_is_named(costs: Costs) -> None:
    page = csv(HEADER, LINE, LINE.replace("0.1", ""))
    with pytest.raises(TerminalError, match=r"row 2 of the page run-000000\.csv: BilledCost "), costs.arranged(page):
        pass


def test_an_export_without_a_needed_column_is_refused(costs: Costs) -> None:
    with pytest.raises(TerminalError, match=r"row 1 .* BilledCost "), costs.arranged(csv("RegionId", "eu")):
        pass


def test_an_export_with_no_rows_holds_nothing(costs: Costs) -> None:
    with costs.arranged(csv(HEADER)) as arranged:
        assert not arranged.contents
        assert arranged.write(Window(source="production", start=HOUR), KEY, closed=False)
