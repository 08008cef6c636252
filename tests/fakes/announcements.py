"""Somebody who listens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from lambdas.core.notices import Notice
from lambdas.core.ports.announcements import Untold


@dataclass
class FakeAnnouncements:
    """Remembers what was announced; from `deaf_from` on, counted from where it begins to listen, it hears nothing."""

    announced: list[Notice] = field(default_factory=list)
    deaf_from: int | None = None

    def announce(self, notices: Sequence[Notice]) -> None:
        """Hear them, or raise Untold at the first that is not heard."""
        for place, notice in enumerate(notices):
            if self.deaf_from is not None and len(self.announced) >= self.deaf_from:
                raise Untold("Deaf", "nothing was heard", place)
            self.announced.append(notice)
