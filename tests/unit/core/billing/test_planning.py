"""What is read next of a source."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.core.billing.planning import (
    closed_through,
    last_asked,
    next_span,
    settled_at,
    unseen_since,
    wanted_from,
    with_asked,
)
from lambdas.core.billing.sources import AnySource, CostExplorer
from lambdas.core.billing.spans import HOUR, Span
from lambdas.core.billing.windows import Asked, SourceState
from tests.fakes.billing import SINCE, daily, hourly, monthly


def state_of(source: AnySource, *asked: tuple[datetime, datetime, datetime]) -> SourceState:
    pieces: tuple[Asked, ...] = ()
    for start, end, at in asked:
        pieces = with_asked(pieces, Span(start, end), at)
    first = closed_through(source, source.since, pieces)
    return SourceState(source=source.name, since=source.since, closed_through=first, asked=pieces)


def at(day: int, hour: int = 0, month: int = 1) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def test_nothing_is_read_before_there_is_a_window_worth_reading() -> None:
    assert next_span(hourly(), state_of(hourly()), SINCE + timedelta(hours=2, minutes=59)) is None


def test_the_first_window_is_read_when_its_lag_has_passed() -> None:
    assert next_span(hourly(), state_of(hourly()), at(1, 3)) == Span(at(1), at(1, 1))


def test_what_was_missed_is_read_oldest_first_and_as_much_at_a_time_as_one_read_takes() -> None:
    now = at(20)
    first = next_span(hourly(), state_of(hourly()), now)
    assert first == Span(at(1), at(8))
    second = next_span(hourly(), state_of(hourly(), (*first, now)), now)
    assert second == Span(at(8), at(15))


def test_what_was_never_read_goes_before_what_may_have_changed() -> None:
    state = state_of(hourly(), (at(1), at(3), at(3)))
    assert next_span(hourly(), state, at(3, 12)) == Span(at(3), at(3, 10))


def test_young_windows_are_read_again_at_the_source_s_rhythm_and_not_before() -> None:
    state = state_of(hourly(), (at(1), at(3), at(3, 2)))
    assert next_span(hourly(), state, at(3, 2)) is None
    everything = state_of(hourly(), (at(1), at(3, 4), at(3, 6)))
    assert next_span(hourly(), everything, at(3, 9)) == Span(at(3, 4), at(3, 7))
    later = state_of(hourly(), (at(1), at(3, 8), at(3, 6)))
    assert next_span(hourly(), later, at(3, 10)) == Span(at(1), at(3, 8))


def test_a_source_of_days_is_asked_for_the_day_so_far_and_not_every_hour_again() -> None:
    assert next_span(daily(), state_of(daily()), at(1, 6)) == Span(at(1), at(1, 2))
    state = state_of(daily(), (at(1), at(1, 2), at(1, 6)))
    assert next_span(daily(), state, at(1, 13)) is None
    assert next_span(daily(), state, at(1, 14)) == Span(at(1), at(1, 10))


def test_a_source_of_months_is_asked_for_one_month_at_a_time() -> None:
    span = next_span(monthly(), state_of(monthly()), at(10, month=3))
    assert span == Span(at(1), at(1, month=2))


@pytest.mark.parametrize("make", [hourly, daily, monthly])
def test_every_window_is_read_once_more_when_its_source_has_settled_and_is_closed_by_that(make: object) -> None:
    source: AnySource = make()  # type: ignore[operator]  # one of the sources above
    period = source.calendar.period_of(at(15))
    settled = settled_at(source, at(15))
    now = settled + HOUR
    state = state_of(source, (SINCE, period.end, settled - HOUR), (period.end, now, now))
    assert state.closed_through == max(SINCE, period.start)
    span = next_span(source, state, now)
    assert span is not None
    assert span.start == state.closed_through
    reads = 0
    while span is not None and span.start < period.end:
        state = state_of(source, *((it.start, it.end, it.at) for it in state.asked), (*span, now))
        span = next_span(source, state, now)
        reads += 1
    assert state.closed_through >= period.end
    assert reads <= 6


def test_a_closed_window_is_never_due_again() -> None:
    source = hourly()
    settled = settled_at(source, SINCE)
    state = state_of(source, (SINCE, settled, settled))
    span = next_span(source, state, settled + timedelta(days=1))
    assert span is not None
    assert span.start >= source.calendar.period_of(SINCE).end


def test_a_source_that_forgets_hours_is_read_for_the_last_time_before_it_does() -> None:
    source = CostExplorer(name="ce", since=SINCE, account="123456789012", hourly=True)
    reach = source.rhythm.reach
    assert reach is not None
    assert settled_at(source, at(5, 23)) == at(5) + reach
    state = state_of(source, (at(1), at(6), at(5) + reach))
    assert state.closed_through == at(6)


def test_a_source_of_days_is_kept_from_the_beginning_of_its_first_day() -> None:
    noon = SINCE + timedelta(hours=12)
    assert wanted_from(daily(noon)) == SINCE
    assert wanted_from(hourly(noon)) == noon
    assert wanted_from(monthly(noon)) == noon


hours = st.integers(0, 60)


@given(st.lists(st.tuples(hours, st.integers(1, 20), st.integers(0, 1000)), max_size=12), hours)
def test_when_a_window_was_last_read_is_what_the_last_read_over_it_said(
    reads: list[tuple[int, int, int]], hour: int
) -> None:
    pieces: tuple[Asked, ...] = ()
    expected = None
    for start, length, moment in reads:
        span = Span(SINCE + start * HOUR, SINCE + (start + length) * HOUR)
        pieces = with_asked(pieces, span, SINCE + moment * HOUR)
        if start <= hour < start + length:
            expected = SINCE + moment * HOUR
    window = Span(SINCE + hour * HOUR, SINCE + (hour + 1) * HOUR)
    assert last_asked(pieces, window) == expected
    assert all(one.end <= other.start for one, other in pairwise(pieces))


def test_of_parts_that_were_read_at_different_times_the_oldest_may_have_changed_since() -> None:
    pieces = with_asked((), Span(at(1), at(3)), at(5))
    pieces = with_asked(pieces, Span(at(2), at(3)), at(9))
    assert unseen_since(pieces, Span(at(1), at(3))) == at(5)
    assert unseen_since(pieces, Span(at(2), at(3))) == at(9)


def test_what_was_told_of_windows_that_no_read_covered_is_unseen() -> None:
    pieces = with_asked((), Span(at(1), at(3)), at(5))
    assert unseen_since(pieces, Span(at(1), at(4))) == at(3)
    assert unseen_since(pieces, Span(at(3), at(4))) is None
