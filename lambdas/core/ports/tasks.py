"""Answering the state machine that waits for a task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Tasks(Protocol):
    """The tasks that state machines wait for, each by its token. All of it raises RetryableError.

    A task that nobody waits for any more (it timed out and was sent again, or its execution has ended) is no error:
    what became of the resource is in the ledger.
    """

    def succeed(self, token: str, result: Mapping[str, Any]) -> None:
        """End a task with what is to happen next."""
        ...

    def fail(self, token: str, error: str, cause: str) -> None:
        """End a task with an error, by the name that a state machine catches it under."""
        ...

    def beat(self, token: str) -> bool:
        """Say that somebody is at work on a task; returns whether anybody still waits for it."""
        ...
