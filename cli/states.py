"""Where a saga can stand, as the API says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

STATUSES: Final = (
    "PENDING",
    "PROVISIONING",
    "AWAITING_APPROVAL",
    "COMMITTED",
    "COMPENSATING",
    "ROLLED_BACK",
    "RELEASING",
    "RELEASED",
    "NEEDS_ATTENTION",
)

ENDINGS: Final = frozenset({"COMMITTED", "ROLLED_BACK", "RELEASED", "NEEDS_ATTENTION"})
"""Those in which nobody works on it."""


def ends(event: Mapping[str, Any]) -> bool:
    """Whether a saga ended with this event."""
    return event["resource"] is None and event["status"] in ENDINGS
