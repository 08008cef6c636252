"""State changes that are due at a moment of the account's clock and happen when somebody looks."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

from local.clock import Clock


class Timeline:
    """Pending changes in order of their due moment; nothing runs in the background."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._moment: float | None = None
        self._order = count()
        self._due: list[tuple[float, int, Callable[[], None]]] = []

    @property
    def now(self) -> float:
        """The clock's time, or inside a change the moment at which that change was due; seconds since the epoch."""
        return self._clock.now() if self._moment is None else self._moment

    def after(self, seconds: float, change: Callable[[], None]) -> None:
        """Have `change` happen `seconds` from now; at once where that is no time at all."""
        if seconds <= 0:
            change()
        else:
            heapq.heappush(self._due, (self.now + seconds, next(self._order), change))

    def settle(self) -> None:
        """Make everything happen that has become due, each change at its own moment."""
        now = self._clock.now()
        while self._due and self._due[0][0] <= now:
            self._moment, _, change = heapq.heappop(self._due)
            try:
                change()
            finally:
                self._moment = None
