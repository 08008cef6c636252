"""What is known of private clusters."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, Protocol

from lambdas.core.clusters import ClusterSettings, ClusterStanding
from lambdas.core.ports.provider import Marked, Survey


class Machines(NamedTuple):
    """Everything on a cluster that carries our mark, as it was reported at one moment."""

    cluster: str
    at: datetime
    machines: tuple[Marked, ...]


class Clusters(Protocol):
    """The reports of every cluster, and what is claimed of each. All of it raises RetryableError."""

    def standings(self) -> list[ClusterStanding]:
        """Every cluster that ever reported, however long ago; each as of a moment ago."""
        ...

    def standing(self, cluster: str) -> ClusterStanding:
        """One cluster as it stands now; raises ClusterNotFound."""
        ...

    def report(self, settings: ClusterSettings, survey: Survey) -> None:
        """Keep what a cluster reported, in place of what it reported before."""
        ...

    def machines(self, provider: str, target: str) -> list[Machines]:
        """What each cluster of a provider that belongs to a target reported to hold of ours."""
        ...

    def drain(self, cluster: str, drained: bool) -> None:
        """Let a cluster take nothing new from now on, or again; raises ClusterNotFound."""
        ...
