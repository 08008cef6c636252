"""Cost Management's query, page by page: what is on a subscription's bill is in the rows, to the last digit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.wrappers import Request, Response

from lambdas.azure.costs.cost_query import CostQueryCosts
from lambdas.core.billing.sources import CostQuery
from lambdas.core.billing.spans import Span
from lambdas.core.errors import CursorExpired, RetryableError, TerminalError, Throttled
from lambdas.core.ports.costs import Page, Rows
from local.http_server import serve
from local.simulators.faults import FaultKind
from tests.unit.azure.costs.billed import (
    DECEMBER,
    NOVEMBER,
    NOW,
    SUBSCRIPTION,
    TAGS,
    BilledAzure,
    at,
    billed_azure,
    charge,
    clients,
    only,
    pages,
    rows,
    total,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

RATE_LIMIT = "x-ms-ratelimit-microsoft.costmanagement"


def first(azure: BilledAzure, span: Span = NOVEMBER) -> Page:
    """The first page of a span."""
    page = azure.query().page(span, None, None)
    assert isinstance(page, Page)
    return page


def test_each_charge_is_on_one_page(azure: BilledAzure) -> None:
    azure.bill.add(charge(f"2026-11-{day:02}T05:00", f"0.{day:02}", resource=f"/vm{day}") for day in range(1, 10))

    read = list(pages(azure.query(), NOVEMBER))

    on_pages = [row["ResourceId"] for page in read if isinstance(page.content, Rows) for row in page.content.rows]
    assert sorted(map(str, on_pages)) == [f"/vm{day}" for day in range(1, 10)]
    assert max(len(page.content.rows) for page in read if isinstance(page.content, Rows)) == 2


def test_a_page_takes_one_request(azure: BilledAzure) -> None:
    azure.bill.add(charge(resource=f"/vm{number}") for number in range(5))

    read = list(pages(azure.query(), NOVEMBER))

    assert len(azure.queries()) == len(read)


def test_amounts_are_exact_to_the_last_of_twenty_digits(azure: BilledAzure) -> None:
    azure.bill.add([charge(amount="123456789012345678.90123456789012345678")])

    assert only(rows(azure.query(), NOVEMBER))["BilledCost"] == Decimal("123456789012345678.90123456789012345678")


def test_totals_are_the_bills_to_the_last_digit(azure: BilledAzure) -> None:
    charges = [charge(f"2026-11-24T{hour:02}:00", f"0.{hour + 1:020}") for hour in range(24)]
    azure.bill.add(charges)

    row = only(rows(azure.query(), NOVEMBER))

    assert row["BilledCost"] == row["EffectiveCost"] == sum(it.amount for it in charges)
    assert row["PricingQuantity"] == row["ConsumedQuantity"] == 24


def test_amounts_of_several_currencies_stay_apart(azure: BilledAzure) -> None:
    azure.bill.add([charge(amount="1"), charge(amount="2", currency="USD")])

    read = {row["BillingCurrency"]: row["BilledCost"] for row in rows(azure.query(), NOVEMBER)}

    assert read == {"EUR": 1, "USD": 2}


def test_a_charge_is_for_a_whole_day_of_utc(azure: BilledAzure) -> None:
    azure.bill.add([charge("2026-11-24T23:00")])

    row = only(rows(azure.query(), NOVEMBER))

    assert (row["ChargePeriodStart"], row["ChargePeriodEnd"]) == (at("2026-11-24"), at("2026-11-25"))
    assert (row["BillingPeriodStart"], row["BillingPeriodEnd"]) == NOVEMBER


def test_a_row_bears_the_tags_of_what_it_is_for(azure: BilledAzure) -> None:
    azure.bill.add([charge(tags={**TAGS, 'odd "one"': "a:b, c"})])

    assert only(rows(azure.query(), NOVEMBER))["Tags"] == {**TAGS, 'odd "one"': "a:b, c"}


def test_charges_of_several_sagas_for_one_resource_stay_apart(azure: BilledAzure) -> None:
    azure.bill.add([charge(tags={"skysaga-saga": "s1"}), charge(tags={"skysaga-saga": "s2"}), charge(tags={})])

    read = [row.get("Tags") for row in rows(azure.query(), NOVEMBER)]

    assert sorted(map(str, read)) == ["None", "{'skysaga-saga': 's1'}", "{'skysaga-saga': 's2'}"]


@pytest.mark.parametrize(
    ("kind", "category"),
    [
        ("usage", "Usage"),
        ("purchase", "Purchase"),
        ("tax", "Tax"),
        ("credit", "Credit"),
        ("adjustment", "Adjustment"),
    ],
)
def test_a_charge_is_of_its_category(azure: BilledAzure, kind: str, category: str) -> None:
    azure.bill.add([charge(kind=kind)])

    row = only(rows(azure.query(), NOVEMBER))

    assert row["ChargeCategory"] == category
    assert ("PricingQuantity" in row) == (kind in ("usage", "purchase"))
    assert ("ConsumedQuantity" in row) == (kind == "usage")
    assert ("SkuId" in row) == (kind != "tax")


def test_months_meet_without_a_gap_and_without_a_row_in_both(azure: BilledAzure) -> None:
    azure.bill.add([charge("2026-11-30T23:00", "1"), charge("2026-12-01T00:00", "2")])

    assert [row["BilledCost"] for row in rows(azure.query(), NOVEMBER)] == [1]
    assert [row["BilledCost"] for row in rows(azure.query(), DECEMBER)] == [2]


def test_days_of_two_months_are_each_billed_in_their_own(azure: BilledAzure) -> None:
    azure.bill.add([charge("2026-11-30T23:00", "1"), charge("2026-12-01T00:00", "2")])

    read = rows(azure.query(), Span(at("2026-11-30"), at("2026-12-02")))

    assert {row["BilledCost"]: row["BillingPeriodStart"] for row in read} == {1: at("2026-11-01"), 2: at("2026-12-01")}


def test_a_correction_belongs_to_the_first_window_of_the_month_that_it_is_billed_in(azure: BilledAzure) -> None:
    azure.bill.add([charge("2026-11-20T05:00", "-0.25", billing_month="2026-12", corrects=True)])

    row = only(rows(azure.query(), Span(at("2026-12-01"), at("2026-12-02"))))

    assert (row["ChargeClass"], row["BilledCost"]) == ("Correction", Decimal("-0.25"))
    assert (row["ChargePeriodStart"], row["BillingPeriodStart"]) == (at("2026-11-20"), at("2026-12-01"))


def test_a_correction_is_in_no_other_window(azure: BilledAzure) -> None:
    azure.bill.add([charge("2026-11-20T05:00", "-0.25", billing_month="2026-12", corrects=True)])

    assert rows(azure.query(), NOVEMBER) == []
    assert rows(azure.query(), Span(at("2026-12-02"), at("2026-12-05"))) == []


def test_a_correction_within_a_span_of_both_months_is_there_once(azure: BilledAzure) -> None:
    azure.bill.add([charge("2026-11-30T05:00", "-0.25", billing_month="2026-12", corrects=True)])

    assert len(rows(azure.query(), Span(at("2026-11-29"), at("2026-12-03")))) == 1


def test_a_span_that_ends_now_has_the_day_so_far(azure: BilledAzure) -> None:
    azure.bill.add([charge("2026-12-20T08:00", "1"), charge("2026-12-20T10:00", "2", known_at=NOW - timedelta(1))])

    row = only(rows(azure.query(), Span(at("2026-12-20"), at("2026-12-20T09:00"))))

    assert (row["ChargePeriodStart"], row["BilledCost"]) == (at("2026-12-20"), 3)


def test_what_was_restated_between_two_reads_stands_in_the_second(azure: BilledAzure) -> None:
    one = charge(amount="1")
    azure.bill.add([one])
    azure.bill.restate(one.id, Decimal("0.75"), NOW + timedelta(hours=1))
    before = total(rows(azure.query(), NOVEMBER))

    azure.clock.advance(3600)

    assert [before, total(rows(azure.query(), NOVEMBER))] == [Decimal(1), Decimal("0.75")]


def test_what_arrives_late_is_in_the_next_read(azure: BilledAzure) -> None:
    azure.bill.add([charge(amount="1"), charge(amount="2", known_at=NOW + timedelta(hours=30))])
    before = total(rows(azure.query(), NOVEMBER))

    azure.clock.advance(30 * 3600)

    assert [before, total(rows(azure.query(), NOVEMBER))] == [Decimal(1), Decimal(3)]


def test_what_arrives_while_pages_are_read_puts_no_row_on_two_of_them(azure: BilledAzure) -> None:
    azure.bill.add(charge(resource=f"/vm{number}") for number in range(4))
    azure.bill.add([charge("2026-11-02T05:00", resource="/late", known_at=NOW + timedelta(seconds=60))])
    begun = first(azure)

    azure.clock.advance(60)
    following = azure.query().page(NOVEMBER, begun.cursor, None)

    assert isinstance(following, Page)
    read = [row["ResourceId"] for it in (begun, following) if isinstance(it.content, Rows) for row in it.content.rows]
    assert read == ["/vm0", "/vm1", "/vm2", "/vm3"]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({f"{RATE_LIMIT}-qpu-retry-after": "8"}, 8),
        ({f"{RATE_LIMIT}-entity-retry-after": "9"}, 9),
        ({f"{RATE_LIMIT}-tenant-retry-after": "10"}, 10),
        ({f"{RATE_LIMIT}-client-retry-after": "11"}, 11),
        ({f"{RATE_LIMIT}-clienttype-retry-after": "12"}, 12),
        ({"x-ms-ratelimit-microsoft.consumption-retry-after": "13"}, 13),
        ({"Retry-After": "5", f"{RATE_LIMIT}-qpu-retry-after": "60", f"{RATE_LIMIT}-tenant-retry-after": "30"}, 60),
        ({"Retry-After": "soon", f"{RATE_LIMIT}-qpu-retry-after": "3"}, 3),
        ({f"{RATE_LIMIT}-qpu-remaining": "300"}, 60),
        ({}, 60),
    ],
)
def test_throttling_says_how_long_to_wait_and_the_longest_wait_counts(
    monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], seconds: float
) -> None:
    with billed_azure(monkeypatch, cost_throttle=headers) as azure:
        azure.arm("Query_Usage", FaultKind.THROTTLE)

        with pytest.raises(Throttled, match="429: Too many requests") as refused:
            first(azure)

    assert refused.value.retry_after == seconds


def test_a_date_to_come_back_at_is_as_good_as_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    with billed_azure(monkeypatch, cost_throttle={"Retry-After": "Fri, 31 Dec 2100 23:59:59 GMT"}) as azure:
        azure.arm("Query_Usage", FaultKind.THROTTLE)

        with pytest.raises(Throttled) as refused:
            first(azure)

    assert refused.value.retry_after > 365 * 24 * 3600


def test_the_wait_is_ours_the_sdk_asks_once(azure: BilledAzure) -> None:
    azure.arm("Query_Usage", FaultKind.THROTTLE, times=None)

    with pytest.raises(Throttled):
        first(azure)

    assert len(azure.queries()) == 1


def test_a_page_that_was_throttled_can_be_had_later(azure: BilledAzure) -> None:
    azure.bill.add(charge(resource=f"/vm{number}") for number in range(3))
    cursor = first(azure).cursor
    azure.arm("Query_Usage", FaultKind.THROTTLE)
    with pytest.raises(Throttled):
        azure.query().page(NOVEMBER, cursor, None)

    azure.clock.advance(10)
    page = azure.query().page(NOVEMBER, cursor, None)

    assert isinstance(page, Page)
    assert isinstance(page.content, Rows)
    assert [row["ResourceId"] for row in page.content.rows] == ["/vm2"]


def test_a_token_that_expired_means_to_begin_again(azure: BilledAzure) -> None:
    azure.bill.add(charge(resource=f"/vm{number}") for number in range(3))
    cursor = first(azure).cursor
    azure.clock.advance(3600)

    with pytest.raises(CursorExpired, match="skiptoken has expired"):
        azure.query().page(NOVEMBER, cursor, None)


@pytest.mark.parametrize("cursor", ["", "nonsense", '{"part":9}', '{"part":"no"}'])
def test_a_cursor_that_no_page_gave_means_to_begin_again(azure: BilledAzure, cursor: str) -> None:
    with pytest.raises(CursorExpired):
        azure.query().page(NOVEMBER, cursor or "{", None)


@pytest.mark.parametrize("fault", [FaultKind.ERROR, FaultKind.REFUSE, FaultKind.LOST])
def test_what_passes_by_itself_is_retried(azure: BilledAzure, fault: FaultKind) -> None:
    azure.arm("Query_Usage", fault)

    with pytest.raises(RetryableError) as refused:
        first(azure)

    assert not isinstance(refused.value, Throttled)


def test_what_cannot_be_asked_is_refused_for_good(azure: BilledAzure) -> None:
    azure.arm("Query_Usage", FaultKind.QUOTE)

    with pytest.raises(TerminalError, match="InvalidParameter"):
        first(azure)


def answering(status: int, body: str, seen: list[Request]) -> WSGIApplication:
    """A Cost Management that gives one answer to everything but the demand for a token."""

    @Request.application
    def app(request: Request) -> Response:
        if request.path.startswith("/_identity"):
            token = {"access_token": "any", "expires_on": "4102444800", "resource": "r", "token_type": "Bearer"}
            return Response(json.dumps(token), content_type="application/json")
        seen.append(request)
        return Response(body, status=status, content_type="application/json")

    return app


@pytest.fixture(name="ask")
def _ask(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Ask a Cost Management that gives one answer to everything; the page, and the requests that it took."""
    servers = []

    def ask(body: str, status: int = 200, cursor: str | None = None) -> tuple[Page, list[Request]]:
        seen: list[Request] = []
        server = serve(answering(status, body, seen))
        servers.append(server)
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{server.url}/_identity/token")
        monkeypatch.setenv("IDENTITY_HEADER", "local")
        source = CostQuery(name="query", since=NOVEMBER.start, subscription=SUBSCRIPTION)
        page = CostQueryCosts(clients(server.url), source).page(NOVEMBER, cursor, None)
        assert isinstance(page, Page)
        return page, seen

    yield ask
    for server in servers:
        server.close()


