"""The clock on the function's own time."""

from __future__ import annotations

from datetime import UTC, datetime


class SystemClock:
    """The time of the machine that the function runs on."""

    def now(self) -> datetime:
        """The present moment, in UTC."""
        return datetime.now(UTC)
