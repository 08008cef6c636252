"""How much of a cluster may be claimed in all."""

from __future__ import annotations

from math import floor

from lambdas.core.clusters import Amounts, ClusterReport, ClusterSettings


def bounds(settings: ClusterSettings, report: ClusterReport) -> Amounts:
    """The most that all our machines together may be configured with on a cluster; never negative.

    That is what its usable hosts and datastores have, times what may be promised of it, less the reserve and what the
    machines that are not ours are configured with.
    """
    hosts = [host for host in report.hosts if host.usable]
    capacity = sum(datastore.capacity_gb for datastore in report.datastores if datastore.usable)
    overcommit, reserve, others = settings.overcommit, settings.reserve, report.others
    return Amounts(
        cpu=_claimable(sum(host.cpu for host in hosts), overcommit.cpu, reserve.cpu + others.cpu),
        memory_mb=_claimable(
            sum(host.memory_mb for host in hosts), overcommit.memory, reserve.memory_mb + others.memory_mb
        ),
        disk_gb=_claimable(capacity, overcommit.disk, reserve.disk_gb + others.disk_gb),
    )


def _claimable(there: int, overcommit: float, taken: int) -> int:
    return max(0, floor(there * overcommit) - taken)
