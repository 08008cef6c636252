"""Budgets: what can be declared, what counts, and when a threshold is passed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from lambdas.core.billing.budgets import Budget, parse_budgets, thresholds_passed
from lambdas.core.billing.questions import Label, Scope


def budget(**changes: Any) -> Budget:
    document = {"label": "team=payments", "amount": "100.00", "currency": "USD", **changes}
    return parse_budgets(json.dumps({"payments": document}))["payments"]


def passed(it: Budget, **spent: str) -> list[int]:
    amounts = {currency: Decimal(amount) for currency, amount in spent.items()}
    return [found.threshold for found in thresholds_passed("payments", it, "2026-11", amounts, "2026-11-26T09")]


def test_a_threshold_is_passed_when_it_is_reached_to_the_last_digit() -> None:
    assert passed(budget(), USD="79.99999999999999999999") == []
    assert passed(budget(), USD="80") == [80]
    assert passed(budget(amount="200000000000"), USD="159999999999.99999999999999999999") == []
    assert passed(budget(thresholds=[120, 50]), USD="500") == [50, 120]


def test_other_currencies_are_left_out_and_said_to_be() -> None:
    amounts = {"EUR": Decimal(1000), "USD": Decimal(85)}
    [found] = thresholds_passed("payments", budget(), "2026-11", amounts, "2026-11-26T09")
    assert (found.spent, found.left_out) == (Decimal(85), {"EUR": Decimal(1000)})
    assert passed(budget(), EUR="1000") == []


def test_it_counts_what_all_of_its_fields_apply_to() -> None:
    it = budget(provider="aws")
    label = Label("team", "payments")
    assert it.scope("2026-11") == Scope(None, {"provider": ("aws",), "month": ("2026-11",)}, label)
    assert it.scope("total") == Scope(None, {"provider": ("aws",)}, label)


def test_the_month_before_is_looked_at_too_since_its_last_costs_come_late() -> None:
    january = datetime(2027, 1, 2, tzinfo=UTC)
    assert budget().periods(january) == ("2026-12", "2027-01")
    assert budget(period="total").periods(january) == ("total",)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"label": None}, "payments"),
        ({"label": "team"}, "label"),
        ({"amount": 0}, "amount"),
        ({"currency": "usd"}, "currency"),
        ({"period": "year"}, "period"),
        ({"thresholds": []}, "thresholds"),
        ({"sage": "s1"}, "sage"),
    ],
)
def test_what_cannot_be_a_budget_is_refused_by_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        budget(**changes)
    assert field in str(refused.value.errors()[0]["loc"])
