"""Summaries in the windows table: what changed is written once, and nothing of an hour before replaces it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import boto3
import pytest
from moto import mock_aws

from lambdas.adapters import summaries
from lambdas.adapters.summaries import DynamoSummaries
from lambdas.core.billing.budgets import Passed, parse_budgets
from lambdas.core.billing.spans import Span
from lambdas.core.ports.cost_query import SagaLine

THROUGH = datetime(2026, 11, 26, 9, tzinfo=UTC)
NINE, TEN = "2026-11-26T09", "2026-11-26T10"
MONTHS = ["2026-10", "2026-11"]
CLOSED = {"payments": Span(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))}


class Counting:
    """DynamoDB, and how often each operation was asked of it."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        self.calls.append(name)
        return getattr(self._client, name)


@pytest.fixture(name="client")
def _client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counting]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-west-1")
        client.create_table(
            TableName="windows",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        yield Counting(client)


@pytest.fixture(name="kept")
def _kept(client: Counting) -> DynamoSummaries:
    it: Any = client
    return DynamoSummaries(it, "windows")


def line(saga: str, billed: str, month: str = "2026-11", currency: str = "USD") -> SagaLine:
    return SagaLine(saga, month, currency, Decimal(billed), Decimal(billed) / 2, THROUGH)


def costs(kept: DynamoSummaries, saga: str) -> dict[str, Decimal] | None:
    found = kept.of(saga)
    return {it.currency: it.billed for it in found.costs} if found else None


def test_a_saga_costs_what_all_of_its_months_do_in_each_currency_to_the_last_digit(kept: DynamoSummaries) -> None:
    lines = [
        line("s1", "123456789012345678.00000000000000000001"),
        line("s1", "0.00000000000000000001", "2026-10"),
        line("s1", "7", currency="EUR"),
    ]
    kept.keep(NINE, MONTHS, lines, ["payments"], CLOSED)
    assert costs(kept, "s1") == {"EUR": Decimal(7), "USD": Decimal("123456789012345678.00000000000000000002")}
    found = kept.of("s1")
    assert found is not None
    assert (found.window, found.late, found.costs[0].through) == (NINE, ["payments"], THROUGH)
    assert kept.of("s2") is None


def test_months_that_are_no_longer_summed_up_stay(kept: DynamoSummaries) -> None:
    kept.keep(NINE, MONTHS, [line("s1", "1", "2026-10"), line("s1", "2")], [], CLOSED)
    kept.keep(TEN, ["2026-11"], [line("s1", "5")], [], CLOSED)
    assert costs(kept, "s1") == {"USD": Decimal(6)}


def test_a_saga_of_which_nothing_is_said_any_more_costs_nothing(kept: DynamoSummaries) -> None:
    kept.keep(NINE, MONTHS, [line("s1", "1")], [], CLOSED)
    kept.keep(TEN, MONTHS, [], [], CLOSED)
    assert costs(kept, "s1") is None


def test_only_what_changed_is_written(kept: DynamoSummaries, client: Counting) -> None:
    lines = [line(f"s{number}", "1") for number in range(20)]
    kept.keep(NINE, MONTHS, lines, [], CLOSED)
    client.calls.clear()
    kept.keep(TEN, MONTHS, [*lines[1:], line("s0", "2")], [], CLOSED)
    assert client.calls.count("update_item") == 1 + len(MONTHS) + 1
    assert (costs(kept, "s0"), costs(kept, "s1")) == ({"USD": Decimal(2)}, {"USD": Decimal(1)})


def test_more_sagas_than_can_be_remembered_are_all_written(
    kept: DynamoSummaries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summaries, "MOST_DIGESTS", 1)
    for window in (NINE, TEN):
        kept.keep(window, MONTHS, [line("s1", "1"), line("s2", "2")], [], CLOSED)
    assert costs(kept, "s2") == {"USD": Decimal(2)}


def test_a_summary_that_comes_late_replaces_nothing(kept: DynamoSummaries) -> None:
    kept.keep(TEN, MONTHS, [line("s1", "2")], [], CLOSED)
    kept.keep(NINE, MONTHS, [line("s1", "1")], ["payments"], CLOSED)
    found = kept.of("s1")
    assert found is not None
    assert (found.costs[0].billed, found.window, found.late) == (Decimal(2), TEN, [])


def passed(threshold: int = 80) -> Passed:
    budget = parse_budgets('{"b": {"label": "team=a", "provider": "aws", "amount": "100", "currency": "USD"}}')["b"]
    return Passed("b", budget, "2026-11", threshold, Decimal("85.10"), {"EUR": Decimal(3)}, NINE)


def test_a_threshold_is_to_be_announced_until_it_was(kept: DynamoSummaries) -> None:
    assert kept.note_passed(passed())
    assert kept.note_passed(passed())
    kept.note_announced(passed())
    assert not kept.note_passed(passed())
    assert kept.note_passed(passed(100))


def test_what_was_closed_by_then_is_remembered(kept: DynamoSummaries) -> None:
    assert kept.closed() == {}
    kept.keep(TEN, MONTHS, [], [], CLOSED)
    assert kept.closed() == CLOSED
