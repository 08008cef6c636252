"""How long to wait, as people write it: `45s`, `10m`, `1h30m`."""

from __future__ import annotations

import re
import time
from typing import Any, Final

import click

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_PART: Final = re.compile(r"(\d{1,8})([smhd])")


class Duration(click.ParamType[float]):
    """A number of seconds, given in one or more units."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The seconds; ends the command where it is none, or nothing."""
        if isinstance(value, float):
            return value
        parts = _PART.findall(value)
        seconds = sum(int(number) * _UNITS[unit] for number, unit in parts)
        if not seconds or "".join(number + unit for number, unit in parts) != value:
            self.fail(f"{value!r} is no duration; write it as 45s, 10m or 1h30m", param, ctx)
        return float(seconds)


class Deadline:
    """A moment after which nothing is waited for any more; never, without seconds."""

    def __init__(self, seconds: float | None) -> None:
        self._at = None if seconds is None else time.monotonic() + seconds

    @property
    def passed(self) -> bool:
        """Whether it is over."""
        return self._at is not None and time.monotonic() >= self._at

    def left(self, most: float) -> float:
        """The seconds until then, at most `most`."""
        return most if self._at is None else max(0.0, min(most, self._at - time.monotonic()))


timeout_option = click.option(
    "--timeout",
    type=Duration(),
    metavar="DURATION",
    help="Wait no longer than this (45s, 10m, 1h30m), and exit with 5; the saga goes on.",
)
