"""State machines that are only remembered as started."""

from __future__ import annotations

from lambdas.core.errors import RetryableError
from lambdas.core.steps.saga import ReleaseReason


class FakeExecutions:
    """Remembers each execution once, by its name; `unavailable` makes the next calls fail without effect."""

    def __init__(self) -> None:
        self.provisioning: list[str] = []
        self.releases: list[tuple[str, ReleaseReason, int]] = []
        self.woken: list[str] = []
        self.unavailable = 0

    def start_provisioning(self, saga_id: str) -> None:
        """Start provisioning a saga that is in the ledger; raises RetryableError."""
        self._answer()
        if saga_id not in self.provisioning:
            self.provisioning.append(saga_id)

    def start_release(self, saga_id: str, reason: ReleaseReason, attempt: int) -> None:
        """Start releasing a saga; raises RetryableError."""
        self._answer()
        if (saga_id, attempt) not in {(started, number) for started, _, number in self.releases}:
            self.releases.append((saga_id, reason, attempt))

    def wake(self, token: str) -> None:
        """Remember the token; raises RetryableError."""
        self._answer()
        self.woken.append(token)

    def _answer(self) -> None:
        if self.unavailable:
            self.unavailable -= 1
            raise RetryableError("ServiceUnavailable", "the state machine could not be started")
