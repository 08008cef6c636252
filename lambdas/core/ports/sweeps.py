"""Starting sweeps and asking what became of them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from lambdas.core.steps.sweep import SweepResult


class SweepStatus(StrEnum):
    """Where a sweep stands; the names are part of the API."""

    RUNNING = "RUNNING"
    COMPLETE = "COMPLETE"
    INCOMPLETE = "INCOMPLETE"
    FAILED = "FAILED"


class Sweep(NamedTuple):
    """A sweep: `result` once it has looked everywhere, or everywhere it could; `error` says why it failed."""

    id: str
    status: SweepStatus
    dry_run: bool
    started_at: datetime
    ended_at: datetime | None = None
    result: SweepResult | None = None
    error: str | None = None


class Sweeps(Protocol):
    """The sweep's state machine; both raise RetryableError."""

    def start(self, sweep_id: str, *, dry_run: bool) -> None:
        """Start a sweep; starting the same one again does nothing."""
        ...

    def find(self, sweep_id: str) -> Sweep:
        """A sweep as it stands, whoever or whatever started it; raises SweepNotFound, also for one of long ago."""
        ...
