"""The tasks that state machines wait for, in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from lambdas.core.errors import RetryableError
from lambdas.core.steps.results import StepResult


@dataclass
class FakeTasks:
    """Remembers what was answered; nothing is, while it is `unavailable`."""

    succeeded: list[tuple[str, StepResult]] = field(default_factory=list)
    failed: list[tuple[str, str, str]] = field(default_factory=list)
    beats: list[str] = field(default_factory=list)
    unavailable: bool = False

    def succeed(self, token: str, result: StepResult) -> None:
        """Remember a success."""
        self._answer()
        self.succeeded.append((token, result))

    def fail(self, token: str, error: str, cause: str) -> None:
        """Remember a failure."""
        self._answer()
        self.failed.append((token, error, cause))

    def beat(self, token: str) -> None:
        """Remember a beat."""
        self._answer()
        self.beats.append(token)

    def _answer(self) -> None:
        if self.unavailable:
            raise RetryableError("ServiceUnavailable", "Step Functions did not answer")
