"""What to read of a source next: what was never read first, oldest first, and then what may have changed.

A source is read in its own units (`Rhythm`), since one request tells a whole day or month where a cloud knows no hours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from lambdas.core.billing.sources import AnySource
from lambdas.core.billing.spans import HOUR, Span, window_of
from lambdas.core.billing.windows import Asked, SourceState

MOST_READS: Final = 6
"""For one execution: what is missing after an outage is made up for over some hours, without a storm of requests."""


class _Unit(NamedTuple):
    """One unit of a source: its windows up to now, when it was last read, and whether it must be read again."""

    span: Span
    asked_at: datetime | None
    due: bool


def settled_at(source: AnySource, start: datetime) -> datetime:
    """From when on a read is the last of the window that begins at `start`.

    That is when its source has settled, or is about to forget what it knew of the window: of a whole unit at once.
    """
    settled = source.calendar.period_of(start).end + source.rhythm.settled
    if source.rhythm.reach is None:
        return settled
    return min(settled, unit_of(source, start).start + source.rhythm.reach)


def wanted_from(source: AnySource) -> datetime:
    """The first window that is kept: of a source that may know days only, all of the day that is wanted from."""
    return unit_of(source, source.since).start if source.rhythm.unit == "day" else source.since


def next_span(source: AnySource, state: SourceState, now: datetime) -> Span | None:
    """What to read now; None when nothing is due.

    What was never read goes before what is to be read again, and of both the oldest.
    """
    units = list(_units(source, state, now))
    missing = [it.span for it in units if it.due and it.asked_at is None]
    due = missing or [it.span for it in units if it.due]
    return _joined(due, source.rhythm.most) if due else None


def last_asked(asked: Sequence[Asked], span: Span) -> datetime | None:
    """When anything of a span was last read."""
    return max((it.at for it in asked if it.start < span.end and span.start < it.end), default=None)


def unseen_since(asked: Sequence[Asked], span: Span) -> datetime | None:
    """Since when there may be something of a span that no read has kept; None when nothing of it was ever read.

    That is when the part of it was read that was read the longest ago; and of windows that never were, when the first
    of them began: whatever was told of them by then, no read has kept it.
    """
    pieces = [it for it in asked if it.start < span.end and span.start < it.end]
    if not pieces:
        return None
    ends = [span.start, *(it.end for it in pieces)]
    starts = [*(it.start for it in pieces), span.end]
    gaps = [end for end, start in zip(ends, starts, strict=True) if end < start]
    return min([*(it.at for it in pieces), *gaps])


def with_asked(asked: Sequence[Asked], span: Span, at: datetime) -> tuple[Asked, ...]:
    """The same with a span read anew; neighbours of one moment become one."""
    pieces = [*_outside(asked, span), Asked(start=span.start, end=span.end, at=at)]
    joined: list[Asked] = []
    for piece in sorted(pieces, key=lambda it: it.start):
        continued = bool(joined) and (joined[-1].end, joined[-1].at) == (piece.start, piece.at)
        start = joined.pop().start if continued else piece.start
        joined.append(Asked(start=start, end=piece.end, at=piece.at))
    return tuple(joined)


def closed_through(source: AnySource, first: datetime, asked: Sequence[Asked]) -> datetime:
    """The first window from `first` on that is not closed: each is by a read that began when it had settled."""
    at = first
    for piece in asked:
        if not piece.start <= at < piece.end:
            continue
        while at < piece.end and piece.at >= settled_at(source, at):
            at = min(unit_of(source, at).end, piece.end)
    return at


def _outside(asked: Sequence[Asked], span: Span) -> Iterator[Asked]:
    for it in asked:
        if it.start < span.start:
            yield it.model_copy(update={"end": min(it.end, span.start)})
        if it.end > span.end:
            yield it.model_copy(update={"start": max(it.start, span.end)})


def _units(source: AnySource, state: SourceState, now: datetime) -> Iterator[_Unit]:
    at, end = state.closed_through, window_of(now - source.rhythm.lag)
    while at < end:
        whole = unit_of(source, at)
        span = Span(whole.start, min(whole.end, end))
        last = last_asked(state.asked, Span(at, span.end))
        yield _Unit(span, last, last is None or _due(source, span, last, now))
        at = whole.end


def unit_of(source: AnySource, moment: datetime) -> Span:
    """The unit of a source that a moment is in."""
    unit = source.rhythm.unit
    if unit == "month":
        return source.calendar.period_of(moment)
    start = window_of(moment)
    if unit == "hour":
        return Span(start, start + HOUR)
    day = datetime(start.year, start.month, start.day, tzinfo=UTC)
    return Span(day, day + timedelta(days=1))


def _due(source: AnySource, span: Span, last: datetime, now: datetime) -> bool:
    rhythm = source.rhythm
    settled = settled_at(source, span.end - HOUR)
    if settled <= now:
        return last < settled
    return now - last >= (rhythm.every if now - span.end <= rhythm.trailing else rhythm.later)


def _joined(spans: Sequence[Span], most: timedelta) -> Span:
    """From the first to the last of them that one read reaches: what lies between costs less than a read of its own."""
    start = spans[0].start
    return Span(start, max(it.end for it in spans if it is spans[0] or it.end - start <= most))
