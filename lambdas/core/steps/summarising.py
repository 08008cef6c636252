"""After a collection: what each saga costs, which budgets were passed, and how fresh the sources are.

Nothing of this is lost with a step that dies: the query is found again under the window's name, only what differs is
written, and a threshold is noted before it is announced and once more after.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from math import ceil
from typing import Final, Protocol, TypedDict

from lambdas.core.billing.budgets import Budget, thresholds_passed
from lambdas.core.billing.freshness import Freshness, all_fresh, closed, first_open_month
from lambdas.core.billing.questions import Scope
from lambdas.core.billing.spans import window_named
from lambdas.core.errors import Throttled
from lambdas.core.notices import budget_passed
from lambdas.core.ports.announcements import Announcements
from lambdas.core.ports.clock import Clock
from lambdas.core.ports.cost_query import CostSummaries, SpentLine
from lambdas.core.ports.costs import SourceDeclarations, Windows
from lambdas.core.ports.summaries import BudgetDeclarations, Summaries

WINDOWS_OPEN: Final = "BillingWindowsOpen"
WINDOWS_BEHIND: Final = "BillingWindowsBehind"
SOURCES_LATE: Final = "BillingLateSources"
SOURCES_FAILED: Final = "BillingFailedSources"

WAIT_SECONDS: Final = 5


class SummaryStatus(StrEnum):
    """What the state machine does after this step."""

    PENDING = "PENDING"  # look again after `wait` seconds
    DONE = "DONE"  # everything is written


class SummaryResult(TypedDict):
    """Whether the summary is written, and after how many seconds to look again."""

    status: SummaryStatus
    wait: int


class Gauge(Protocol):
    """Records how much there is of something."""

    def __call__(self, name: str, value: int, **dimensions: str) -> None:
        """Record a value under dimensions."""
        ...


class SummarisingSteps:
    """Ends a collection."""

    def __init__(
        self,
        costs: CostSummaries,
        summaries: Summaries,
        budgets: BudgetDeclarations,
        announcements: Announcements,
        declarations: SourceDeclarations,
        windows: Windows,
        clock: Clock,
        gauge: Gauge,
    ) -> None:
        self._costs = costs
        self._summaries = summaries
        self._budgets = budgets
        self._announcements = announcements
        self._declarations = declarations
        self._windows = windows
        self._clock = clock
        self._gauge = gauge

    def summarise(self, window: str) -> SummaryResult:
        """Look for the summary of an hour, and write what it says once it is there.

        `window` names the hour, as in 2026-11-26T09. Raises RetryableError, Misconfigured, or ValueError for what
        names no hour.
        """
        now = window_named(window)
        sources = self._declarations.declared()
        states = self._windows.states()
        budgets = self._budgets.declared()
        since = first_open_month(sources, self._summaries.closed(), now)
        try:
            summary = self._costs.summary(since, _scopes(budgets, now), window)
        except Throttled as throttled:
            return SummaryResult(status=SummaryStatus.PENDING, wait=max(WAIT_SECONDS, ceil(throttled.retry_after)))
        if summary is None:
            return SummaryResult(status=SummaryStatus.PENDING, wait=WAIT_SECONDS)
        fresh = all_fresh(sources, states, self._clock.now())
        late = [it.source for it in fresh if it.late]
        self._summaries.keep(window, list(_months(since, now)), summary.sagas, late, closed(sources, states))
        self._announce_passed(budgets, summary.spent, window)
        self._measure(fresh)
        return SummaryResult(status=SummaryStatus.DONE, wait=0)

    def _announce_passed(self, budgets: Mapping[str, Budget], spent: Sequence[SpentLine], window: str) -> None:
        for name, budget in sorted(budgets.items()):
            for period in budget.periods(window_named(window)):
                amounts = _amounts(budget, _scope_name(name, period), spent)
                for passed in thresholds_passed(name, budget, period, amounts, window):
                    if self._summaries.note_passed(passed):
                        self._announcements.announce([budget_passed(passed)])
                        self._summaries.note_announced(passed)

    def _measure(self, fresh: Sequence[Freshness]) -> None:
        for it in fresh:
            self._gauge(WINDOWS_OPEN, it.windows_open, source=it.source)
            self._gauge(WINDOWS_BEHIND, it.windows_behind, source=it.source)
        self._gauge(SOURCES_LATE, sum(it.late for it in fresh))
        self._gauge(SOURCES_FAILED, sum(it.failure is not None for it in fresh))


def _scopes(budgets: Mapping[str, Budget], now: datetime) -> dict[str, Scope]:
    return {
        _scope_name(name, period): budget.scope(period)
        for name, budget in budgets.items()
        for period in budget.periods(now)
    }


def _scope_name(budget: str, period: str) -> str:
    return f"{budget}#{period}"


def _amounts(budget: Budget, scope: str, spent: Sequence[SpentLine]) -> dict[str, Decimal]:
    ours = [it for it in spent if it.scope == scope]
    return {it.currency: it.billed if budget.cost == "billed" else it.effective for it in ours}


def _months(since: str, now: datetime) -> Iterator[str]:
    year, month = map(int, since.split("-"))
    while (year, month) <= (now.year, now.month):
        yield f"{year:04}-{month:02}"
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
