"""Expiry in memory: what was asked for, for tests to look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from lambdas.core.errors import RetryableError


@dataclass
class FakeExpiry:
    """Remembers the moment of each saga, the first one that was asked for; `unavailable` calls are refused first."""

    scheduled: dict[str, datetime] = field(default_factory=dict)
    unavailable: int = 0

    def schedule(self, saga_id: str, moment: datetime) -> None:
        """Remember the moment; raises RetryableError while unavailable."""
        if self.unavailable:
            self.unavailable -= 1
            raise RetryableError("ThrottlingException", "no")
        self.scheduled.setdefault(saga_id, moment)
