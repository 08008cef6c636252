"""EventBridge's cron: minutes, hours, day of month, month, day of week, year.

Fields hold numbers, names, ranges, lists, steps and `*`; `?` stands in one of the two day fields; `L` and `W` in the
day of month, `L` and `#` in the day of week (1 is Sunday). Source: EventBridge user guide, "cron expressions".
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from local.event_pump.errors import NotSupported

_MONTHS: Final = {name: number for number, name in enumerate(calendar.month_abbr) if name for name in (name.upper(),)}
_DAYS: Final = {name: number for number, name in enumerate("SUN MON TUE WED THU FRI SAT".split(), start=1)}
_ITEM: Final = re.compile(r"(?:(\*)|(\w+)(?:-(\w+))?)(?:/(\d+))?")
_LAST_YEAR: Final = 2199

DayTest = Callable[[date], bool]


@dataclass(frozen=True)
class Cron:
    """A parsed expression."""

    minutes: frozenset[int]
    hours: frozenset[int]
    months: frozenset[int]
    years: frozenset[int]
    is_day: DayTest

    @classmethod
    def parse(cls, text: str) -> Cron:
        """Read the six fields; raises NotSupported naming the one that cannot be read."""
        fields = text.split()
        if len(fields) != 6:
            raise NotSupported(f"cron({text}): six fields are needed, one of the day fields being ?")
        minutes, hours, monthday, months, weekday, years = fields
        if (monthday == "?") == (weekday == "?"):
            raise NotSupported(f"cron({text}): exactly one of day of month and day of week must be ?")
        return cls(
            _numbers("minutes", minutes, 0, 59),
            _numbers("hours", hours, 0, 23),
            _numbers("month", months, 1, 12, _MONTHS),
            _numbers("year", years, 1970, _LAST_YEAR),
            _weekday(weekday) if monthday == "?" else _monthday(monthday),
        )

    def minutes_from(self, start: datetime) -> Iterator[datetime]:
        """The matching minutes from `start` on, in order, on a calendar without time zones."""
        day = start.date()
        while day.year <= max(self.years):
            if day.year not in self.years or day.month not in self.months:
                day = _first_of_next_month(day)
                continue
            if self.is_day(day):
                for hour in sorted(self.hours):
                    for minute in sorted(self.minutes):
                        moment = datetime.combine(day, time(hour, minute))
                        if moment >= start:
                            yield moment
            day += timedelta(days=1)


def _first_of_next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _numbers(field: str, text: str, least: int, most: int, names: dict[str, int] | None = None) -> frozenset[int]:
    found: set[int] = set()
    for item in text.split(","):
        match = _ITEM.fullmatch(item)
        if match is None:
            raise NotSupported(f"cron: {item!r} in the field {field}")
        star, low, high, step = match.groups()
        first = least if star else _number(field, low, least, most, names)
        last = _number(field, high, least, most, names) if high else (most if star or step else first)
        if last < first:
            found |= {*range(first, most + 1, int(step or 1)), *range(least, last + 1, int(step or 1))}
        else:
            found |= set(range(first, last + 1, max(1, int(step or 1))))
    return frozenset(found)


def _number(field: str, text: str, least: int, most: int, names: dict[str, int] | None) -> int:
    number = (names or {}).get(text.upper(), int(text) if text.isdecimal() else -1)
    if not least <= number <= most:
        raise NotSupported(f"cron: {text!r} in the field {field}, which takes {least} to {most}")
    return number


def _monthday(text: str) -> DayTest:
    if text == "L":
        return lambda day: day.day == _days_in(day)
    if text == "LW":
        return lambda day: day == _nearest_weekday(day, _days_in(day))
    if match := re.fullmatch(r"(\d+)W", text):
        wanted = _number("day of month", match[1], 1, 31, None)
        return lambda day: wanted <= _days_in(day) and day == _nearest_weekday(day, wanted)
    days = _numbers("day of month", text, 1, 31)
    return lambda day: day.day in days


def _weekday(text: str) -> DayTest:
    if match := re.fullmatch(r"(\w+)#([1-5])", text):
        wanted, nth = _number("day of week", match[1], 1, 7, _DAYS), int(match[2])
        return lambda day: _day_number(day) == wanted and (day.day - 1) // 7 + 1 == nth
    if text == "L":
        return lambda day: _day_number(day) == 7
    if match := re.fullmatch(r"(\w+)L", text):
        last = _number("day of week", match[1], 1, 7, _DAYS)
        return lambda day: _day_number(day) == last and day.day > _days_in(day) - 7
    days = _numbers("day of week", text, 1, 7, _DAYS)
    return lambda day: _day_number(day) in days


def _day_number(day: date) -> int:
    return day.isoweekday() % 7 + 1


def _days_in(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _nearest_weekday(day: date, wanted: int) -> date:
    """The weekday nearest to the `wanted` day of the month, without leaving the month."""
    target = day.replace(day=wanted)
    match target.isoweekday():
        case 6:
            return target + timedelta(days=2 if wanted == 1 else -1)
        case 7:
            return target + timedelta(days=-2 if wanted == _days_in(day) else 1)
        case _:
            return target
