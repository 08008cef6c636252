"""Hours, months and names of windows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from lambdas.core.billing.spans import BillingCalendar, Span, window_name, window_named, window_of

PACIFIC = BillingCalendar("America/Los_Angeles")


def test_a_window_begins_at_the_whole_hour_in_utc() -> None:
    moment = datetime(2026, 11, 26, 9, 59, 59, 999999, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    assert window_of(moment) == datetime(2026, 11, 26, 4, tzinfo=UTC)


def test_a_name_and_its_window_are_one_to_one() -> None:
    start = datetime(2026, 11, 26, 9, tzinfo=UTC)
    assert window_name(start) == "2026-11-26T09"
    assert window_named("2026-11-26T09") == start


def test_a_span_has_every_hour_but_its_end() -> None:
    start = datetime(2026, 3, 29, tzinfo=UTC)
    assert len(list(Span(start, start + timedelta(days=1)).windows())) == 24


@pytest.mark.parametrize(
    ("calendar", "moment", "start", "end"),
    [
        (BillingCalendar(), "2026-02-28T23", "2026-02-01T00", "2026-03-01T00"),
        (BillingCalendar(), "2026-12-31T00", "2026-12-01T00", "2027-01-01T00"),
        # Summer time begins on 8 March and ends on 1 November: midnight there is at 8 or at 7 o'clock.
        (PACIFIC, "2026-03-01T07", "2026-02-01T08", "2026-03-01T08"),
        (PACIFIC, "2026-03-01T08", "2026-03-01T08", "2026-04-01T07"),
        (PACIFIC, "2026-11-30T00", "2026-11-01T07", "2026-12-01T08"),
    ],
)
def test_a_billing_period_is_a_month_of_the_source_s_own_time(
    calendar: BillingCalendar, moment: str, start: str, end: str
) -> None:
    assert calendar.period_of(window_named(moment)) == Span(window_named(start), window_named(end))


def test_a_billing_period_has_the_name_of_its_month() -> None:
    assert PACIFIC.month_of(datetime(2026, 12, 1, 7, tzinfo=UTC)) == "2026-11"
