"""Starting the collection of costs."""

from __future__ import annotations

from typing import Protocol


class Collections(Protocol):
    """The executions that collect costs, one for each window."""

    def start(self, window: str) -> None:
        """Start collecting for a window; starting it again does nothing; raises RetryableError."""
        ...
