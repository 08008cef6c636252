"""The time."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time; deadlines and settling windows are measured with it."""

    def now(self) -> datetime:
        """The present moment, in UTC."""
        ...
