"""What is measured once a minute, whatever else happens: how long sagas take, how full queues are, how old costs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from lambdas.core.billing.freshness import age, all_fresh
from lambdas.core.clusters import ClusterStanding
from lambdas.core.model import Saga
from lambdas.core.ports.clock import Clock
from lambdas.core.ports.clusters import Clusters
from lambdas.core.ports.costs import SourceDeclarations, Windows
from lambdas.core.ports.ledger import Backlog
from lambdas.core.ports.queue import Depths
from lambdas.core.states import UNDER_RELEASE, SagaStatus

OLDEST_UNFINISHED: Final = "OldestUnfinishedSaga"
REPORT_AGE: Final = "ClusterReportAge"
QUEUE_DEPTH: Final = "QueueDepth"
SLOTS: Final = "WorkerSlots"
SLOTS_IN_USE: Final = "WorkerSlotsInUse"
FRESHNESS: Final = "BillingFreshness"

UNFINISHED: Final = (SagaStatus.PENDING, SagaStatus.PROVISIONING, *sorted(UNDER_RELEASE))
"""Where it is our move. A saga that awaits approval waits for a person, and not for longer than its request says."""

MOST_READ: Final = 100
"""Of each status, those that were opened first: among them is the one that has taken longest, or one as bad."""

LONGEST_SILENCE: Final = timedelta(days=1)
"""Of a cluster that was silent for longer nothing is measured: an alarm takes that for the same, and it may be gone."""

MANNED: Final = timedelta(minutes=5)
"""A cluster whose last report is older has nobody who would take a task."""


class Measured(NamedTuple):
    """A value of a metric, in seconds or else a number of things, by the dimensions that it has besides the service."""

    metric: str
    value: float
    seconds: bool
    dimensions: dict[str, str]


class SagaMeasures:
    """How long the saga that has taken longest has been under way."""

    def __init__(self, backlog: Backlog, clock: Clock) -> None:
        self._backlog = backlog
        self._clock = clock

    def __call__(self) -> Iterator[Measured]:
        """0 where all have ended, since nothing measured would be taken for nobody measuring; raises RetryableError."""
        now = self._clock.now()
        sagas = [saga for status in UNFINISHED for saga in self._backlog.oldest(status, MOST_READ)]
        ages = [max(timedelta(), now - under_way_since(saga)) for saga in sagas]
        yield Measured(OLDEST_UNFINISHED, max(ages, default=timedelta()).total_seconds(), True, {})


class ClusterMeasures:
    """How private clusters are worked on."""

    def __init__(self, clusters: Clusters, depths: Depths, clock: Clock) -> None:
        self._clusters = clusters
        self._depths = depths
        self._clock = clock

    def __call__(self) -> Iterator[Measured]:
        """Of each cluster that reported within a day; raises RetryableError."""
        for standing in self._clusters.standings():
            silence = self._clock.now() - standing.report.at
            if silence <= LONGEST_SILENCE:
                yield from self._of(standing, silence)

    def _of(self, standing: ClusterStanding, silence: timedelta) -> Iterator[Measured]:
        """Its report's age first, whatever its queue answers. Slots are those that somebody seems to be behind."""
        settings, cluster = standing.settings, {"cluster": standing.settings.name}
        yield Measured(REPORT_AGE, silence.total_seconds(), True, cluster)
        yield Measured(SLOTS, settings.concurrency if silence <= MANNED else 0, False, cluster)
        if settings.queue_url:
            depth = self._depths.depth(settings.queue_url)
            yield Measured(QUEUE_DEPTH, depth.waiting, False, cluster)
            yield Measured(SLOTS_IN_USE, depth.taken, False, cluster)


class BillingMeasures:
    """How old what is known of costs is."""

    def __init__(self, declarations: SourceDeclarations, windows: Windows, clock: Clock) -> None:
        self._declarations = declarations
        self._windows = windows
        self._clock = clock

    def __call__(self) -> Iterator[Measured]:
        """Of each source that is declared; raises RetryableError, or Misconfigured."""
        now = self._clock.now()
        for fresh in all_fresh(self._declarations.declared(), self._windows.states(), now):
            yield Measured(FRESHNESS, age(fresh, now).total_seconds(), True, {"source": fresh.source})


def under_way_since(saga: Saga) -> datetime:
    """Since when an unfinished saga is worked on without a pause: submitted, approved, or about to be released."""
    if saga.status in UNDER_RELEASE:
        return saga.status_since or saga.created_at
    approved = saga.approval.approved_at if saga.approval else None
    return approved or saga.created_at
