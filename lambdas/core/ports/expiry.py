"""Somebody who remembers when sagas expire."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Expiry(Protocol):
    """Releases sagas whose time to live has run out; at least once each, within a minute of the moment."""

    def schedule(self, saga_id: str, moment: datetime) -> None:
        """Have the saga released at that moment, or now if it has passed; asking again changes nothing.

        Raises RetryableError.
        """
        ...
