"""Cost Explorer as a source: what it bills is what rows add up to, whatever comes between its pages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from lambdas.core.billing.spans import Span
from lambdas.core.errors import CursorExpired, RetryableError, TerminalError, Throttled
from lambdas.core.ports.costs import CostSource, Page, Row
from local.simulators.aws_billing import CostExplorerSettings
from local.simulators.faults import Fault, FaultKind
from tests.unit.aws.billing import (
    ACCOUNT,
    ANOTHER_ACCOUNT,
    EC2,
    NOON,
    NOVEMBER,
    S3,
    Account,
    billed_account,
    charge,
    content,
    pages,
    rows,
    total,
)

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
WEEK = Span(MONDAY, NOON)
MANDATORY_AND_NEVER_NULL = {
    "BilledCost",
    "BillingAccountId",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ContractedCost",
    "EffectiveCost",
    "InvoiceIssuerName",
    "ListCost",
    "ProviderName",
    "PublisherName",
    "ServiceCategory",
    "ServiceName",
}


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    with billed_account(monkeypatch.setenv, CostExplorerSettings(page_size=3)) as account:
        yield account


def test_what_rows_add_up_to_is_the_bill_to_the_last_digit(account: Account) -> None:
    amounts = ["0.0416", "0.00000000000000000001", "123456789.123456789", "-0.3333333333", "0.1", "0.2"]
    account.bill.add(
        charge(number, MONDAY + number * HOUR, amount, f"saga-{number % 4}") for number, amount in enumerate(amounts)
    )
    account.bill.add([charge(90, MONDAY, "12.34", kind="tax", service="Tax")])

    assert total(rows(account.costs(), WEEK)) == sum(map(Decimal, amounts)) + Decimal("12.34")


def test_a_row_tells_its_saga_its_service_its_day_and_its_month(account: Account) -> None:
    account.bill.add([charge(1, MONDAY + 5 * HOUR, saga="saga-1"), charge(2, MONDAY + 6 * HOUR, saga="saga-1")])

    (row,) = rows(account.costs(), WEEK)
    assert row["Tags"] == {"skysaga-saga": "saga-1"}
    assert (row["ServiceName"], row["ServiceCategory"]) == (EC2, "Compute")
    assert (row["ChargePeriodStart"], row["ChargePeriodEnd"]) == (MONDAY, MONDAY + DAY)
    assert (row["BillingPeriodStart"], row["BillingPeriodEnd"]) == NOVEMBER
    assert (row["BilledCost"], row["BillingCurrency"]) == (Decimal("0.0832"), "USD")


def test_every_mandatory_column_that_may_not_be_null_has_a_value(account: Account) -> None:
    kinds = ("usage", "purchase", "tax", "credit", "adjustment")
    account.bill.add(charge(number, MONDAY, kind=kind) for number, kind in enumerate(kinds))

    found = rows(account.costs(), WEEK)
    assert {row["ChargeCategory"] for row in found} == {"Usage", "Purchase", "Tax", "Credit", "Adjustment"}
    assert all(row.keys() >= MANDATORY_AND_NEVER_NULL for row in found)


def test_every_row_is_on_one_page_however_many_there_are(account: Account) -> None:
    account.bill.add(charge(number, MONDAY + number * HOUR, saga=f"saga-{number}") for number in range(20))
    account.bill.add([charge(21, MONDAY, service=S3, saga="saga-1"), charge(22, MONDAY, kind="credit")])

    read = list(pages(account.costs(), WEEK))
    assert len(read) == 8
    found = [row for page in read for row in content(page)]
    assert len({(row["x_RecordType"], row["ServiceName"], str(row.get("Tags"))) for row in found}) == len(found) == 22


def test_a_refusal_says_when_to_ask_again(account: Account) -> None:
    account.explorer.faults.arm([Fault(operation="GetCostAndUsage", fault=FaultKind.THROTTLE)])

    with pytest.raises(Throttled, match="LimitExceededException") as refused:
        account.costs().page(WEEK, None, None)
    assert refused.value.retry_after == 1
    assert len(account.explorer.log) == 1


def test_a_refusal_that_names_no_time_is_waited_out_for_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    with billed_account(monkeypatch.setenv, CostExplorerSettings(retry_after=None)) as account:
        account.explorer.faults.arm([Fault(operation="*", fault=FaultKind.THROTTLE)])
        with pytest.raises(Throttled) as refused:
            account.costs().page(WEEK, None, None)
    assert refused.value.retry_after == 60


@pytest.mark.parametrize("kind", [FaultKind.ERROR, FaultKind.REFUSE, FaultKind.LOST])
def test_an_answer_that_does_not_come_is_asked_for_again_at_the_same_cursor(account: Account, kind: FaultKind) -> None:
    account.bill.add(charge(number, MONDAY, saga=f"saga-{number}") for number in range(5))
    source = account.costs()
    first = source.page(WEEK, None, None)
    assert isinstance(first, Page)
    account.explorer.faults.arm([Fault(operation="GetCostAndUsage", fault=kind)])

    with pytest.raises(RetryableError):
        source.page(WEEK, first.cursor, None)
    second = source.page(WEEK, first.cursor, None)
    assert isinstance(second, Page)
    assert total([*content(first), *content(second)]) == 5 * Decimal("0.0416")


@pytest.mark.parametrize("seed", range(5))
def test_a_read_through_any_trouble_is_the_bill(account: Account, seed: int) -> None:
    account.bill.add(
        charge(number, MONDAY + number * HOUR, f"0.{number:04}7", f"saga-{number % 9}") for number in range(40)
    )
    troubles = (FaultKind.THROTTLE, FaultKind.ERROR, FaultKind.REFUSE, FaultKind.LOST)
    account.explorer.faults.arm(
        Fault(operation="*", fault=kind, times=None, probability=0.2, seed=10 * seed + number)
        for number, kind in enumerate(troubles)
    )

    assert total(insisting(account.costs())) == sum(Decimal(f"0.{number:04}7") for number in range(40))


def insisting(source: CostSource) -> list[Row]:
    """All rows of the week, each page asked for until it comes."""
    found: list[Row] = []
    cursor = None
    while True:
        try:
            page = source.page(WEEK, cursor, None)
        except RetryableError:
            continue
        assert isinstance(page, Page)
        found += content(page)
        cursor = page.cursor
        if cursor is None:
            return found


def test_a_token_that_has_expired_means_from_the_beginning(account: Account) -> None:
    account.bill.add(charge(number, MONDAY, saga=f"saga-{number}") for number in range(5))
    source = account.costs()
    first = source.page(WEEK, None, None)
    assert isinstance(first, Page)
    account.clock.advance(3601)

    with pytest.raises(CursorExpired):
        source.page(WEEK, first.cursor, None)


@pytest.mark.parametrize("cursor", ["", "{}", '{"query": 7, "begun": "2026-11-26T12:00:00Z"}', "no JSON"])
def test_a_cursor_that_is_none_means_from_the_beginning(account: Account, cursor: str) -> None:
    if not cursor:
        assert isinstance(account.costs().page(WEEK, cursor, None), Page)
        return
    with pytest.raises(CursorExpired):
        account.costs().page(WEEK, cursor, None)


def test_a_cursor_of_another_span_means_from_the_beginning(account: Account) -> None:
    account.bill.add(charge(number, MONDAY, saga=f"saga-{number}") for number in range(5))
    first = account.costs().page(WEEK, None, None)
    assert isinstance(first, Page)

    with pytest.raises(CursorExpired, match="RequestChangedException"):
        account.costs().page(WEEK._replace(start=MONDAY - DAY), first.cursor, None)


def test_a_restated_charge_is_seen_by_the_next_read_and_not_by_one_under_way(account: Account) -> None:
    account.bill.add(charge(number, MONDAY, "1", saga=f"saga-{number}") for number in range(5))
    account.bill.restate("charge-000004", Decimal("0.5"), NOON + timedelta(minutes=1))
    source = account.costs()
    first = source.page(WEEK, None, None)
    assert isinstance(first, Page)
    account.clock.advance(120)
    second = source.page(WEEK, first.cursor, None)
    assert isinstance(second, Page)

    assert total([*content(first), *content(second)]) == 5
    assert total(rows(source, WEEK)) == Decimal("4.5")


def test_a_charge_that_becomes_known_late_is_missing_until_then(account: Account) -> None:
    account.bill.add([charge(1, MONDAY, "1"), charge(2, MONDAY, "2", known_at=NOON + 9 * HOUR)])

    assert total(rows(account.costs(), WEEK)) == 1
    account.clock.advance(10 * 3600)
    assert total(rows(account.costs(), WEEK)) == 3


def test_months_meet_without_gap_or_overlap(account: Account) -> None:
    edges = [NOVEMBER.start - HOUR, NOVEMBER.start, NOVEMBER.end - HOUR, NOVEMBER.end]
    account.bill.add(charge(number, edge, str(10**number)) for number, edge in enumerate(edges))
    account.clock.advance_to((NOVEMBER.end + 6 * DAY).timestamp())

    assert total(rows(account.costs(), NOVEMBER)) == 110
    assert total(rows(account.costs(), Span(NOVEMBER.start - DAY, NOVEMBER.start))) == 1
    assert {row["x_Estimated"] for row in rows(account.costs(), NOVEMBER)} == {"false"}


def test_a_correction_of_an_earlier_month_is_in_the_first_day_of_the_month_it_is_billed_in(account: Account) -> None:
    october = datetime(2026, 10, 20, tzinfo=UTC)
    account.bill.add([charge(1, october, "-5", corrects=True, known_at=MONDAY, billing_month="2026-11")])

    (row,) = rows(account.costs(), NOVEMBER._replace(end=NOON))
    assert (row["ChargePeriodStart"], row["ChargeClass"]) == (NOVEMBER.start, "Correction")
    assert row["BilledCost"] == Decimal(-5)
    assert not rows(account.costs(), Span(october, october + DAY))


def test_only_the_sources_own_account_is_read(account: Account) -> None:
    account.bill.add([charge(1, MONDAY, "1"), charge(2, MONDAY, "2", account=ANOTHER_ACCOUNT)])

    assert total(rows(account.costs(), WEEK)) == 1
    assert total(rows(account.costs(account=ANOTHER_ACCOUNT), WEEK)) == 2


@pytest.mark.parametrize("saga", ["a$b", "$", "skysaga-saga$x", " ", "größe/🚀", "Saga-1"])
def test_a_tag_comes_through_whatever_is_in_it(account: Account, saga: str) -> None:
    account.bill.add([charge(1, MONDAY, saga=saga)])

    (row,) = rows(account.costs(), WEEK)
    assert row["Tags"] == {"skysaga-saga": saga}


def test_what_bears_no_saga_has_no_tags(account: Account) -> None:
    account.bill.add(
        [charge(1, MONDAY), charge(2, MONDAY, tags={"skysaga-saga": ""}), charge(3, MONDAY, tags={"a": "b"})]
    )

    (row,) = rows(account.costs(), WEEK)
    assert "Tags" not in row


def test_hours_are_hours_for_twelve_days_and_days_before_that(account: Account) -> None:
    long_ago = NOON.replace(hour=0) - 20 * DAY
    account.bill.add(charge(number, long_ago + number * HOUR, "1") for number in range(20 * 24))

    found = rows(account.costs(hourly=True), Span(long_ago, NOON))
    lengths = [row["ChargePeriodEnd"] - row["ChargePeriodStart"] for row in found]  # type: ignore[operator]
    assert (lengths.count(DAY), lengths.count(HOUR)) == (8, 12 * 24)
    assert total(found) == 20 * 24


def test_a_read_that_lasts_beyond_midnight_divides_hours_and_days_as_it_began(account: Account) -> None:
    long_ago = NOON.replace(hour=0) - 15 * DAY
    account.bill.add(charge(number, long_ago + number * HOUR, "1") for number in range(15 * 24))
    account.clock.advance_to((NOON.replace(hour=23, minute=59)).timestamp())
    source, span = account.costs(hourly=True), Span(long_ago, NOON)
    first = source.page(span, None, None)
    assert isinstance(first, Page)
    account.clock.advance(120)

    found = [*content(first), *(row for page in pages(source, span, first.cursor) for row in content(page))]
    assert total(found) == 15 * 24


def test_what_is_refused_for_good_is_terminal(account: Account) -> None:
    account.explorer.faults.arm([Fault(operation="*", fault=FaultKind.QUOTE)])

    with pytest.raises(TerminalError, match="ValidationException"):
        account.costs().page(WEEK, None, None)


def test_the_account_is_written_on_every_row(account: Account) -> None:
    account.bill.add([charge(1, MONDAY)])

    (row,) = rows(account.costs(), WEEK)
    assert (row["BillingAccountId"], row["SubAccountId"]) == (ACCOUNT, ACCOUNT)
