"""The clusters in memory; what is claimed of them is what the fake ledger says."""

from __future__ import annotations

from datetime import datetime

from lambdas.core.clusters import ClusterReport, ClusterSettings, ClusterStanding
from lambdas.core.errors import ClusterNotFound
from lambdas.core.ports.clusters import Machines
from lambdas.core.ports.provider import Marked, Survey
from tests.fakes.ledger import FakeLedger


class FakeClusters:
    """Never stale: what was reported or claimed last is what there is."""

    def __init__(self, ledger: FakeLedger) -> None:
        self._ledger = ledger
        self._reported: dict[str, tuple[ClusterSettings, ClusterReport, tuple[Marked, ...]]] = {}

    def standings(self) -> list[ClusterStanding]:
        """Every cluster that ever reported."""
        return [self.standing(name) for name in sorted(self._reported)]

    def standing(self, cluster: str) -> ClusterStanding:
        """One cluster as it stands now; raises ClusterNotFound."""
        settings, report, _ = self._known(cluster)
        return ClusterStanding(settings, report, self._ledger.claimed(cluster))

    def report(self, settings: ClusterSettings, survey: Survey) -> None:
        """Keep what a cluster reported."""
        self._reported[settings.name] = (settings, survey.report, survey.machines)

    def machines(self, provider: str, target: str) -> list[Machines]:
        """What each cluster of a provider that belongs to a target reported to hold of ours."""
        return [
            Machines(name, report.at, machines)
            for name, (settings, report, machines) in sorted(self._reported.items())
            if (settings.provider, settings.target) == (provider, target)
        ]

    def drain(self, cluster: str, drained: bool) -> None:
        """Let a cluster take nothing new, or again; raises ClusterNotFound."""
        self._known(cluster)
        self._ledger.drain(cluster, drained)

    def reported_at(self, cluster: str) -> datetime:
        """When a cluster reported last."""
        return self._known(cluster)[1].at

    def _known(self, cluster: str) -> tuple[ClusterSettings, ClusterReport, tuple[Marked, ...]]:
        if cluster not in self._reported:
            raise ClusterNotFound(cluster)
        return self._reported[cluster]
