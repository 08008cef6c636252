"""How fresh what is kept of a source is, and whether it is later than its rhythm promises.

A late hour looks like a cheap one, so whoever sees costs sees this.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from lambdas.core.billing.planning import next_span
from lambdas.core.billing.sources import (
    AnySource,
    BigQueryExport,
    CostExplorer,
    CostExport,
    CostQuery,
    DataExport,
    RateCard,
    Sources,
)
from lambdas.core.billing.spans import HOUR, Span, window_of
from lambdas.core.billing.windows import Failure, SourceState

GRACE: Final = timedelta(minutes=150)
"""Collecting begins once an hour, takes up to seventy minutes, and what was collected has to be published."""


class Freshness(NamedTuple):
    """What is known of a source at a moment.

    `windows_behind` counts the windows that are worth reading and were never read; `windows_open` those that may still
    change. It is `late` when anything has been waiting to be read, again or for the first time, for longer than GRACE.
    """

    source: str
    kind: str
    provider: str
    account: str
    collected_at: datetime | None
    data_through: datetime | None
    closed_through: datetime
    windows_behind: int
    windows_open: int
    late: bool
    failure: Failure | None


def freshness(source: AnySource, state: SourceState | None, now: datetime) -> Freshness:
    """How fresh a source is that is declared."""
    known = _known(source, state)
    return Freshness(
        source=source.name,
        kind=source.kind,
        provider=provider_of(source),
        account=account_of(source),
        collected_at=known.collected_at,
        data_through=known.data_through,
        closed_through=known.closed_through,
        windows_behind=_never_read(source, known, now),
        windows_open=max(0, (window_of(now) - known.closed_through) // HOUR),
        late=next_span(source, known, now - GRACE) is not None,
        failure=known.failure,
    )


def age(fresh: Freshness, now: datetime) -> timedelta:
    """How long ago a source was last read; of one that never was, since when it should have been."""
    return max(timedelta(), now - (fresh.collected_at or fresh.closed_through))


def all_fresh(sources: Sources, states: Sequence[SourceState], now: datetime) -> list[Freshness]:
    """How fresh each source is that is declared, by name."""
    known = {it.source: it for it in states}
    return [freshness(source, known.get(name), now) for name, source in sorted(sources.items())]


def provider_of(source: AnySource) -> str:
    """The provider whose costs a source tells, by our name for it."""
    match source:
        case CostExplorer() | DataExport():
            return "aws"
        case CostQuery() | CostExport():
            return "azure"
        case BigQueryExport():
            return "gcp"
        case RateCard():
            return source.provider


def account_of(source: AnySource) -> str:
    """The account, subscription or project of a source; of private clusters, their target."""
    match source:
        case CostExplorer() | DataExport():
            return source.account
        case CostQuery() | CostExport():
            return source.subscription
        case BigQueryExport():
            return source.project
        case RateCard():
            return source.target


def version_of(states: Sequence[SourceState], now: datetime) -> str:
    """A name for what is kept now: another one when anything was collected, and after an hour in any case."""
    collected = sorted(f"{it.source} {it.collected_at} {it.data_through} {it.closed_through}" for it in states)
    return "\n".join([window_of(now).isoformat(), *collected])


def closed(sources: Sources, states: Sequence[SourceState]) -> dict[str, Span]:
    """What of each source will never change again: from the first window that is wanted to the last one closed."""
    known = {it.source: it for it in states}
    return {name: Span(it.since, _known(it, known.get(name)).closed_through) for name, it in sources.items()}


def first_open_month(sources: Sources, before: Mapping[str, Span], now: datetime) -> str:
    """The first month in which costs may have changed since something was closed `before`, source by source.

    It is the one before that of the first window that was not: a month's last change comes as it is closed. A source
    that was wanted from another window on, or not at all, may have changed since its first one: what is years old is
    read and closed within hours.
    """
    months = []
    for name, source in sources.items():
        then = before.get(name)
        at = then.end if then is not None and then.start == source.since else source.since
        months.append(source.calendar.month_of(source.calendar.period_of(at).start - HOUR))
    return min(months, default=now.strftime("%Y-%m"))


def _known(source: AnySource, state: SourceState | None) -> SourceState:
    """What is known of a source as it is declared now: nothing of one that was not read since then."""
    if state is None:
        return SourceState(source=source.name, since=source.since, closed_through=source.since)
    if state.since != source.since:
        return state.model_copy(update={"since": source.since, "closed_through": source.since})
    return state


def _never_read(source: AnySource, state: SourceState, now: datetime) -> int:
    due = Span(state.closed_through, window_of(now - source.rhythm.lag))
    read = sum(
        (max(timedelta(), min(it.end, due.end) - max(it.start, due.start)) for it in state.asked), start=timedelta()
    )
    return max(0, (due.end - due.start - read) // HOUR)
