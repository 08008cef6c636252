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
    """Whether a saga ended with this event. Of a divided one, events of its resources may come after it."""
    return event["resource"] is None and event["status"] in ENDINGS


def is_divided(cursor: str) -> bool:
    """Whether a cursor is of a saga that has an order of events for each part of its resources."""
    return "." in cursor


def version_at(event: Mapping[str, Any], cursor: str) -> int:
    """The saga's version as of an event of its own, by a cursor that came with it: one number for each order."""
    return int(event["seq"]) // (cursor.count(".") + 1)
