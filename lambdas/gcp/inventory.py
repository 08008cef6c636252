"""Everything in the project that carries our mark: instances and disks, in every zone at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from google.cloud.compute_v1 import AggregatedListDisksRequest, AggregatedListInstancesRequest, Disk, Instance

from lambdas.core.model import MARK_RESOURCE, MARK_SAGA
from lambdas.core.ports.provider import Marked
from lambdas.gcp.clients import GcpClients

# `labels.KEY:*` asks for whatever has the label: the `filter` parameter in
# https://cloud.google.com/compute/docs/reference/rest/v1/instances/aggregatedList
_MARKED: Final = f"labels.{MARK_SAGA}:*"


def inventory(clients: GcpClients, project: str) -> Iterator[Marked]:
    """What is marked among the instances and disks of the project; an unreachable zone is an error, not empty."""
    call: dict[str, Any] = {"retry": None, "timeout": clients.patience}
    asked: dict[str, Any] = {"project": project, "filter": _MARKED}
    for _, here in clients.instances.aggregated_list(AggregatedListInstancesRequest(**asked), **call):
        yield from map(_marked, here.instances)
    for _, here in clients.disks.aggregated_list(AggregatedListDisksRequest(**asked), **call):
        yield from map(_marked, here.disks)


def _marked(resource: Instance | Disk) -> Marked:
    path = "projects/" + resource.self_link.partition("/projects/")[2]
    created = datetime.fromisoformat(resource.creation_timestamp) if resource.creation_timestamp else None
    return Marked(resource.labels[MARK_SAGA], resource.labels.get(MARK_RESOURCE, ""), path, created)
