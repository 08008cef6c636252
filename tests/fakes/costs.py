"""Costs in memory: who answers questions, what is declared, and what was summed up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from lambdas.core.billing.budgets import Budget, Passed
from lambdas.core.billing.questions import Question, Scope
from lambdas.core.billing.sources import AnySource, CostExplorer, Sources
from lambdas.core.billing.spans import Span
from lambdas.core.billing.windows import Asked, SourceState
from lambdas.core.ports.cost_query import Answer, CostLine, SagaLine, Summary
from lambdas.core.ports.summaries import SagaCost
from tests.fakes.windows import FakeWindows

SINCE = datetime(2026, 11, 1, tzinfo=UTC)


def cost_explorer(name: str = "payments") -> CostExplorer:
    """A source of the AWS account 123456789012, since November."""
    return CostExplorer(name=name, since=SINCE, account="123456789012")


def collect(windows: FakeWindows, source: AnySource, until: datetime, at: datetime, **more: Any) -> None:
    """Let everything of a source that is before a moment have been read at another."""
    asked = (Asked(start=source.since, end=until, at=at),)
    known = {"since": source.since, "closed_through": source.since, "asked": asked, "collected_at": at}
    state = SourceState(source=source.name, **{**known, "data_through": until, **more})
    windows.change_state(source.name, lambda _: state)


@dataclass
class FakeCostQuery:
    """Has the same `lines` for every question; what stands in `broken` is raised instead."""

    lines: list[CostLine] = field(default_factory=list)
    asked: list[tuple[Question, str]] = field(default_factory=list)
    broken: Exception | None = None

    def answer(self, question: Question, version: str, start: int, most: int) -> Answer:
        """Some of the lines."""
        self.asked.append((question, version))
        if self.broken is not None:
            raise self.broken
        return Answer(self.lines[start : start + most], start + most < len(self.lines))


@dataclass
class FakeCostSummaries:
    """Has a summary once `found` is set; what stands in `broken` is raised instead."""

    found: Summary | None = None
    asked: list[tuple[str, Mapping[str, Scope], str]] = field(default_factory=list)
    broken: Exception | None = None

    def summary(self, since: str, scopes: Mapping[str, Scope], version: str) -> Summary | None:
        """What was found, if anything was."""
        self.asked.append((since, scopes, version))
        if self.broken is not None:
            raise self.broken
        return self.found


@dataclass
class FakeSources:
    """The sources that a test declares."""

    sources: dict[str, AnySource] = field(default_factory=dict)

    def declared(self) -> Sources:
        """All of them."""
        return self.sources


@dataclass
class FakeBudgets:
    """The budgets that a test declares."""

    budgets: dict[str, Budget] = field(default_factory=dict)

    def declared(self) -> Mapping[str, Budget]:
        """All of them."""
        return self.budgets


@dataclass
class FakeSummaries:
    """Remembers what was kept and noted."""

    kept: list[tuple[str, Sequence[str], Sequence[SagaLine], Sequence[str]]] = field(default_factory=list)
    noted: dict[tuple[str, str, int], bool] = field(default_factory=dict)
    spans: Mapping[str, Span] = field(default_factory=dict)

    def keep(
        self,
        window: str,
        months: Sequence[str],
        lines: Sequence[SagaLine],
        late: Sequence[str],
        closed: Mapping[str, Span],
    ) -> None:
        """Remember what sagas cost."""
        self.kept.append((window, months, lines, late))
        self.spans = closed

    def closed(self) -> Mapping[str, Span]:
        """What was closed as of the last one."""
        return self.spans

    def note_passed(self, passed: Passed) -> bool:
        """Note a threshold once; returns whether it is still to be announced."""
        return not self.noted.setdefault((passed.name, passed.period, passed.threshold), False)

    def note_announced(self, passed: Passed) -> None:
        """Note that it was announced."""
        self.noted[(passed.name, passed.period, passed.threshold)] = True


@dataclass
class FakeSagaCosts:
    """What a test says that sagas cost; what stands in `broken` is raised instead."""

    costs: dict[str, SagaCost] = field(default_factory=dict)
    broken: Exception | None = None

    def of(self, saga_id: str) -> SagaCost | None:
        """What a saga costs."""
        if self.broken is not None:
            raise self.broken
        return self.costs.get(saga_id)
