"""Hours, and runs of hours, in UTC: a window is one hour of what a source bills."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Final, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, AwareDatetime

HOUR: Final = timedelta(hours=1)

WINDOW_FORMAT: Final = "%Y-%m-%dT%H"
"""How a window is written where it names something: `2026-11-26T09`, an execution or a file."""


def window_of(moment: datetime) -> datetime:
    """The beginning of the window that a moment is in."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def window_name(start: datetime) -> str:
    """What a window is called where it names something."""
    return start.astimezone(UTC).strftime(WINDOW_FORMAT)


def window_named(name: str) -> datetime:
    """The beginning of the window of that name; raises ValueError."""
    return datetime.strptime(name, WINDOW_FORMAT).replace(tzinfo=UTC)


def _whole(moment: datetime) -> datetime:
    if moment != window_of(moment):
        raise ValueError("must be a whole hour")
    return moment.astimezone(UTC)


WindowStart = Annotated[AwareDatetime, AfterValidator(_whole)]


class Span(NamedTuple):
    """The windows that begin at `start`, at `end`, and not at `end` itself or later."""

    start: datetime
    end: datetime

    def windows(self) -> Iterator[datetime]:
        """The beginning of each, in order."""
        at = self.start
        while at < self.end:
            yield at
            at += HOUR


class BillingCalendar(NamedTuple):
    """When a source's billing periods begin: on the first of each month, in its own time."""

    timezone: str = "UTC"

    def period_of(self, moment: datetime) -> Span:
        """The billing period that a moment is in."""
        zone = ZoneInfo(self.timezone)
        first = moment.astimezone(zone).date().replace(day=1)
        following = (first + timedelta(days=31)).replace(day=1)
        return Span(_midnight(first, zone), _midnight(following, zone))

    def month_of(self, moment: datetime) -> str:
        """The name of that billing period: `2026-11`."""
        return moment.astimezone(ZoneInfo(self.timezone)).strftime("%Y-%m")

    def months(self, span: Span) -> Iterator[str]:
        """The names of the billing periods that a span has windows of, in order."""
        at = span.start
        while at < span.end:
            yield self.month_of(at)
            at = self.period_of(at).end


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
