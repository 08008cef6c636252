"""Private clusters in trouble: what sagas ask of them, and what must be claimed of them by their own inventories."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from typing import Any, Final

import requests

from cli.client import ApiClient
from lambdas.adapters.ledger import DynamoLedger
from lambdas.core.model import MARK_RESOURCE, MARK_SAGA
from lambdas.core.specs import PrivateInstance
from lambdas.core.states import SagaStatus
from local.machine import Endpoints
from local.private_clouds import DECLARED, scvmm_estate
from tests.e2e.private import NOTHING
from tests.whole import whole

PRIVATE: Final = ("vsphere", "scvmm", "outpost")
"""Where a saga can hold a machine: clusters that functions work on, and the one that agents work on."""

SERVERS: Final = ("vsphere", "scvmm")

_NEEDS: Final = {"cpu": 1, "memory_gb": 1, "disk_gb": 20}


def private_resources(on: Collection[str]) -> list[dict[str, Any]]:
    """A machine on each of some private clouds; the agents' is created late, when others may have failed already."""
    found = []
    for place in [it for it in PRIVATE if it in on]:
        provider, target = ("vsphere", "outpost") if place == "outpost" else (place, "default")
        resource = {"id": f"on-{place}", "provider": provider, "kind": "instance", "target": target}
        late = {"depends_on": ["data-aws"]} if place == "outpost" else {}
        found.append({**resource, "placement": dict(_NEEDS), "spec": {"image": "ubuntu-24.04"}, **late})
    return found


class Clusters:
    """What the private clusters of a machine hold, according to their servers, and what is claimed of them."""

    def __init__(self, endpoints: Endpoints, api: ApiClient, ledger: DynamoLedger) -> None:
        self._urls = [endpoints._asdict()[it] for it in SERVERS]
        self._api = api
        self._ledger = ledger
        self._cluster_at = _clusters_by_location()

    def doubles(self) -> list[str]:
        """The machines that are there twice right now."""
        seen = Counter((it["marks"][MARK_SAGA], it["marks"][MARK_RESOURCE]) for it in self._machines())
        return [f"{saga_id}: twice: {count} x {machine}" for (saga_id, machine), count in seen.items() if count > 1]

    def sagas(self) -> set[str]:
        """The sagas that hold machines."""
        return {it["marks"][MARK_SAGA] for it in self._machines()}

    def astray(self) -> list[str]:
        """Clusters of which something else is claimed than what committed sagas hold there; nothing may be under way.

        A machine counts where its server says it is, with what its request asked for.
        """
        held: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for machine in self._machines():
            held[self._cluster_at[machine["location"]]] += self._claimed_for(machine["marks"])
        claimed = {it["name"]: it["claimed"] for it in self._api.clusters()}
        return [
            f"{name}: {amounts} is claimed, and {dict(held[name])} is held"
            for name, amounts in claimed.items()
            if amounts != {**NOTHING, **held[name]}
        ]

    def _claimed_for(self, marks: Mapping[str, str]) -> Counter[str]:
        """What must be claimed for a machine of a saga that has ended; nothing, unless that has committed."""
        snapshot = whole(self._ledger, marks[MARK_SAGA])
        (resource,) = (it for it in snapshot.resources if it.id == marks[MARK_RESOURCE])
        if snapshot.saga.status is not SagaStatus.COMMITTED or not isinstance(resource.definition, PrivateInstance):
            return Counter()
        needs = resource.definition.placement
        return Counter({"cpu": needs.cpu, "memory_mb": needs.memory_gb * 1024, "disk_gb": needs.disk_gb})

    def _machines(self) -> list[dict[str, Any]]:
        found = [it for url in self._urls for it in requests.get(f"{url}/_simulator/resources", timeout=10).json()]
        return [it for it in found if MARK_SAGA in it["marks"]]


def _clusters_by_location() -> dict[str, str]:
    """Our names of clusters by what the servers' inventories give as a location: a cluster, or a host of one."""
    ours = {it["cluster"]: name for cloud in DECLARED.values() for name, it in cloud["clusters"].items()}
    hosts = {host.name: ours[cluster.name] for cluster in scvmm_estate().clusters for host in cluster.hosts}
    return ours | hosts
