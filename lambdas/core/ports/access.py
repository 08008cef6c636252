"""Where grants and targets are kept."""

from __future__ import annotations

from typing import Protocol

from lambdas.core.access import Access


class AccessRules(Protocol):
    """What is granted and declared now, or was a moment ago."""

    def current(self) -> Access:
        """The grants and targets; raises Misconfigured for what cannot be used, RetryableError when unreachable.

        Nothing is granted by what cannot be read.
        """
        ...
