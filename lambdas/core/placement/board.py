"""The clusters as one placer sees them, with everything worked out once that a decision only has to compare."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from lambdas.core.clusters import (
    Amounts,
    Claim,
    Claimed,
    ClusterReport,
    ClusterSettings,
    ClusterStanding,
    DatastoreReport,
)
from lambdas.core.placement.bounds import bounds


class Room(NamedTuple):
    """What one host can give a single machine: processors, and memory in MiB."""

    cpu: int
    memory_mb: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What follows from a cluster's settings and its report, whatever is claimed.

    `hosts` is the room of those hosts that no other host surpasses in both; `datastore_gb` that of the roomiest
    datastore; `idle` is between 0 (its hosts are fully used) and 1; `reported` when, in seconds since 1970.
    """

    settings: ClusterSettings
    report: ClusterReport
    bounds: Amounts
    hosts: tuple[Room, ...]
    datastore_gb: int
    idle: float
    images: frozenset[str]
    local_images: frozenset[str]
    networks: frozenset[str]
    reported: float


def facts(settings: ClusterSettings, report: ClusterReport) -> Facts:
    """Work out what placement compares."""
    return Facts(
        settings=settings,
        report=report,
        bounds=bounds(settings, report),
        hosts=_roomiest(settings, report),
        datastore_gb=max((_free(settings, it) for it in report.datastores if it.usable), default=0),
        idle=_idle(report),
        images=frozenset(report.images),
        local_images=frozenset(report.local_images),
        networks=frozenset(report.networks),
        reported=report.at.timestamp(),
    )


class Cluster:
    """One cluster: its facts, and what is left of it after what is claimed."""

    __slots__ = ("claimed", "cpu_left", "disk_left", "drained", "facts", "groups", "memory_left", "name")

    def __init__(self, known: Facts, claimed: Claimed) -> None:
        self.name = known.settings.name
        self.facts = known
        self.claimed = claimed
        self.groups = claimed.groups
        self.drained = claimed.drained
        self.cpu_left = known.bounds.cpu - claimed.amounts.cpu
        self.memory_left = known.bounds.memory_mb - claimed.amounts.memory_mb
        self.disk_left = known.bounds.disk_gb - claimed.amounts.disk_gb


class Board:
    """All clusters, as they stood when they were last read, and with what was learnt since then.

    Facts are worked out once for each report. A board belongs to one placer: it is not to be shared between threads.
    """

    def __init__(self, standings: Iterable[ClusterStanding] = ()) -> None:
        self._clusters: dict[str, Cluster] = {}
        self.learn(standings)

    def __iter__(self) -> Iterator[Cluster]:
        return iter(self._clusters.values())

    def __len__(self) -> int:
        return len(self._clusters)

    def __getitem__(self, name: str) -> Cluster:
        return self._clusters[name]

    def learn(self, standings: Iterable[ClusterStanding]) -> None:
        """Take over what was just read of all clusters; those that are not among them are gone."""
        self._clusters = {it.settings.name: Cluster(self._facts(it), it.claimed) for it in standings}

    def replace(self, name: str, claimed: Claimed) -> None:
        """Take over what is claimed of one cluster, as a refused claim shows; of an unknown one, nothing."""
        if name in self._clusters:
            self._clusters[name] = Cluster(self._clusters[name].facts, claimed)

    def add(self, claim: Claim, holder: str) -> None:
        """Count a claim that was made for `holder`, so that the next decision knows of it before all is read again."""
        if claim.cluster not in self._clusters:
            return
        before = self._clusters[claim.cluster].claimed
        groups = {**before.groups, claim.group: holder} if claim.group else before.groups
        self.replace(claim.cluster, Claimed(before.amounts + claim.amounts, groups, before.drained))

    def _facts(self, standing: ClusterStanding) -> Facts:
        known = self._clusters.get(standing.settings.name)
        if known and known.facts.report == standing.report and known.facts.settings == standing.settings:
            return known.facts
        return facts(standing.settings, standing.report)


def _roomiest(settings: ClusterSettings, report: ClusterReport) -> tuple[Room, ...]:
    """The room of usable hosts, without those that another surpasses or equals in both processors and memory.

    No machine can have more processors than its host has threads, however much is overcommitted.
    """
    rooms = {
        Room(host.cpu, int(host.memory_mb * settings.overcommit.memory) - host.memory_used_mb)
        for host in report.hosts
        if host.usable
    }
    kept: list[Room] = []
    for room in sorted(rooms, reverse=True):  # most processors first, so that what follows must have more memory
        if not kept or room.memory_mb > kept[-1].memory_mb:
            kept.append(room)
    return tuple(kept)


def _free(settings: ClusterSettings, datastore: DatastoreReport) -> int:
    used = datastore.capacity_gb - datastore.free_gb
    return int(datastore.capacity_gb * settings.overcommit.disk) - used


def _idle(report: ClusterReport) -> float:
    """What is unused of the usable hosts' processors or memory, whichever is scarcer, between 0 and 1."""
    hosts = [host for host in report.hosts if host.usable]
    used = max(
        _fraction(sum(host.cpu_used for host in hosts), sum(host.cpu for host in hosts)),
        _fraction(sum(host.memory_used_mb for host in hosts), sum(host.memory_mb for host in hosts)),
    )
    return min(1.0, max(0.0, 1.0 - used))


def _fraction(used: float, there: int) -> float:
    return used / there if there else 1.0
