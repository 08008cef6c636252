"""How long something may live, as people write it: `90m`, `8h`, `7d`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final

from pydantic import AfterValidator, Field, StringConstraints

LONGEST: Final = timedelta(days=366)

_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def duration_of(text: str) -> timedelta:
    """The duration that a whole number and a unit (s, m, h or d) stand for."""
    return timedelta(**{_UNITS[text[-1]]: int(text[:-1])})


def _not_too_long(text: str) -> str:
    if duration_of(text) > LONGEST:
        raise ValueError(f"must be at most {LONGEST.days}d")
    return text


Duration = Annotated[
    str,
    StringConstraints(pattern=r"^[1-9][0-9]{0,7}[smhd]$"),
    AfterValidator(_not_too_long),
    Field(description="A whole number of seconds, minutes, hours or days: 20s, 90m, 8h, 7d; at most 366d."),
]
