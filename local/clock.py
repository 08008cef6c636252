"""The time that everything local lives by: the wall's for people, a virtual one for tests."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time; whoever needs a moment to come schedules it with the engine, nobody sleeps here."""

    def now(self) -> float:
        """Seconds since the Unix epoch."""
        ...


class WallClock:
    """The machine's own time."""

    def now(self) -> float:
        """Seconds since the Unix epoch."""
        return time.time()


class VirtualClock:
    """Time that stands still until somebody moves it, so that an hour's wait takes no time and runs repeat exactly."""

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._now = start

    def now(self) -> float:
        """Seconds since the Unix epoch."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move `seconds` forward; a negative step raises ValueError."""
        self.advance_to(self._now + seconds)

    def advance_to(self, moment: float) -> None:
        """Move forward to `moment`; a moment in the past raises ValueError."""
        if moment < self._now:
            raise ValueError(f"time does not go back: {moment} is before {self._now}")
        self._now = moment
