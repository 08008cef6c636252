"""What is due when: a heap of moments whose ties a seed decides."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from random import Random


class Timer:
    """A scheduled call; `cancel` makes it never happen."""

    __slots__ = ("action", "cancelled", "moment")

    def __init__(self, moment: float, action: Callable[[], None]) -> None:
        self.moment = moment
        self.action = action
        self.cancelled = False

    def cancel(self) -> None:
        """Make the call not happen; harmless after it has."""
        self.cancelled = True


class Scheduler:
    """Calls by moment. Seed 0 keeps equal moments in the order of their scheduling, any other shuffles them."""

    def __init__(self, seed: int = 0) -> None:
        self._heap: list[tuple[float, float, int, Timer]] = []
        self._count = itertools.count()
        self._random = Random(seed) if seed else None  # noqa: S311 - interleavings must repeat for a seed

    def call_at(self, moment: float, action: Callable[[], None]) -> Timer:
        """Have `action` called at `moment`, seconds since the epoch."""
        timer = Timer(moment, action)
        order = self._random.random() if self._random else 0.0
        heapq.heappush(self._heap, (moment, order, next(self._count), timer))
        return timer

    def next_moment(self) -> float | None:
        """When the next call is due; None when nothing is."""
        while self._heap and self._heap[0][3].cancelled:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def pop(self) -> Timer:
        """Take the next call; raises IndexError when nothing is scheduled."""
        if self.next_moment() is None:
            raise IndexError("nothing is scheduled")
        return heapq.heappop(self._heap)[3]
