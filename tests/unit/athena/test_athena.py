"""The local Athena, asked with boto3 over files that DuckDB wrote."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import duckdb
import pytest
from botocore.exceptions import ClientError

from local.athena import Athena
from local.clock import WallClock
from tests.unit.athena.conftest import NINE, Place
from tests.unit.athena.costs import DATABASE, WORKGROUP, Charge

TOKEN = "t" * 32


def start(place: Place, query: str, **more: Any) -> str:
    request = {"QueryString": query, "QueryExecutionContext": {"Database": DATABASE}, "WorkGroup": WORKGROUP, **more}
    return str(place.client("athena").start_query_execution(**request)["QueryExecutionId"])


def status(place: Place, query: str) -> dict[str, Any]:
    found: dict[str, Any] = place.client("athena").get_query_execution(QueryExecutionId=query)["QueryExecution"]
    return dict(found["Status"])


def rows(place: Place, query: str) -> list[list[str | None]]:
    found = place.client("athena").get_query_results(QueryExecutionId=query)["ResultSet"]["Rows"]
    return [[it.get("VarCharValue") for it in row["Data"]] for row in found]


def test_a_query_is_answered_over_every_partition_with_a_header_and_types(place: Place) -> None:
    place.put(Charge("1.00000000000000000001", NINE, saga="s1"), Charge("2.5", NINE))
    place.put(Charge("3", NINE, "EUR"), source="azure-prod")
    query = start(
        place,
        'SELECT "source", billing_period, BillingCurrency, SUM(BilledCost) AS Billed, COUNT(*) AS lines, MAX(x_SagaId)'
        ' FROM "skysaga"."costs" GROUP BY 1, 2, 3 ORDER BY 1',
    )
    assert status(place, query)["State"] == "SUCCEEDED"
    assert rows(place, query) == [
        ["source", "billing_period", "billingcurrency", "billed", "lines", "max(x_sagaid)"],
        ["azure-prod", "2026-11", "EUR", "3.00000000000000000000", "1", None],
        ["payments", "2026-11", "USD", "3.50000000000000000001", "2", "s1"],
    ]
    result = place.client("athena").get_query_results(QueryExecutionId=query)["ResultSet"]
    info = {it["Name"]: it for it in result["ResultSetMetadata"]["ColumnInfo"]}
    assert (info["source"]["Type"], info["lines"]["Type"]) == ("varchar", "bigint")
    assert (info["billed"]["Type"], info["billed"]["Precision"], info["billed"]["Scale"]) == ("decimal", 38, 20)


def test_what_trino_has_and_duckdb_calls_otherwise_is_understood(place: Place) -> None:
    place.put(Charge("1", NINE, tags={"team": "payments", "stage": "prod"}), Charge("2", NINE))
    query = start(
        place,
        "SELECT element_at(Tags, 'team'), CAST(CAST(ChargePeriodStart AS date) AS varchar), Tags, ChargePeriodEnd"
        " FROM costs WHERE BilledCost = 1",
    )
    assert rows(place, query)[1:] == [
        ["payments", "2026-11-26", "{team=payments, stage=prod}", "2026-11-26 10:00:00.000"]
    ]


def test_a_result_is_read_in_pages_of_which_the_first_has_the_header(place: Place) -> None:
    place.put(*(Charge(str(number), NINE) for number in range(1, 6)))
    query = start(place, "SELECT CAST(BilledCost AS bigint) AS cost FROM costs ORDER BY 1")
    athena, request, found = place.client("athena"), {"QueryExecutionId": query, "MaxResults": 2}, []
    while True:
        page = athena.get_query_results(**request)
        found.append([row["Data"][0]["VarCharValue"] for row in page["ResultSet"]["Rows"]])
        if "NextToken" not in page:
            break
        request["NextToken"] = page["NextToken"]
    assert found == [["cost", "1"], ["2", "3"], ["4", "5"]]


def test_a_window_that_was_replaced_is_read_anew_and_only_once(place: Place) -> None:
    place.put(Charge("1", NINE))
    assert rows(place, start(place, "SELECT SUM(BilledCost) AS x FROM costs"))[1] == ["1.00000000000000000000"]
    place.put(Charge("2", NINE))
    place.put(Charge("5", NINE), start=NINE + timedelta(hours=1))
    assert rows(place, start(place, "SELECT SUM(BilledCost) AS x FROM costs"))[1] == ["7.00000000000000000000"]


def test_a_table_without_files_is_empty(place: Place) -> None:
    assert rows(place, start(place, "SELECT x_SagaId FROM costs")) == [["x_sagaid"]]


def test_the_same_token_is_the_same_query_and_not_another_one(place: Place) -> None:
    first = start(place, "SELECT 1", ClientRequestToken=TOKEN)
    reuse = {"ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": 60}}
    assert start(place, "SELECT 1", ClientRequestToken=TOKEN) == first
    assert start(place, "SELECT 1", ResultReuseConfiguration=reuse) != first
    with pytest.raises(ClientError, match="Idempotent parameters do not match"):
        start(place, "SELECT 2", ClientRequestToken=TOKEN)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("SELECT nothing FROM costs", "COLUMN_NOT_FOUND"),
        ("SELECT 1 FROM nowhere", "TABLE_NOT_FOUND"),
        ("SELECT FROM WHERE", "SYNTAX_ERROR"),
        ("DROP TABLE costs", "SYNTAX_ERROR"),
    ],
)
def test_a_query_that_fails_says_why(place: Place, query: str, reason: str) -> None:
    failed = start(place, query)
    found = status(place, failed)
    assert (found["State"], found["StateChangeReason"].partition(":")[0]) == ("FAILED", reason)
    assert found["AthenaError"]["Retryable"] is False
    with pytest.raises(ClientError, match="Final query state: FAILED"):
        rows(place, failed)


def test_a_file_that_is_no_parquet_fails_the_query(place: Place) -> None:
    place.client("s3").put_object(
        Bucket="skysaga-costs", Key="costs/source=a/billing_period=2026-11/2026-11-26T09.parquet", Body=b"no parquet"
    )
    assert status(place, start(place, "SELECT COUNT(*) FROM costs"))["StateChangeReason"].startswith("HIVE_BAD_DATA")


def test_a_query_that_waits_can_be_stopped_and_then_never_runs(place: Place) -> None:
    place.holding = True
    query = start(place, "SELECT 1")
    assert status(place, query)["State"] == "QUEUED"
    with pytest.raises(ClientError, match="Current state: QUEUED"):
        rows(place, query)
    place.client("athena").stop_query_execution(QueryExecutionId=query)
    place.let_go()
    assert status(place, query)["State"] == "CANCELLED"


def test_a_workgroup_must_be_there_and_say_where_results_go(place: Place) -> None:
    place.client("athena").create_work_group(Name="silent")
    with pytest.raises(ClientError, match="WorkGroup nowhere is not found"):
        start(place, "SELECT 1", WorkGroup="nowhere")
    with pytest.raises(ClientError, match="No output location provided"):
        start(place, "SELECT 1", WorkGroup="silent")


def test_without_a_say_in_the_matter_a_query_runs_in_a_thread_of_its_own(place: Place) -> None:
    athena = Athena(WallClock(), place.client)
    body = f'{{"QueryString": "SELECT 42 AS x", "WorkGroup": "{WORKGROUP}"}}'.encode()
    _, started = athena.handle("AmazonAthena.StartQueryExecution", body)
    for _ in range(100):
        code, answer = athena.handle("AmazonAthena.GetQueryResults", started)
        if code == 200:
            break
        time.sleep(0.02)
    assert b'"VarCharValue": "42"' in answer
    athena.close()


def test_files_that_lack_a_column_or_have_more_are_read_by_name(place: Place) -> None:
    place.put(Charge("1", NINE, saga="s1"))
    path = place.folder / "other.parquet"
    with duckdb.connect() as connection:
        columns = "'later' AS x_New, CAST(2 AS DECIMAL(38, 20)) AS BilledCost, 'EUR' AS BillingCurrency"
        connection.execute(f"COPY (SELECT {columns}) TO '{path}' (FORMAT parquet)")
    key = "costs/source=payments/billing_period=2026-11/2026-11-26T10.parquet"
    place.client("s3").put_object(Bucket="skysaga-costs", Key=key, Body=path.read_bytes())
    query = start(place, "SELECT BillingCurrency, CAST(BilledCost AS integer), x_SagaId FROM costs ORDER BY 1")
    assert rows(place, query)[1:] == [["EUR", "2", None], ["USD", "1", "s1"]]
