"""Events on the bus: what they say, ten at a time, and which of them were not taken."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas.adapters.announcements import EventBridgeAnnouncements
from lambdas.core.billing.budgets import Passed, parse_budgets
from lambdas.core.notices import Notice, budget_passed
from lambdas.core.ports.announcements import Untold


@dataclass
class Bus:
    """EventBridge, which does not take what stands in `refused`, by its place among all, nor any call in `failing`."""

    refused: Mapping[int, str] = field(default_factory=dict)
    failing: frozenset[int] = frozenset()
    calls: list[int] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)

    def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 -- boto3's name
        if len(self.calls) in self.failing:
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "PutEvents")
        self.calls.append(len(Entries))
        answers = []
        for entry in Entries:
            code = self.refused.get(len(self.entries))
            self.entries.append(entry)
            answers.append({"ErrorCode": code, "ErrorMessage": ""} if code else {"EventId": "1"})
        return {"FailedEntryCount": sum("ErrorCode" in it for it in answers), "Entries": answers}


def passed(threshold: int = 80) -> Notice:
    budget = parse_budgets('{"b": {"label": "team=a", "provider": "aws", "amount": "100", "currency": "USD"}}')["b"]
    left_out = {"EUR": Decimal(3)}
    return budget_passed(Passed("b", budget, "2026-11", threshold, Decimal("85.10"), left_out, "2026-11-26T09"))


def many(count: int) -> Sequence[Notice]:
    return [passed(it) for it in range(1, count + 1)]


def test_an_event_says_what_was_passed_and_what_that_leaves_out() -> None:
    bus = Bus()
    EventBridgeAnnouncements(bus).announce([passed()])
    [entry] = bus.entries
    assert (entry["Source"], entry["DetailType"]) == ("skysaga", "Budget passed")
    assert json.loads(entry["Detail"]) == {
        "version": 1,
        "id": "b/2026-11/80",
        "budget": "b",
        "scope": {"provider": "aws", "label": "team=a"},
        "period": "2026-11",
        "threshold": 80,
        "cost": "billed",
        "spent": "85.10",
        "amount": "100",
        "currency": "USD",
        "left_out": [{"currency": "EUR", "spent": "3"}],
        "window": "2026-11-26T09",
    }


def test_events_are_put_ten_at_a_time_in_order() -> None:
    bus = Bus()
    EventBridgeAnnouncements(bus).announce(many(23))
    assert bus.calls == [10, 10, 3]
    assert [json.loads(it["Detail"])["threshold"] for it in bus.entries] == list(range(1, 24))


def test_nothing_to_tell_is_no_call() -> None:
    bus = Bus()
    EventBridgeAnnouncements(bus).announce([])
    assert bus.calls == []


def test_the_first_that_was_not_taken_is_known_and_nothing_after_its_call_is_sent() -> None:
    bus = Bus(refused={14: "ThrottlingException", 17: "InternalFailure"})
    with pytest.raises(Untold, match="ThrottlingException") as untold:
        EventBridgeAnnouncements(bus).announce(many(23))
    assert untold.value.first == 14
    assert bus.calls == [10, 10]


def test_a_call_that_fails_leaves_all_of_its_events_untold() -> None:
    with pytest.raises(Untold, match="ThrottlingException") as untold:
        EventBridgeAnnouncements(Bus(failing=frozenset({1}))).announce(many(23))
    assert untold.value.first == 10
