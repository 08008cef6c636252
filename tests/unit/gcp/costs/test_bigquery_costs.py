"""Reading a billing export with the real client: page by page from one snapshot, throttled, lost, expired, restated."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest

from lambdas.core.billing.spans import Span
from lambdas.core.errors import CursorExpired, RetryableError, TerminalError, Throttled
from lambdas.core.ports.costs import Page, Rows, Unchanged
from local.simulators.faults import FaultKind
from local.simulators.gcp.bigquery import BigQueryTiming
from tests.unit.gcp.costs.exports import DAY, NOVEMBER, Export, billing_export, charge, hour, total


@pytest.fixture
def export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Export]:
    with billing_export(tmp_path, monkeypatch) as export:
        yield export


def test_all_of_a_span_is_read_page_by_page_and_nothing_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with billing_export(tmp_path, monkeypatch, BigQueryTiming(page_rows=7)) as export:
        export.bill.add(charge(f"c{number}", resource=f"machine-{number}") for number in range(20))
        pages = export.pages()

    assert [len(page) for page in pages] == [0, 7, 7, 6]
    assert {row["ResourceName"] for page in pages for row in page} == {f"machine-{number}" for number in range(20)}


def test_a_page_takes_one_request_once_the_query_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with billing_export(tmp_path, monkeypatch, BigQueryTiming(page_rows=1, query=0)) as export:
        export.bill.add([charge("a"), charge("b"), charge("c")])
        export.pages()

    assert export.calls() == ["jobs.insert", "jobs.get", "tabledata.list", "tabledata.list", "tabledata.list"]


def test_what_is_billed_sums_up_to_the_bill_to_the_last_digit(export: Export) -> None:
    amounts = ["0.1", "0.2", "1234567.00000000000000000001", "-0.00000000000000000003", "99999999999.123456789", "0"]
    export.bill.add(charge(f"c{number}", amount=Decimal(amount)) for number, amount in enumerate(amounts))
    export.bill.add([charge("dollars", amount=Decimal("0.07"), currency="USD")])
    export.bill.add([charge("credit", kind="credit", amount=Decimal("-0.05"), sku="Free trial")])

    expected = sum(map(Decimal, amounts), Decimal("-0.05"))
    assert total(export.rows()) == {"EUR": expected, "USD": Decimal("0.07")}


def test_another_project_is_none_of_the_sources(export: Export) -> None:
    export.bill.add([charge("ours"), charge("theirs", account="warehouse")])
    assert export.row()["SubAccountId"] == "shop"


def test_a_running_query_is_looked_at_again_later_and_nothing_waits_inside(export: Export) -> None:
    export.bill.add([charge("a")])
    began = export.clock.now()
    page = export.costs.page(DAY, None, None)
    assert isinstance(page, Page)
    assert page.content == Rows([])

    with pytest.raises(Throttled) as throttled:
        export.costs.page(DAY, page.cursor, None)

    assert 0 < throttled.value.retry_after <= 5
    assert export.clock.now() == began
    export.clock.advance(3)
    read = export.costs.page(DAY, page.cursor, None)
    assert isinstance(read, Page)
    assert isinstance(read.content, Rows)
    assert len(read.content.rows) == 1


@pytest.mark.parametrize("operation", ["jobs.insert", "jobs.get", "tabledata.list"])
def test_a_throttled_call_is_made_once_and_says_how_long_to_wait(export: Export, operation: str) -> None:
    export.bill.add([charge("a")])
    cursor = None
    if operation != "jobs.insert":
        cursor = export.page().cursor
        export.clock.advance(10)
    export.fault(operation, FaultKind.THROTTLE)

    with pytest.raises(Throttled, match="rateLimitExceeded") as throttled:
        export.costs.page(DAY, cursor, None)

    assert throttled.value.retry_after == 7
    assert export.calls().count(operation) == 1
    assert len(export.rows()) == 1


def test_a_service_that_is_down_is_left_alone_for_a_while(export: Export) -> None:
    export.fault("jobs.insert", FaultKind.ERROR)
    with pytest.raises(Throttled, match="backendError") as throttled:
        export.costs.page(DAY, None, None)
    assert throttled.value.retry_after == 15


def test_a_lost_reply_is_retried_from_where_the_read_was(export: Export) -> None:
    export.bill.add([charge("a")])
    cursor = export.page().cursor
    export.clock.advance(10)
    export.fault("tabledata.list", FaultKind.LOST)

    with pytest.raises(RetryableError):
        export.costs.page(DAY, cursor, None)
    page = export.page(cursor)
    assert isinstance(page.content, Rows)
    assert len(page.content.rows) == 1


def test_a_refused_query_is_the_operators_and_quotes_no_credential(export: Export) -> None:
    export.fault("jobs.insert", FaultKind.QUOTE)
    with pytest.raises(TerminalError) as refused:
        export.costs.page(DAY, None, None)
    assert "Bearer" not in str(refused.value)


def test_what_is_restated_or_arrives_between_two_pages_is_not_in_this_read_but_in_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with billing_export(tmp_path, monkeypatch, BigQueryTiming(page_rows=2)) as export:
        export.bill.add(charge(f"c{number}", amount=Decimal(1)) for number in range(4))
        cursor = export.page().cursor
        first = export.page(cursor)
        export.bill.restate("c3", Decimal(5), export.now)
        export.bill.add([charge("late", amount=Decimal(7), known_at=export.now)])
        second = export.page(first.cursor)
        again = export.rows()

    assert isinstance(first.content, Rows)
    assert isinstance(second.content, Rows)
    assert total([*first.content.rows, *second.content.rows]) == {"EUR": Decimal(4)}
    assert total(again) == {"EUR": Decimal(15)}


def test_what_has_not_arrived_yet_is_read_later(export: Export) -> None:
    export.bill.add([charge("late", known_at=export.now + timedelta(hours=20))])
    assert export.rows() == []
    export.clock.advance(20 * 3600)
    assert len(export.rows()) == 1


def test_a_result_that_was_dropped_is_to_be_read_from_its_beginning(export: Export) -> None:
    export.bill.add(charge(f"c{number}") for number in range(150))
    first = export.page(export.page().cursor)
    export.clock.advance(24 * 3600)
    with pytest.raises(CursorExpired):
        export.costs.page(DAY, first.cursor, None)
    assert len(export.rows()) == 150


def test_a_query_that_failed_by_itself_is_begun_anew(export: Export) -> None:
    export.bill.add([charge("a")])
    export.fault("jobs.insert", FaultKind.FAIL)
    cursor = export.page().cursor
    with pytest.raises(CursorExpired, match="backendError"):
        export.page(cursor)
    assert len(export.rows()) == 1


@pytest.mark.parametrize("cursor", ["", "{}", "nonsense", '{"job": "job_unknown"}', '{"job": "j", "table": "a.b.c"}'])
def test_an_unknown_cursor_is_to_be_read_from_its_beginning(export: Export, cursor: str) -> None:
    with pytest.raises(CursorExpired):
        export.costs.page(DAY, cursor, None)


def test_an_export_that_was_not_written_to_is_not_read_again(export: Export) -> None:
    export.bill.add([charge("a")])
    export.rows()
    before = len(export.calls())

    assert export.costs.page(DAY, None, export.now) == Unchanged()
    assert export.calls()[before:] == ["tables.get"]

    export.bill.add([charge("late", known_at=export.now)])
    assert isinstance(export.costs.page(DAY, None, export.now - timedelta(minutes=1)), Page)


def test_a_month_begins_at_midnight_in_pacific_time_and_spans_part_there(export: Export) -> None:
    last = charge("last", NOVEMBER - timedelta(hours=1))
    first = charge("first", NOVEMBER)
    export.bill.add([last, first])

    before = export.row(Span(hour("2026-10-25T00"), NOVEMBER))
    after = export.row(Span(NOVEMBER, hour("2026-11-05T00")))

    assert (before["BillingPeriodStart"], before["BillingPeriodEnd"]) == (hour("2026-10-01T07"), NOVEMBER)
    assert (after["BillingPeriodStart"], after["BillingPeriodEnd"]) == (NOVEMBER, hour("2026-12-01T08"))
    assert "ChargeClass" not in before
    assert "ChargeClass" not in after


def test_a_correction_belongs_to_the_first_window_of_the_invoice_that_it_is_on(export: Export) -> None:
    usage = hour("2026-10-20T09")
    export.bill.add([charge("fix", usage, amount=Decimal(-3), billing_month="2026-11", corrects=True)])

    assert export.rows(Span(hour("2026-10-20T00"), hour("2026-10-21T00"))) == []
    assert export.rows(Span(hour("2026-11-01T08"), hour("2026-11-08T08"))) == []
    row = export.row(Span(NOVEMBER, NOVEMBER + timedelta(hours=1)))
    assert (row["ChargeClass"], row["ChargePeriodStart"], row["BilledCost"]) == ("Correction", usage, Decimal(-3))
    assert row["BillingPeriodStart"] == NOVEMBER


def test_spans_that_meet_hold_every_charge_once(export: Export) -> None:
    moments = [NOVEMBER + timedelta(minutes=30 * number) for number in range(-6, 6)]
    export.bill.add(charge(f"c{number}", at, amount=Decimal(1)) for number, at in enumerate(moments))
    export.bill.add([charge("fix", hour("2026-10-01T08"), amount=Decimal(1), billing_month="2026-11", corrects=True)])
    hours = [NOVEMBER + timedelta(hours=number) for number in range(-3, 4)]

    read = [row for start, end in pairwise(hours) for row in export.rows(Span(start, end))]
    assert len(read) == 13


def test_the_query_is_asked_as_the_target_and_labelled_with_the_source(export: Export) -> None:
    export.bill.add([charge("a")])
    export.rows()
    (inserted, *_) = [it for it in export.simulator.log if it.operation == "jobs.insert"]
    (listed,) = [it for it in export.simulator.log if it.operation == "tabledata.list"]
    assert inserted.path.startswith("/bigquery/v2/projects/billing-reader/jobs")
    assert parse_qs(urlparse(listed.path).query)["maxResults"] == ["100"]


def test_moments_are_in_utc(export: Export) -> None:
    export.bill.add([charge("a")])
    start = export.row()["ChargePeriodStart"]
    assert start == datetime(2026, 11, 20, 9, tzinfo=UTC)
