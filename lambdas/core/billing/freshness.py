"""How fresh what is kept of a source is, and whether it is later than its rhythm promises.

A late hour looks like a cheap one, so whoever sees costs sees this.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from lambdas.core.billing.sources import (
    AnySource,
    BigQueryExport,
    CostExplorer,
    CostExport,
    CostQuery,
    DataExport,
    RateCard,
)
from lambdas.core.billing.spans import HOUR, Span, window_of
from lambdas.core.billing.windows import Failure, SourceState, Window

GRACE: Final = timedelta(hours=2)
"""Collecting begins once an hour, and takes up to seventy minutes."""

LOOK_BACK: Final = timedelta(hours=48)
"""As windows are first read in order, the newest ones say how many were not read yet, unless it is all of these."""


class Freshness(NamedTuple):
    """What is known of a source at a moment.

    `windows_behind` counts the windows that are worth reading and were never read; `windows_open` those that may still
    change. It is `late` when any of them should have been read by now, or read again, or closed.
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


def due_span(source: AnySource, state: SourceState | None, now: datetime) -> Span:
    """The windows of a source that are worth reading now and are not closed."""
    first = max(state.closed_through, source.since) if state else source.since
    return Span(first, max(first, window_of(now - source.rhythm.lag)))


def newest(span: Span) -> Span:
    """The newest windows of a span, by which the others are judged, too."""
    return Span(max(span.start, span.end - LOOK_BACK), span.end)


def first_unread(span: Span, known: Iterable[Window]) -> datetime:
    """The first window from which on none of a span was ever read; the span's end when there is none."""
    read = [it.start for it in known if it.read_at is not None and it.start < span.end]
    return max([span.start, *(it + HOUR for it in read)])


def freshness(source: AnySource, state: SourceState | None, unread: datetime, now: datetime) -> Freshness:
    """How fresh a source is of which no window from `unread` on was ever read."""
    due = due_span(source, state, now)
    return Freshness(
        source=source.name,
        kind=source.kind,
        provider=provider_of(source),
        account=account_of(source),
        collected_at=state.collected_at if state else None,
        data_through=state.data_through if state else None,
        closed_through=due.start,
        windows_behind=_hours(unread, due.end),
        windows_open=_hours(due.start, window_of(now)),
        late=_late(source, state, unread, due, now),
        failure=state.failure if state else None,
    )


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


def first_open_month(sources: Mapping[str, AnySource], states: Mapping[str, SourceState], now: datetime) -> str:
    """The first month in which costs may have changed since the hour before.

    It is the one before that of the first window that is not closed: a month's last change comes as it is closed.
    """
    firsts = [
        source.calendar.month_of(source.calendar.period_of(due_span(source, states.get(name), now).start).start - HOUR)
        for name, source in sources.items()
    ]
    return min(firsts, default=now.strftime("%Y-%m"))


def _late(source: AnySource, state: SourceState | None, unread: datetime, due: Span, now: datetime) -> bool:
    rhythm = source.rhythm
    # A unit that was read before is read again only so often, though it has got longer meanwhile.
    promised = (HOUR if rhythm.unit == "hour" else rhythm.every) + GRACE
    if unread < due.end and now - (unread + HOUR + rhythm.lag) > promised:
        return True
    period = source.calendar.period_of(due.start)
    if now - (period.end + rhythm.settled) > GRACE + rhythm.every:
        return True
    collected = state.collected_at if state else None
    return collected is not None and due.end > due.start and now - collected > promised


def _hours(start: datetime, end: datetime) -> int:
    return max(0, (end - start) // HOUR)