def test_only_the_token_of_a_link_counts_whoever_else_it_names(ask: Any) -> None:
    link = "https://elsewhere.example/steal?api-version=1&%24SkipToken=a%2Bb%3D%3D"
    body = json.dumps({"properties": {"nextLink": link, "columns": [], "rows": []}})

    page, _ = ask(body)
    _, seen = ask(body, cursor=page.cursor)

    assert [request.path for request in seen] == [
        f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.CostManagement/query"
    ]
    assert seen[0].args["$skiptoken"] == "a+b=="
    assert len(seen[0].json["dataset"]["grouping"]) == 15


def test_no_content_is_no_rows(ask: Any) -> None:
    page, _ = ask("", status=204)

    assert page.content == Rows([])
    assert page.cursor is not None


def test_half_an_answer_is_asked_for_again(ask: Any) -> None:
    with pytest.raises(RetryableError, match="not whole"):
        ask('{"properties": {"rows": [[1.5, ')


def test_what_cost_management_fails_to_ask_others_passes(ask: Any) -> None:
    with pytest.raises(RetryableError, match="FailedDependency"):
        ask('{"error": {"code": "FailedDependency", "message": "later"}}', status=424)


def test_a_permission_that_is_missing_is_the_operators_to_give(ask: Any) -> None:
    with pytest.raises(TerminalError, match=r"RBACAccessDenied: .*no read access"):
        ask('{"error": {"code": "RBACAccessDenied", "message": "no read access"}}', status=403)
