"""Where in its cluster a machine goes: the host with the most room, and the volume with the most space."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from lambdas.core.clusters import DatastoreReport, HostReport
from lambdas.core.errors import CapacityError, TerminalError
from lambdas.core.specs.private import Placement
from lambdas.scvmm.clients import Record
from lambdas.scvmm.machines import GIB

_MIB: Final = 2**20
_RESPONDING: Final = "Responding"


class Places(NamedTuple):
    """What a cluster has for a machine: hosts, shared volumes, templates (with their boot disk in GiB) and networks."""

    hosts: list[HostReport]
    volumes: list[DatastoreReport]
    templates: dict[str, float]
    networks: list[str]


class Place(NamedTuple):
    """A host and a path on a volume that all hosts of the cluster share."""

    host: str
    path: str


def places(records: Iterable[Record], cluster: str) -> Places:
    """What a script said of a cluster; raises TerminalError for a cluster that VMM does not have."""
    by_kind: dict[str, list[Record]] = {}
    for record in records:
        by_kind.setdefault(str(record["Kind"]), []).append(record)
    if "cluster" not in by_kind:
        raise TerminalError("NoCluster", f"this VMM server has no host cluster {cluster}")
    return Places(
        hosts=[_host(it) for it in by_kind.get("host", [])],
        volumes=[_volume(it) for it in by_kind.get("volume", [])],
        templates={str(it["Name"]): int(it["BootDiskBytes"] or 0) / GIB for it in by_kind.get("template", [])},
        networks=[str(it["Name"]) for it in by_kind.get("network", [])],
    )


def choose(offered: Places, placement: Placement, image: str, network: str) -> Place:
    """The place for a machine; raises CapacityError where there is none and TerminalError for what cannot be."""
    size_gb = offered.templates.get(image)
    if size_gb is None:
        raise TerminalError("NoTemplate", f"this VMM server has no template {image!r}")
    if network and network not in offered.networks:
        raise TerminalError("NoNetwork", f"this VMM server has no VM network {network!r}")
    if size_gb > placement.disk_gb:
        raise TerminalError("DiskTooSmall", f"the template's boot disk has {size_gb:g} GiB already")
    return Place(_host_for(offered.hosts, placement), _volume_for(offered.volumes, placement))


def _host_for(hosts: list[HostReport], placement: Placement) -> str:
    needed = placement.memory_gb * 1024
    fitting = [it for it in hosts if it.usable and it.cpu >= placement.cpu and _free(it) >= needed]
    if not fitting:
        raise CapacityError("NoHost", f"no host has {placement.cpu} processors and {needed} MiB free")
    return max(fitting, key=lambda it: (_free(it), -it.cpu_used, it.name)).name


def _volume_for(volumes: list[DatastoreReport], placement: Placement) -> str:
    fitting = [it for it in volumes if it.usable and it.free_gb >= placement.disk_gb]
    if not fitting:
        raise CapacityError("NoVolume", f"no shared volume has {placement.disk_gb} GiB free")
    return max(fitting, key=lambda it: (it.free_gb, it.name)).name


def _free(host: HostReport) -> int:
    return host.memory_mb - host.memory_used_mb


def _host(record: Record) -> HostReport:
    """A host; VMM says its memory in bytes, and what of it is available in MiB."""
    memory_mb = int(record["MemoryBytes"] or 0) // _MIB
    cpu = int(record["Processors"] or 0)
    return HostReport(
        name=str(record["Name"]),
        cpu=cpu,
        memory_mb=memory_mb,
        cpu_used=cpu * float(record["CpuPercent"] or 0) / 100,
        memory_used_mb=max(0, memory_mb - int(record["AvailableMemoryMb"] or 0)),
        maintenance="Maintenance" in str(record["State"]) or record["ForPlacement"] is False,
        connected=str(record["Communication"]) == _RESPONDING,
    )


def _volume(record: Record) -> DatastoreReport:
    return DatastoreReport(
        name=str(record["Name"]),
        capacity_gb=int(record["CapacityBytes"] or 0) // GIB,
        free_gb=int(record["FreeBytes"] or 0) // GIB,
        usable=record["ForPlacement"] is not False,
    )
