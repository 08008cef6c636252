"""The tasks that state machines wait for, in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lambdas.core.errors import RetryableError


@dataclass
class FakeTasks:
    """Remembers what was answered; nothing is, while it is `unavailable`. Tasks in `ended` nobody waits for."""

    succeeded: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    failed: list[tuple[str, str, str]] = field(default_factory=list)
    beats: list[str] = field(default_factory=list)
    ended: set[str] = field(default_factory=set)
    unavailable: bool = False

    def succeed(self, token: str, result: Mapping[str, Any]) -> None:
        """Remember a success."""
        self._answer()
        self.succeeded.append((token, result))

    def fail(self, token: str, error: str, cause: str) -> None:
        """Remember a failure."""
        self._answer()
        self.failed.append((token, error, cause))

    def beat(self, token: str) -> bool:
        """Remember a beat."""
        self._answer()
        self.beats.append(token)
        return token not in self.ended

    def _answer(self) -> None:
        if self.unavailable:
            raise RetryableError("ServiceUnavailable", "Step Functions did not answer")
