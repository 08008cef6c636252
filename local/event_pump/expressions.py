"""When a schedule fires: `at(...)`, `rate(...)` and `cron(...)` as EventBridge documents them.

Sources: EventBridge Scheduler user guide, "Schedule types"; EventBridge user guide, "cron and rate expressions". In a
time zone, a moment that the clocks skip in spring is skipped, and one that comes twice in autumn fires once.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from local.event_pump.cron import Cron
from local.event_pump.errors import NotSupported

_FORM: Final = re.compile(r"(at|rate|cron)\((.*)\)")
_RATE: Final = re.compile(r"([1-9]\d*) (minute|hour|day)(s?)")
_SECONDS: Final = {"minute": 60, "hour": 3600, "day": 86400}


class Expression(Protocol):
    """The moments at which something fires, in seconds since the epoch."""

    def next_after(self, moment: float) -> float | None:
        """The first one after `moment`; None when there is none any more."""
        ...


class At:
    """Once."""

    def __init__(self, moment: float) -> None:
        self._moment = moment

    def next_after(self, moment: float) -> float | None:
        """The moment itself while it has not passed."""
        return self._moment if self._moment > moment else None


class Rate:
    """Every so many seconds from a beginning on; the beginning itself is the first moment."""

    def __init__(self, seconds: int, beginning: float) -> None:
        self._seconds = seconds
        self._beginning = beginning

    def next_after(self, moment: float) -> float:
        """The next whole multiple."""
        if moment < self._beginning:
            return self._beginning
        return self._beginning + (int((moment - self._beginning) / self._seconds) + 1) * self._seconds


class Calendar:
    """By the fields of a cron expression, on the clocks of a time zone."""

    def __init__(self, cron: Cron, zone: ZoneInfo) -> None:
        self._cron = cron
        self._zone = zone

    def next_after(self, moment: float) -> float | None:
        """The first matching minute after `moment`."""
        local = datetime.fromtimestamp(moment, self._zone).replace(tzinfo=None)
        start = local - timedelta(hours=2)  # clocks may have been set back since
        for candidate in self._cron.minutes_from(start):
            aware = candidate.replace(tzinfo=self._zone)
            exists = aware.astimezone(UTC).astimezone(self._zone).replace(tzinfo=None) == candidate
            if exists and aware.timestamp() > moment:
                return aware.timestamp()
        return None


def parse(text: str, zone: str, beginning: float) -> Expression:
    """The moments that an expression stands for; a rate counts from `beginning`. Raises NotSupported."""
    form = _FORM.fullmatch(text)
    if form is None:
        raise NotSupported(f"{text!r} is neither at(...), rate(...) nor cron(...)")
    kind, inner = form.groups()
    if kind == "rate":
        return _rate(inner, beginning)
    timezone = _zone(zone)
    if kind == "cron":
        return Calendar(Cron.parse(inner), timezone)
    try:
        return At(datetime.strptime(inner, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone).timestamp())
    except ValueError:
        raise NotSupported(f"{text!r}: at(...) takes yyyy-mm-ddThh:mm:ss") from None


def _rate(inner: str, beginning: float) -> Rate:
    match = _RATE.fullmatch(inner)
    if match is None or (match[1] == "1") == bool(match[3]):
        raise NotSupported(f"rate({inner}): a positive number and minute(s), hour(s) or day(s), singular for 1")
    return Rate(int(match[1]) * _SECONDS[match[2]], beginning)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise NotSupported(f"the time zone {name!r} is unknown on this machine") from None
