"""Large sagas in few words: how many resources have which status, and which of them somebody has to know of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from heapq import nsmallest
from typing import Any, Final, TypeVar

from rich.text import Text

from cli.output import STYLES

MOST_LINES: Final = 50
"""Resources up to which each has a line; of more there are counts, and those that somebody has to know of."""

MOST_TROUBLED: Final = 20
"""Resources of which it is said by name what is wrong with them; the others are likely to have failed of the same."""

TROUBLED: Final = frozenset({"FAILED", "STUCK"})

_SETTLED: Final = frozenset({"READY", "PLANNED", "ABSENT"})
"""Statuses in which nothing happens that somebody would want to see first."""

R = TypeVar("R", bound=Mapping[str, Any])


class Tally:
    """The statuses of a saga's resources, kept up to date by its events."""

    def __init__(self, saga: Mapping[str, Any]) -> None:
        self._statuses: dict[str, str] = {it["id"]: it["status"] for it in saga["resources"]}
        self._counts = Counter(self._statuses.values())
        self._faults = 0
        self.named = 0

    def take(self, event: Mapping[str, Any]) -> bool:
        """Count an event of a resource; whether somebody has to know of it by name."""
        name, status = event["resource"], event["status"]
        self._faults += event.get("error") is not None
        before = self._statuses.get(name)
        self._statuses[name] = status
        self._counts.subtract([before] if before else [])
        self._counts[status] += 1
        telling = status in TROUBLED and status != before and self.named < MOST_TROUBLED
        self.named += telling
        return telling

    def line(self) -> Text:
        """The counts in one line."""
        faults = f"; {self._faults} faults that passed" if self._faults else ""
        return counts_line(+self._counts).append(faults, style="dim")


def is_large(saga: Mapping[str, Any]) -> bool:
    """Whether a saga has too many resources for a line of each."""
    return len(saga["resources"]) > MOST_LINES


def counts_of(resources: Sequence[Mapping[str, Any]]) -> Counter[str]:
    """How many resources have each status."""
    return Counter(it["status"] for it in resources)


def counts_line(counts: Mapping[str, int]) -> Text:
    """Counts in one line, the largest first."""
    ordered = sorted(counts.items(), key=lambda it: (-it[1], it[0]))
    parts: list[str | tuple[str, str]] = []
    for status, count in ordered:
        parts += [", " if parts else "", f"{count:,} ", (status, STYLES.get(status, ""))]
    return Text.assemble(f"{sum(counts.values()):,} resources: ", *parts)


def most_telling(resources: Sequence[R], most: int) -> Sequence[R]:
    """As many as there is room for, in their order: what is in trouble first, then what moves."""
    if len(resources) <= most:
        return resources
    chosen = nsmallest(most, enumerate(resources), key=lambda pair: (_rank(pair[1]["status"]), pair[0]))
    return [it for _, it in sorted(chosen, key=lambda pair: pair[0])]


def _rank(status: str) -> int:
    """How much somebody wants to see a resource of this status: the less, the more."""
    if status in TROUBLED:
        return 0
    if status not in _SETTLED:
        return 1
    return 2 if status == "PLANNED" else 3
