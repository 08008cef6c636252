"""How well a cluster that can take a machine would suit it: a score between 0 and 1, the higher the better."""

from __future__ import annotations

from typing import Final

from lambdas.core.placement.board import Cluster
from lambdas.core.placement.filtering import OLDEST_REPORT
from lambdas.core.placement.needs import Need

# The weights add up to 1, so that the score stays within 0 and 1.

ROOM: Final = 0.9
"""What is claimed is certain and lasts, so it decides; anything of weight beside it costs evenness."""

IDLE: Final = 0.05
"""Live usage is up to a minute old and passes; more weight, and everybody would run to the cluster that was idle."""

LOCAL: Final = 0.05
"""An image that is there saves copying it: minutes, but once. It is worth a little more load, not a hot spot."""

_AT_ONCE: Final = 2

FRESH: Final = 120.0
"""Seconds for which a report counts in full: one comes every minute, and one may be lost."""


def score(need: Need, cluster: Cluster, age: float, oldest_report: float = OLDEST_REPORT) -> float:
    """How well a cluster with a report of that age suits, provided that it can take the machine."""
    facts = cluster.facts
    total = ROOM * room(need, cluster) + IDLE * facts.idle
    if need.image in facts.local_images:
        total += LOCAL
    return total if age <= FRESH else total * freshness(age, oldest_report)


def room(need: Need, cluster: Cluster) -> float:
    """What would be left of what can be claimed, of whichever is then scarcest; to pack, what would not be left.

    It is left after two such machines: somebody else may be placing one as large there at this moment. So a cluster
    that one more would fill is among the last to spread to.
    """
    wanted, bounds = need.amounts, cluster.facts.bounds
    left = min(
        (cluster.cpu_left - _AT_ONCE * wanted.cpu) / (bounds.cpu or 1),
        (cluster.memory_left - _AT_ONCE * wanted.memory_mb) / (bounds.memory_mb or 1),
        (cluster.disk_left - _AT_ONCE * wanted.disk_gb) / (bounds.disk_gb or 1),
    )
    left = left if left > 0 else 0.0
    return left if need.prefer == "spread" else 1.0 - left


def capacity(need: Need, cluster: Cluster) -> float:
    """How many machines of this need would fit on a cluster if nothing were claimed; at least 1."""
    wanted, bounds = need.amounts, cluster.facts.bounds
    return max(
        1.0,
        min(
            bounds.cpu / (wanted.cpu or 1),
            bounds.memory_mb / (wanted.memory_mb or 1),
            bounds.disk_gb / (wanted.disk_gb or 1),
        ),
    )


def freshness(age: float, oldest_report: float = OLDEST_REPORT) -> float:
    """What a report of that age counts for: 1 as long as it is fresh, then less and less, and 0 when it is too old."""
    if age <= FRESH:
        return 1.0
    return max(0.0, (oldest_report - age) / (oldest_report - FRESH)) if oldest_report > FRESH else 0.0
