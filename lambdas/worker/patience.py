"""How a worker waits between two looks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

BEAT_SECONDS: Final = 20.0
"""Well below both a task's heartbeat timeout and the time for which a queue hides a message."""


class Patience:
    """Lets time pass, saying every so often that somebody is at work, until it is time to hand the task back."""

    def __init__(
        self,
        beat: Callable[[], None],
        over: Callable[[], bool],
        wait: Callable[[float], object],
        beat_seconds: float = BEAT_SECONDS,
    ) -> None:
        self._beat = beat
        self._beat_seconds = beat_seconds
        self._over = over
        self._wait = wait

    def pause(self, seconds: int) -> bool:
        """Let so many seconds pass; False, at once, when it is time to hand back."""
        left = float(seconds)
        while True:
            self._beat()
            if self._over():
                return False
            if left <= 0:
                return True
            step = min(left, self._beat_seconds)
            self._wait(step)
            left -= step
