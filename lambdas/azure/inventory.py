"""Everything in the subscription that carries our mark, in every region and resource group: each type by its list.

The saga's own steps never trust these lists, which lag behind; the sweep comes long after what it looks for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from lambdas.azure.clients import AzureClients
from lambdas.core.model import MARK_RESOURCE, MARK_SAGA
from lambdas.core.ports.provider import Marked


def inventory(clients: AzureClients) -> Iterator[Marked]:
    """What is marked among the virtual machines, disks, network interfaces and public addresses."""
    for collection in _everything(clients):
        for resource in collection:
            tags = resource.get("tags") or {}
            if MARK_SAGA in tags:
                yield Marked(tags[MARK_SAGA], tags.get(MARK_RESOURCE, ""), resource["id"], _created(resource))


def _everything(clients: AzureClients) -> Iterator[Iterable[Mapping[str, Any]]]:
    yield clients.compute.virtual_machines.list_all()
    yield clients.compute.disks.list()
    yield clients.network.network_interfaces.list_all()
    yield clients.network.public_ip_addresses.list_all()


def _created(resource: Mapping[str, Any]) -> datetime | None:
    """When it was created, which machines and disks say and what belongs to the network does not."""
    created = (resource.get("properties") or {}).get("timeCreated")
    return datetime.fromisoformat(created) if created else None
