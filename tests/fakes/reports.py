"""Clusters as deployments declare them and as they report, to be changed by the test that needs another."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from lambdas.core.clusters import ClusterReport, ClusterSettings, DatastoreReport, HostReport
from lambdas.core.ports.provider import Marked, Survey

START = datetime(2026, 1, 1, tzinfo=UTC)


def cluster_settings(name: str = "berlin-1", **changes: Any) -> ClusterSettings:
    """A vSphere cluster whose processors may be promised four times."""
    document = {
        "name": name,
        "provider": "vsphere",
        "server": "https://vcenter.example/sdk",
        "secret": "skysaga/berlin",
        "cluster": "CL01",
        "queue_url": f"https://sqs.example/1/skysaga-cluster-{name}",
        "ledger_table": "ledger",
    }
    return ClusterSettings.model_validate({**document, **changes})


def cluster_report(at: datetime = START, *, hosts: int = 2, **changes: Any) -> ClusterReport:
    """Hosts of 16 processors and 64 GiB, a quarter used, with a terabyte between them."""
    host = {"cpu": 16, "memory_mb": 65_536, "cpu_used": 4.0, "memory_used_mb": 16_384}
    report = ClusterReport(
        at=at,
        hosts=tuple(HostReport.model_validate({"name": f"esx-{place}", **host}) for place in range(hosts)),
        datastores=(DatastoreReport(name="ssd", capacity_gb=1000, free_gb=900),),
        images=("ubuntu-24.04",),
        local_images=("ubuntu-24.04",),
        networks=("VM Network",),
    )
    return report.model_copy(update=changes)


def survey(at: datetime = START, machines: tuple[Marked, ...] = (), **changes: Any) -> Survey:
    """A report with the machines of ours that stand beside it."""
    return Survey(cluster_report(at, **changes), machines)
