"""What Compute Engine would refuse: unknown machine types, zones that are down, and quotas that are too small.

A quota that a region does not list refuses nothing, and a zone's stockouts show only when something is created.
Sources: https://cloud.google.com/compute/docs/reference/rest/v1/regions (quotas), .../zones (status),
.../machineTypes, and https://cloud.google.com/compute/resource-usage (which quota counts what).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from google.api_core.exceptions import NotFound

from lambdas.core.errors import CapacityError, TerminalError
from lambdas.core.model import Intent
from lambdas.core.preflight import Allowance, Demand, Quota, Shortage, exceeded, grouped, refused
from lambdas.core.specs import GcpDisk, GcpInstance
from lambdas.gcp.clients import GcpClients

MOST_ASKED: Final = 50
"""Zones, and machine types of zones, that are asked for in one check, over all projects: there are 30 seconds."""

INSTANCES: Final = "INSTANCES"
CPUS: Final = "CPUS"
ADDRESSES: Final = "IN_USE_ADDRESSES"

_UP: Final = "UP"

_OWN_CPU_QUOTA: Final = frozenset({"a2", "c2", "c2d", "c3", "m1", "m2", "m3", "n2", "n2d", "t2a", "t2d"})
"""Machine series whose vCPUs count against `SERIES_CPUS`; the others' count against CPUS."""

_DISK_QUOTAS: Final = {"pd-standard": "DISKS_TOTAL_GB", "pd-balanced": "SSD_TOTAL_GB", "pd-ssd": "SSD_TOTAL_GB"}
_BOOT_DISK_TYPE: Final = "pd-standard"  # what Compute Engine gives a boot disk whose type is left to it


def shortages(clients: GcpClients, project: str, intents: Sequence[Intent], most: int = MOST_ASKED) -> list[Shortage]:
    """Everything that Compute Engine would refuse of the intents together.

    Only the first `most` zones, and as many machine types, are asked for: of what is elsewhere nothing is known.
    """
    return _Look(clients, project, most).shortages(intents)


class _Look:
    """One look at the zones, machine types and regions that some intents name; each is asked for once."""

    def __init__(self, clients: GcpClients, project: str, most: int) -> None:
        self._clients = clients
        self._project = project
        self._most = most
        self._call: dict[str, Any] = {"retry": None, "timeout": clients.patience}

    def shortages(self, intents: Sequence[Intent]) -> list[Shortage]:
        """The refusals, then the quotas that are too small for what is not refused anyway."""
        zones = grouped(intents, lambda intent: intent.definition.location)
        statuses = {zone: self._status(zone) for zone in islice(zones, self._most)}
        found = [_zone_down(zone, it, zones[zone]) for zone, it in statuses.items() if it != _UP]
        standing = [it for it in intents if statuses.get(it.definition.location) == _UP]
        instances = [(it, it.definition) for it in standing if isinstance(it.definition, GcpInstance)]
        types = grouped(instances, lambda pair: _machine_type(pair[1]))
        vcpus = {key: self._vcpus(*key) for key in islice(types, self._most)}
        found += [_unknown_type(*key, [it for it, _ in types[key]]) for key, known in vcpus.items() if known is None]
        demands = [demand for intent in standing for demand in _demands(intent, vcpus)]
        regions = dict.fromkeys(demand.quota.location for demand in demands)
        allowances = {quota: it for region in regions for quota, it in self._allowances(region)}
        return found + exceeded(demands, allowances)

    def _status(self, zone: str) -> str:
        return str(self._clients.zones.get(project=self._project, zone=zone, **self._call).status)

    def _vcpus(self, zone: str, size: str) -> int | None:
        """The vCPUs of a machine type; None where the zone does not have it."""
        try:
            found = self._clients.machine_types.get(project=self._project, zone=zone, machine_type=size, **self._call)
        except NotFound:
            return None
        return int(found.guest_cpus)

    def _allowances(self, region: str) -> Iterator[tuple[Quota, Allowance]]:
        for quota in self._clients.regions.get(project=self._project, region=region, **self._call).quotas:
            yield Quota(str(quota.metric), region), Allowance(quota.limit, quota.usage)


def _machine_type(definition: GcpInstance) -> tuple[str, str]:
    """The zone and the machine type of an instance."""
    return definition.zone, definition.spec.size


def _demands(intent: Intent, vcpus: Mapping[tuple[str, str], int | None]) -> Iterator[Demand]:
    """What a disk takes, or an instance of whose machine type the vCPUs are known."""
    if isinstance(intent.definition, GcpDisk):
        yield from _disk_demands(intent, intent.definition)
    elif isinstance(intent.definition, GcpInstance):
        known = vcpus.get(_machine_type(intent.definition))
        if known is not None:
            yield from _instance_demands(intent, intent.definition, known)


def _disk_demands(intent: Intent, definition: GcpDisk) -> Iterator[Demand]:
    quota = Quota(_DISK_QUOTAS[definition.spec.type], _region(definition.zone))
    yield Demand(intent.resource_id, quota, definition.spec.size_gb)


def _instance_demands(intent: Intent, definition: GcpInstance, vcpus: int) -> Iterator[Demand]:
    """What an instance takes; a boot disk of its image's own size is left to Compute Engine to refuse."""
    spec, region, resource_id = definition.spec, _region(definition.zone), intent.resource_id
    series = spec.size.partition("-")[0]
    cpus = f"{series.upper()}_CPUS" if series in _OWN_CPU_QUOTA else CPUS
    yield Demand(resource_id, Quota(INSTANCES, region), 1)
    yield Demand(resource_id, Quota(cpus, region), vcpus)
    if spec.public_address:
        yield Demand(resource_id, Quota(ADDRESSES, region), 1)
    if spec.disk_gb is not None:
        yield Demand(resource_id, Quota(_DISK_QUOTAS[_BOOT_DISK_TYPE], region), spec.disk_gb)


def _zone_down(zone: str, status: str, there: Sequence[Intent]) -> Shortage:
    return refused(_ids(there), zone, CapacityError("ZoneNotUp", f"the zone {zone} is {status}"))


def _unknown_type(zone: str, size: str, alike: Sequence[Intent]) -> Shortage:
    return refused(_ids(alike), zone, TerminalError("notFound", f"the zone {zone} has no machine type {size}"))


def _ids(intents: Iterable[Intent]) -> Iterator[str]:
    return (intent.resource_id for intent in intents)


def _region(zone: str) -> str:
    return zone.rpartition("-")[0]
