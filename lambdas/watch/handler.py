"""The Lambda handler that measures how old each cluster's last report is; an alarm goes by it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import Any, Final, NamedTuple

from lambdas.adapters.clock import SystemClock
from lambdas.adapters.clusters import deployed_clusters
from lambdas.adapters.observability import StepHandler, gauge, observed
from lambdas.core.ports.clock import Clock
from lambdas.core.ports.clusters import Clusters

REPORT_AGE: Final = "ClusterReportAge"
"""In seconds, by cluster."""

LONGEST: Final = timedelta(days=1)
"""Of a cluster that was silent for longer nothing is measured: an alarm takes that for the same, and it may be gone."""


class Watched(NamedTuple):
    """What is watched, and by which clock."""

    clusters: Clusters
    clock: Clock


def watch_handler(make: Callable[[], Watched]) -> StepHandler:
    """The handler over clusters that are known from the first call on."""
    watched = cache(make)

    @observed("watch")
    def handle(_: dict[str, Any], __: object) -> None:
        clusters, clock = watched()
        for standing in clusters.standings():
            age = clock.now() - standing.report.at
            if age <= LONGEST:
                gauge(REPORT_AGE, int(age.total_seconds()), cluster=standing.settings.name)

    return handle


def _deployed() -> Watched:
    return Watched(deployed_clusters(), SystemClock())


handler = watch_handler(_deployed)
