"""When a schedule fires, as EventBridge documents it."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest

from local.event_pump.errors import NotSupported
from local.event_pump.expressions import parse


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def firings(expression: str, start: str, count: int = 3, zone: str = "UTC") -> list[str]:
    parsed = parse(expression, zone, at(start))
    moment, found = at(start), []
    for _ in range(count):
        following = parsed.next_after(moment)
        if following is None:
            break
        moment = following
        found.append(datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S"))
    return found


def test_at_fires_once_and_never_when_it_has_passed() -> None:
    assert firings("at(2026-11-22T22:13:20)", "2026-11-22T22:00:00") == ["2026-11-22 22:13:20"]
    assert firings("at(2026-11-22T22:13:20)", "2026-11-22T22:13:20") == []


def test_at_is_meant_on_the_clocks_of_its_time_zone() -> None:
    assert firings("at(2026-07-01T12:00:00)", "2026-01-01T00:00:00", zone="Europe/Berlin") == ["2026-07-01 10:00:00"]


def test_a_rate_keeps_its_distance_from_its_beginning_on() -> None:
    rate = parse("rate(1 hour)", "UTC", at("2026-01-01T00:10:00"))
    assert rate.next_after(at("2026-01-01T00:00:00")) == at("2026-01-01T00:10:00")
    assert rate.next_after(at("2026-01-01T00:10:00")) == at("2026-01-01T01:10:00")
    assert rate.next_after(at("2026-01-03T12:30:00")) == at("2026-01-03T13:10:00")


@pytest.mark.parametrize(
    ("expression", "start", "expected"),
    [
        ("cron(0 10 * * ? *)", "2026-01-01T10:00:00", ["2026-01-02 10:00:00", "2026-01-03 10:00:00"]),
        ("cron(15 12 * * ? *)", "2026-01-01T00:00:00", ["2026-01-01 12:15:00", "2026-01-02 12:15:00"]),
        ("cron(0 18 ? * MON-FRI *)", "2026-01-02T18:00:00", ["2026-01-05 18:00:00", "2026-01-06 18:00:00"]),
        ("cron(0/15 * * * ? *)", "2026-01-01T00:01:00", ["2026-01-01 00:15:00", "2026-01-01 00:30:00"]),
        ("cron(0 8 1 * ? *)", "2026-01-01T08:00:00", ["2026-02-01 08:00:00", "2026-03-01 08:00:00"]),
        ("cron(0 9 ? * 2#1 *)", "2026-01-01T00:00:00", ["2026-01-05 09:00:00", "2026-02-02 09:00:00"]),
        ("cron(0 9 L * ? *)", "2026-01-31T09:00:00", ["2026-02-28 09:00:00", "2026-03-31 09:00:00"]),
        ("cron(0 9 ? * 6L *)", "2026-01-01T00:00:00", ["2026-01-30 09:00:00", "2026-02-27 09:00:00"]),
        ("cron(0 9 15W * ? *)", "2026-02-01T00:00:00", ["2026-02-16 09:00:00", "2026-03-16 09:00:00"]),
        ("cron(0 9 1W * ? *)", "2026-08-01T00:00:00", ["2026-08-03 09:00:00", "2026-09-01 09:00:00"]),
        ("cron(0 9 LW * ? *)", "2026-01-01T00:00:00", ["2026-01-30 09:00:00", "2026-02-27 09:00:00"]),
        ("cron(0 0 29 FEB ? *)", "2026-01-01T00:00:00", ["2028-02-29 00:00:00", "2032-02-29 00:00:00"]),
        ("cron(0 0 1 1 ? 2027)", "2026-01-01T00:00:00", ["2027-01-01 00:00:00"]),
        ("cron(0 22-1 ? * SUN,2 *)", "2026-01-04T21:00:00", ["2026-01-04 22:00:00", "2026-01-04 23:00:00"]),
    ],
)
def test_cron_means_what_eventbridge_says_it_means(expression: str, start: str, expected: list[str]) -> None:
    assert firings(expression, start, 2) == expected


def test_a_time_that_the_clocks_skip_in_spring_is_skipped() -> None:
    found = firings("cron(30 2 * * ? *)", "2026-03-28T00:00:00", 3, zone="Europe/Berlin")
    assert found == ["2026-03-28 01:30:00", "2026-03-30 00:30:00", "2026-03-31 00:30:00"]


def test_a_time_that_comes_twice_in_autumn_fires_once() -> None:
    found = firings("cron(30 2 * * ? *)", "2026-10-24T12:00:00", 2, zone="Europe/Berlin")
    assert found == ["2026-10-25 00:30:00", "2026-10-26 01:30:00"]


def test_firings_are_always_later_than_the_one_before() -> None:
    parsed = parse("cron(0/7 * ? * * *)", "America/New_York", 0.0)
    moments = [at("2026-10-31T20:00:00")]
    for _ in range(400):
        following = parsed.next_after(moments[-1])
        assert following is not None
        moments.append(following)
    assert all(earlier < later for earlier, later in pairwise(moments))


@pytest.mark.parametrize(
    "expression",
    [
        "every hour",
        "at(tomorrow)",
        "at(2026-01-01)",
        "rate(0 minutes)",
        "rate(1 hours)",
        "rate(2 hour)",
        "rate(5 seconds)",
        "cron(0 10 * * *)",
        "cron(0 10 * * * *)",
        "cron(0 10 ? * ? *)",
        "cron(60 10 * * ? *)",
        "cron(0 10 * FOO ? *)",
        "cron(0 10 ? * 8 *)",
        "cron(a-b 10 ? * 1 *)",
    ],
)
def test_what_is_no_expression_is_refused(expression: str) -> None:
    with pytest.raises(NotSupported):
        parse(expression, "UTC", 0.0)


def test_an_unknown_time_zone_is_refused_by_name() -> None:
    with pytest.raises(NotSupported, match="Mars/Olympus"):
        parse("cron(0 10 * * ? *)", "Mars/Olympus", 0.0)
