"""Where notices are given to whoever listens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from lambdas.core.errors import RetryableError
from lambdas.core.notices import Notice


class Untold(RetryableError):
    """Some notices were not taken: the one at `first` was not, those before it were, of those after it nobody knows."""

    def __init__(self, code: str, message: str, first: int) -> None:
        super().__init__(code, message)
        self.first = first


class Announcements(Protocol):
    """Tells whoever listens, once or more often."""

    def announce(self, notices: Sequence[Notice]) -> None:
        """Give notice of all of them, in order; raises Untold, after which they may be given again."""
        ...
