"""What a cluster says of itself: its hosts and shared volumes, what occupies it, and what can be made there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from lambdas.core.clusters import Amounts, ClusterReport
from lambdas.core.marks import marks_of
from lambdas.core.model import MARK_RESOURCE, MARK_SAGA
from lambdas.core.ports.provider import Marked, Survey
from lambdas.scvmm.clients import Record
from lambdas.scvmm.machines import GIB
from lambdas.scvmm.placing import places


def survey(records: Sequence[Record], cluster: str, at: datetime) -> Survey:
    """The report that was true at `at`, and every machine on the cluster with the mark of a saga.

    Templates are copied from VMM's library to wherever they are deployed, so no cluster has any of them by itself.
    """
    offered = places(records, cluster)
    occupants = [it for it in records if it["Kind"] == "occupant"]
    disks = [it for it in records if it["Kind"] == "disk"]
    marked = [it for it in occupants if MARK_SAGA in marks_of(it["Description"])]
    strangers = {str(it["Id"]) for it in occupants} - {str(it["Id"]) for it in marked}
    report = ClusterReport(
        at=at,
        hosts=tuple(offered.hosts),
        datastores=tuple(offered.volumes),
        others=_configured(occupants, disks, strangers),
        images=tuple(sorted(offered.templates)),
        networks=tuple(sorted(set(offered.networks))),
    )
    return Survey(report, tuple(_marked(it) for it in marked))


def _configured(occupants: Sequence[Record], disks: Sequence[Record], whose: set[str]) -> Amounts:
    """What some machines are configured with, each disk with the whole size that it may grow to."""
    machines = [it for it in occupants if str(it["Id"]) in whose]
    sizes = [int(it["Bytes"] or 0) for it in disks if str(it["Occupant"]) in whose]
    return Amounts(
        cpu=sum(int(it["Processors"] or 0) for it in machines),
        memory_mb=sum(int(it["MemoryMb"] or 0) for it in machines),
        disk_gb=sum(-(-size // GIB) for size in sizes),
    )


def _marked(record: Record) -> Marked:
    marks = marks_of(record["Description"])
    return Marked(marks[MARK_SAGA], marks.get(MARK_RESOURCE, ""), str(record["Id"]), _moment(record["CreatedAt"]))


def _moment(text: str | None) -> datetime | None:
    """A moment as PSRP writes it, the server's own time where it says no zone: that one is not known."""
    if not text:
        return None
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC) if moment.tzinfo else None
