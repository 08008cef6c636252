"""Faults to come: which operation of a simulated cloud goes wrong, how, and how often.

| fault      | what happens                                                                      |
|------------|-----------------------------------------------------------------------------------|
| `refuse`   | the connection is closed before any effect                                        |
| `throttle` | 429 with Retry-After, no effect                                                   |
| `error`    | 503 in the cloud's own form, no effect                                            |
| `lost`     | takes effect, then the connection is closed without a reply                       |
| `late`     | the connection is closed; takes effect `delay` seconds later                      |
| `twice`    | delivered twice; the second answer is given                                       |
| `slow`     | answered after `delay` seconds                                                    |
| `stale`    | a read answers as if what was created lately did not exist yet                    |
| `fail`     | accepted, then fails after `delay` seconds                                        |
| `quote`    | refused for good, in a message that quotes the whole request, as clouds do          |
| `capacity` | refused, or accepted and failed after `delay` seconds, for want of capacity       |
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable
from enum import StrEnum
from fnmatch import fnmatchcase

from pydantic import BaseModel, ConfigDict, Field


class FaultKind(StrEnum):
    """How a call goes wrong; the module's table says what each one does."""

    REFUSE = "refuse"
    THROTTLE = "throttle"
    ERROR = "error"
    LOST = "lost"
    LATE = "late"
    TWICE = "twice"
    SLOW = "slow"
    STALE = "stale"
    FAIL = "fail"
    QUOTE = "quote"
    CAPACITY = "capacity"


class Fault(BaseModel):
    """One kind of trouble for calls of `operation` (a name such as `instances.insert`, or a pattern with `*`).

    It strikes the next `times` matching calls (all of them when None), each with `probability`; `delay` is in seconds.
    `code` is the error to refuse with where a service has several, as DynamoDB does; the clouds ignore it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    operation: str
    fault: FaultKind
    times: int | None = Field(default=1, ge=1)
    delay: float = Field(default=0.0, ge=0)
    probability: float = Field(default=1.0, gt=0, le=1)
    seed: int = 0
    code: str | None = None


class _Armed:
    """A fault and how often it may still strike."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.left = fault.times
        self.random = random.Random(fault.seed)  # noqa: S311 -- reproducible on purpose, nothing secret

    def strikes(self, operation: str) -> bool:
        """Whether this call is struck; counts it if so."""
        if self.left == 0 or not fnmatchcase(operation, self.fault.operation):
            return False
        if self.random.random() >= self.fault.probability:
            return False
        if self.left is not None:
            self.left -= 1
        return True


class Faults:
    """The faults that are armed; the first that matches a call strikes it."""

    def __init__(self) -> None:
        self._armed: list[_Armed] = []
        self._lock = threading.Lock()

    def arm(self, faults: Iterable[Fault]) -> None:
        """Add faults behind those already armed."""
        with self._lock:
            self._armed.extend(_Armed(fault) for fault in faults)

    def disarm(self) -> None:
        """Forget every fault."""
        with self._lock:
            self._armed.clear()

    def take(self, operation: str) -> Fault | None:
        """The fault that strikes this call, if any."""
        with self._lock:
            return next((armed.fault for armed in self._armed if armed.strikes(operation)), None)
