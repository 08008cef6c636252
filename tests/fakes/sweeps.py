"""Sweeps that are only remembered as started, and end when a test says so."""

from __future__ import annotations

from datetime import datetime

from lambdas.core.errors import RetryableError, SweepNotFound
from lambdas.core.ports.clock import Clock
from lambdas.core.ports.sweeps import Sweep, SweepStatus
from lambdas.core.steps.sweep import SweepResult


class FakeSweeps:
    """Remembers each sweep by its id; `unavailable` makes the next calls fail without effect."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.started: dict[str, Sweep] = {}
        self.unavailable = 0

    def start(self, sweep_id: str, *, dry_run: bool) -> None:
        """Start a sweep; starting the same one again does nothing; raises RetryableError."""
        self._answer()
        self.started.setdefault(sweep_id, Sweep(sweep_id, SweepStatus.RUNNING, dry_run, self._clock.now()))

    def find(self, sweep_id: str) -> Sweep:
        """A sweep as it stands; raises SweepNotFound and RetryableError."""
        self._answer()
        if sweep_id not in self.started:
            raise SweepNotFound(f"no sweep {sweep_id}")
        return self.started[sweep_id]

    def end(
        self,
        sweep_id: str,
        status: SweepStatus,
        at: datetime,
        result: SweepResult | None = None,
        error: str | None = None,
    ) -> None:
        """Let a sweep come to an end."""
        self.started[sweep_id] = self.started[sweep_id]._replace(status=status, ended_at=at, result=result, error=error)

    def _answer(self) -> None:
        if self.unavailable:
            self.unavailable -= 1
            raise RetryableError("ServiceUnavailable", "the state machine could not be started")
