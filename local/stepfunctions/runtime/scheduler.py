"""What is due when: a heap of moments whose ties a seed decides."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from contextlib import AbstractContextManager
from random import Random
from typing import Any

_FEW = 1000


class Timer:
    """A scheduled call; `cancel` makes it never happen."""

    __slots__ = ("_scheduler", "action", "cancelled", "moment", "queued")

    def __init__(self, scheduler: Scheduler, moment: float, action: Callable[[], None]) -> None:
        self._scheduler = scheduler
        self.moment = moment
        self.action = action
        self.cancelled = False
        self.queued = True

    def cancel(self) -> None:
        """Make the call not happen; harmless after it has."""
        if self.queued and not self.cancelled:
            self.cancelled = True
            self._scheduler.note_cancelled()


class SharedTimer:
    """A timer that may be cancelled while others schedule, under the lock that guards the schedule."""

    __slots__ = ("_lock", "_timer")

    def __init__(self, timer: Timer, lock: AbstractContextManager[Any]) -> None:
        self._timer = timer
        self._lock = lock

    def cancel(self) -> None:
        """Make the call not happen; harmless after it has."""
        with self._lock:
            self._timer.cancel()


class Scheduler:
    """Calls by moment. Seed 0 keeps equal moments in the order of their scheduling, any other shuffles them."""

    def __init__(self, seed: int = 0) -> None:
        self._heap: list[tuple[float, float, int, Timer]] = []
        self._count = itertools.count()
        self._cancelled = 0
        self._random = Random(seed) if seed else None  # noqa: S311 - interleavings must repeat for a seed

    def call_at(self, moment: float, action: Callable[[], None]) -> Timer:
        """Have `action` called at `moment`, seconds since the epoch."""
        timer = Timer(self, moment, action)
        order = self._random.random() if self._random else 0.0
        heapq.heappush(self._heap, (moment, order, next(self._count), timer))
        return timer

    def next_moment(self) -> float | None:
        """When the next call is due; None when nothing is."""
        while self._heap and self._heap[0][3].cancelled:
            heapq.heappop(self._heap)
            self._cancelled -= 1
        return self._heap[0][0] if self._heap else None

    def pop(self) -> Timer:
        """Take the next call; raises IndexError when nothing is scheduled."""
        if self.next_moment() is None:
            raise IndexError("nothing is scheduled")
        timer = heapq.heappop(self._heap)[3]
        timer.queued = False
        return timer

    def note_cancelled(self) -> None:
        """A queued call will not happen: once most will not, let go of them, however far off their moments are."""
        self._cancelled += 1
        if self._cancelled > max(_FEW, len(self._heap) // 2):
            self._heap = [entry for entry in self._heap if not entry[3].cancelled]
            heapq.heapify(self._heap)
            self._cancelled = 0
