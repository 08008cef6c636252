"""Costs over HTTP: what is answered, to whom, and never without how fresh it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from lambdas.api import costs as routes
from lambdas.api import handler as api
from lambdas.api.costs import Billing
from lambdas.core.access import Grant
from lambdas.core.billing.windows import Failure
from lambdas.core.costs import Costs
from lambdas.core.errors import Misconfigured, RetryableError, Throttled
from lambdas.core.ports.cost_query import Amounts, CostLine
from lambdas.core.ports.summaries import CurrencyCost, SagaCost
from tests.fakes.costs import FakeCostQuery, FakeSagaCosts, FakeSources, collect, cost_explorer
from tests.fakes.documents import aws_disk, request_document
from tests.fakes.windows import FakeWindows
from tests.unit.api.conftest import CALLER, Answer, Api

STRANGER = "arn:aws:iam::123456789012:user/stranger"
EIGHT = datetime(2026, 11, 22, 8, tzinfo=UTC)
ALL = Grant(callers=[CALLER], costs="all")


def line(saga: str | None, billed: str, currency: str = "USD") -> CostLine:
    amount = Decimal(billed)
    return CostLine((saga,), currency, Amounts(amount, amount, amount, None))


@dataclass
class Kept:
    query: FakeCostQuery = field(default_factory=FakeCostQuery)
    windows: FakeWindows = field(default_factory=FakeWindows)
    sagas: FakeSagaCosts = field(default_factory=FakeSagaCosts)

    @property
    def asked_for_sagas(self) -> tuple[str, ...] | None:
        return self.query.asked[-1][0].scope.filters.get("saga")


@pytest.fixture(name="kept", autouse=True)
def _kept(calls: Api, monkeypatch: pytest.MonkeyPatch) -> Kept:
    kept, clock = Kept(), calls.world.clock
    costs = Costs(kept.query, kept.windows, FakeSources({"payments": cost_explorer()}), clock)
    monkeypatch.setattr(api, "_app", calls.app(Billing(lambda: costs, lambda: kept.sagas)))
    source = cost_explorer()
    collect(kept.windows, source, EIGHT, datetime(2026, 11, 22, 11, 30, tzinfo=UTC))
    return kept


def get(calls: Api, query: str = "", caller: str = CALLER) -> Answer:
    return calls.call("GET", f"/costs?{query}" if query else "/costs", caller=caller)


def theirs_of(calls: Api) -> str:
    submitted = calls.submit(request_document(aws_disk()), caller=STRANGER)
    return str(submitted.body["id"])


def test_costs_are_exact_text_by_currency_with_how_fresh_every_source_is(calls: Api, kept: Kept) -> None:
    calls.access.grants = [ALL]
    kept.query.lines = [
        line("s1", "1.50000000000000000001"),
        line(None, "100.00000000000000000000", "EUR"),
        line("s2", "0E-20"),
    ]
    answer = get(calls, "group_by=saga&from=2026-11-01&to=2026-11-20")
    assert answer.status == 200
    assert answer.body == {
        "version": 1,
        "costs": "all",
        "group_by": ["saga"],
        "from": "2026-11-01",
        "to": "2026-11-20",
        "items": [
            {
                "keys": {"saga": "s1"},
                "currency": "USD",
                "billed": "1.50000000000000000001",
                "effective": "1.50000000000000000001",
                "list": "1.50000000000000000001",
                "contracted": None,
            },
            {
                "keys": {"saga": None},
                "currency": "EUR",
                "billed": "100",
                "effective": "100",
                "list": "100",
                "contracted": None,
            },
            {
                "keys": {"saga": "s2"},
                "currency": "USD",
                "billed": "0",
                "effective": "0",
                "list": "0",
                "contracted": None,
            },
        ],
        "next_cursor": None,
        "freshness": [
            {
                "source": "payments",
                "kind": "aws-cost-explorer",
                "provider": "aws",
                "account": "123456789012",
                "collected_at": "2026-11-22T11:30:00.000Z",
                "data_through": "2026-11-22T08:00:00.000Z",
                "closed_through": "2026-11-01T00:00:00.000Z",
                "windows_behind": 0,
                "windows_open": 516,
                "late": False,
                "failure": None,
            }
        ],
    }


def test_a_source_that_failed_says_why(calls: Api, kept: Kept) -> None:
    calls.access.grants = [ALL]
    failure = Failure(at=datetime(2026, 11, 22, 11, tzinfo=UTC), error="TerminalError", message="AccessDenied: no")
    collect(kept.windows, cost_explorer(), EIGHT, calls.world.clock.now(), failure=failure)
    [fresh] = get(calls).body["freshness"]
    assert fresh["failure"] == {
        "at": "2026-11-22T11:00:00.000Z",
        "error": "TerminalError",
        "message": "AccessDenied: no",
    }


def test_pages_follow_each_other_in_one_answer_whatever_is_collected_meanwhile(calls: Api, kept: Kept) -> None:
    calls.access.grants = [ALL]
    kept.query.lines = [line(f"s{number}", "1") for number in range(5)]
    found: list[str] = []
    cursor = ""
    while True:
        page = get(calls, f"group_by=saga&limit=2&cursor={cursor}").body
        found += [it["keys"]["saga"] for it in page["items"]]
        collect(kept.windows, cost_explorer(), EIGHT, calls.world.clock.now())
        if not page["next_cursor"]:
            break
        cursor = page["next_cursor"]
    assert found == ["s0", "s1", "s2", "s3", "s4"]
    assert len({version for _, version in kept.query.asked}) == 1
    get(calls, "group_by=saga")
    assert len({version for _, version in kept.query.asked}) == 2


@pytest.mark.parametrize("cursor", ["x", "WyJhIiwgMV0", "e30", "%C3%A9", "bnVsbA"])
def test_a_cursor_that_is_none_of_ours_is_refused(calls: Api, cursor: str) -> None:
    calls.access.grants = [ALL]
    assert get(calls, f"cursor={cursor}").problems == {"cursor": "is none of ours; begin without one"}


def test_every_mistake_is_named_at_once(calls: Api, kept: Kept) -> None:
    answer = get(calls, "group_by=sagas&limit=0&from=now&filter=x")
    assert answer.status == 422
    assert set(answer.problems) == {"group_by", "limit", "from", "filter"}
    assert kept.query.asked == []


def test_without_a_grant_costs_are_those_of_ones_own_sagas(calls: Api, kept: Kept) -> None:
    mine, theirs = calls.world.open(), theirs_of(calls)
    assert get(calls, "group_by=service").body["costs"] == "own"
    assert kept.asked_for_sagas == (mine,)
    assert get(calls, f"saga={mine}").status == 200
    for saga in (theirs, "s0nobody00000000"):
        refused = get(calls, f"saga={mine},{saga}")
        assert (refused.status, refused.body["detail"]) == (404, f"no saga {saga}")


def test_who_has_no_saga_sees_no_costs_at_all(calls: Api, kept: Kept) -> None:
    calls.world.open()
    get(calls, caller=STRANGER)
    assert kept.asked_for_sagas == ()


def test_all_costs_take_a_grant_of_their_own(calls: Api, kept: Kept) -> None:
    mine, theirs = calls.world.open(), theirs_of(calls)
    calls.access.grants = [Grant(callers=[CALLER], sagas="all")]
    get(calls)
    assert kept.asked_for_sagas == (mine,)
    assert get(calls, f"saga={theirs}").status == 200
    calls.access.grants = [ALL]
    get(calls)
    assert kept.asked_for_sagas is None


@pytest.mark.parametrize(
    ("error", "status", "after"),
    [
        (RetryableError("QueryRunning", "the answer is not there yet"), 503, "2"),
        (Throttled("TooManyRequestsException", "Athena is asked too much", 4.5), 503, "5"),
        (Misconfigured("Athena cannot answer"), 500, None),
    ],
)
def test_an_answer_that_is_not_there_says_when_to_ask_again(
    calls: Api, kept: Kept, error: Exception, status: int, after: str | None
) -> None:
    calls.access.grants, kept.query.broken = [ALL], error
    answer = get(calls)
    assert (answer.status, answer.headers.get("Retry-After")) == (status, after)
    assert str(error) == answer.body["detail"]


def test_a_saga_says_what_it_costs_and_how_fresh_that_is(calls: Api, kept: Kept) -> None:
    saga = calls.world.open()
    assert "cost" not in calls.call("GET", f"/sagas/{saga}").body
    through = datetime(2026, 11, 22, 9, tzinfo=UTC)
    cost = CurrencyCost("EUR", Decimal("1.50"), Decimal("1.25"), through)
    kept.sagas.costs[saga] = SagaCost([cost], "2026-11-22T11", ["payments"])
    body: dict[str, Any] = calls.call("GET", f"/sagas/{saga}").body
    assert body["cost"] == [
        {"currency": "EUR", "billed": "1.5", "effective": "1.25", "through": "2026-11-22T09:00:00.000Z"}
    ]
    assert body["cost_freshness"] == {"window": "2026-11-22T11", "late_sources": ["payments"]}


def test_a_saga_is_shown_even_when_its_cost_cannot_be_read(calls: Api, kept: Kept) -> None:
    saga = calls.world.open()
    kept.sagas.broken = RetryableError("ThrottlingException", "the ledger refused for now")
    answer = calls.call("GET", f"/sagas/{saga}")
    assert (answer.status, "cost" in answer.body) == (200, False)


def test_a_deployment_that_collects_no_costs_says_so(calls: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "_app", calls.app())
    answer = get(calls)
    assert (answer.status, answer.body["title"]) == (404, "This deployment collects no costs")
    assert calls.call("GET", f"/sagas/{calls.world.open()}").status == 200


def test_who_has_more_sagas_than_a_question_has_room_for_is_told_what_to_do(
    calls: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "_PAGE", 2)
    monkeypatch.setattr(routes, "MOST_SAGAS", 3)
    for number in range(4):
        calls.submit(request_document(aws_disk()), key=f"key-{number}")
    assert get(calls).problems == {
        "saga": "you have more than 3 sagas: name those you want, or ask for a grant of all costs"
    }
