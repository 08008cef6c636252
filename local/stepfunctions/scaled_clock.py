"""A clock for WAIT_TIME_SCALE: the wall's, made to pass faster or slower."""

from __future__ import annotations

import time


class ScaledClock:
    """`scale` 0.1 lets ten seconds pass in one, as WAIT_TIME_SCALE of AWS's Step Functions Local does."""

    def __init__(self, scale: float) -> None:
        if scale <= 0:
            raise ValueError("the scale must be positive")
        self.scale = scale
        self._origin = time.time()

    def now(self) -> float:
        """Seconds since the Unix epoch, counted from the start at the scaled speed."""
        return self._origin + (time.time() - self._origin) / self.scale
