"""A clock that stands still until a test moves it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

START: Final = datetime(2026, 11, 22, 12, tzinfo=UTC)


class FakeClock:
    """Time that only `advance` moves."""

    def __init__(self, now: datetime = START) -> None:
        self._now = now

    def now(self) -> datetime:
        """The present moment, in UTC."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move so many seconds forward; also what a test gives for `time.sleep`."""
        if seconds < 0:
            raise ValueError(f"time does not go back: {seconds}")
        self._now += timedelta(seconds=seconds)

    def advance_to(self, moment: datetime) -> None:
        """Move forward to a moment."""
        self.advance((moment - self._now).total_seconds())
