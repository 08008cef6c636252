"""The step that ends a collection: saga costs are kept, budgets watched, and freshness is measured."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from lambdas.core.billing.budgets import parse_budgets
from lambdas.core.billing.windows import Failure
from lambdas.core.errors import RetryableError, Throttled
from lambdas.core.notices import BudgetPassed
from lambdas.core.ports.cost_query import SagaLine, SpentLine, Summary
from lambdas.core.steps.summarising import SummarisingSteps
from tests.fakes.announcements import FakeAnnouncements
from tests.fakes.clock import FakeClock
from tests.fakes.costs import (
    FakeBudgets,
    FakeCostSummaries,
    FakeSources,
    FakeSummaries,
    collect,
    cost_explorer,
)
from tests.fakes.windows import FakeWindows

NOW = datetime(2026, 11, 26, 9, 20, tzinfo=UTC)
WINDOW = "2026-11-26T09"
LINE = SagaLine("s1", "2026-11", "USD", Decimal(3), Decimal(2), NOW)
BUDGET = '{"payments": {"label": "team=payments", "amount": 100, "currency": "USD"}}'


@dataclass
class Scene:
    query: FakeCostSummaries = field(default_factory=FakeCostSummaries)
    summaries: FakeSummaries = field(default_factory=FakeSummaries)
    budgets: FakeBudgets = field(default_factory=FakeBudgets)
    announcements: FakeAnnouncements = field(default_factory=FakeAnnouncements)
    windows: FakeWindows = field(default_factory=FakeWindows)
    sources: FakeSources = field(default_factory=lambda: FakeSources({"payments": cost_explorer()}))
    gauges: dict[str, int] = field(default_factory=dict)
    steps: SummarisingSteps = field(init=False)

    def __post_init__(self) -> None:
        self.steps = SummarisingSteps(
            self.query,
            self.summaries,
            self.budgets,
            self.announcements,
            self.sources,
            self.windows,
            FakeClock(NOW),
            self._gauge,
        )

    def _gauge(self, name: str, value: int, **dimensions: str) -> None:
        self.gauges["/".join([name, *dimensions.values()])] = value

    def spend(self, *lines: SpentLine) -> None:
        self.query.found = Summary([LINE], lines)


def passed(scene: Scene) -> list[BudgetPassed]:
    return [it for it in scene.announcements.announced if isinstance(it, BudgetPassed)]


def spent(amount: int, currency: str = "USD", period: str = "2026-11") -> SpentLine:
    return SpentLine(f"payments#{period}", currency, Decimal(amount), Decimal(0))


@pytest.fixture
def scene() -> Scene:
    it = Scene()
    it.budgets.budgets = parse_budgets(BUDGET)
    return it


def test_nothing_is_written_before_the_summary_is_there(scene: Scene) -> None:
    assert scene.steps.summarise(WINDOW) == {"status": "PENDING", "wait": 5}
    assert (scene.summaries.kept, scene.gauges) == ([], {})
    scene.spend()
    assert scene.steps.summarise(WINDOW) == {"status": "DONE", "wait": 0}
    assert scene.query.asked[0] == scene.query.asked[1]
    since, scopes, version = scene.query.asked[0]
    assert (since, list(scopes), version) == ("2026-10", ["payments#2026-10", "payments#2026-11"], WINDOW)


def test_a_query_that_is_throttled_is_asked_for_later(scene: Scene) -> None:
    scene.query.broken = Throttled("TooManyRequestsException", "Athena is asked too much", 7.5)
    assert scene.steps.summarise(WINDOW) == {"status": "PENDING", "wait": 8}


def test_what_sagas_cost_is_kept_for_every_month_that_may_have_changed_with_who_was_late(scene: Scene) -> None:
    scene.spend()
    scene.steps.summarise(WINDOW)
    assert scene.summaries.kept == [(WINDOW, ["2026-10", "2026-11"], [LINE], ["payments"])]


def test_months_that_were_read_and_closed_within_an_hour_are_summed_up_once(scene: Scene) -> None:
    source = cost_explorer().model_copy(update={"since": datetime(2026, 3, 1, tzinfo=UTC)})
    scene.sources.sources["payments"] = source
    november = datetime(2026, 11, 1, tzinfo=UTC)
    collect(scene.windows, source, NOW.replace(minute=0), NOW, closed_through=november)
    scene.spend()
    scene.steps.summarise(WINDOW)
    scene.steps.summarise("2026-11-26T10")
    assert [months[0] for _, months, *_ in scene.summaries.kept] == ["2026-02", "2026-10"]


def test_a_threshold_is_announced_once_in_a_period_whatever_comes_after(scene: Scene) -> None:
    for amount in (70, 85, 85, 60, 90, 130):
        scene.spend(spent(amount), spent(500, "EUR"))
        scene.steps.summarise(WINDOW)
    announced = [
        (it.period, it.threshold, it.spent, {each.currency: each.spent for each in it.left_out}) for it in passed(scene)
    ]
    assert announced == [
        ("2026-11", 80, Decimal(85), {"EUR": Decimal(500)}),
        ("2026-11", 100, Decimal(130), {"EUR": Decimal(500)}),
    ]


def test_the_month_that_has_just_ended_can_still_be_passed(scene: Scene) -> None:
    scene.spend(spent(100, period="2026-10"))
    scene.steps.summarise(WINDOW)
    assert [(it.period, it.threshold) for it in passed(scene)] == [("2026-10", 80), ("2026-10", 100)]


def test_what_could_not_be_announced_is_announced_by_the_next_one(scene: Scene) -> None:
    scene.spend(spent(85))
    scene.announcements.deaf_from = 0
    with pytest.raises(RetryableError):
        scene.steps.summarise(WINDOW)
    scene.announcements.deaf_from = None
    scene.steps.summarise(WINDOW)
    scene.steps.summarise(WINDOW)
    assert [it.threshold for it in passed(scene)] == [80]


def test_how_fresh_each_source_is_is_measured(scene: Scene) -> None:
    source = cost_explorer()
    failure = Failure(at=NOW, error="RetryableError", message="429")
    collected_at = datetime(2026, 11, 26, 9, 10, tzinfo=UTC)
    collect(scene.windows, source, datetime(2026, 11, 26, 5, tzinfo=UTC), collected_at, failure=failure)
    scene.spend()
    scene.steps.summarise(WINDOW)
    assert scene.gauges == {
        "BillingWindowsOpen/payments": 25 * 24 + 9,
        "BillingWindowsBehind/payments": 0,
        "BillingLateSources": 0,
        "BillingFailedSources": 1,
    }
    assert json.dumps(scene.summaries.kept[0][3]) == "[]"
