"""What a cluster reports of itself, read from its vCenter in a few bulk reads."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, NamedTuple

from pyVmomi import vim

from lambdas.core.clusters import Amounts, ClusterReport, DatastoreReport, HostReport
from lambdas.core.marks import marks_of
from lambdas.core.model import MARK_RESOURCE, MARK_SAGA, cloud_name, token_of
from lambdas.core.ports.provider import Marked, Survey
from lambdas.vsphere.bodies import MACHINE
from lambdas.vsphere.choosing import shared_datastores
from lambdas.vsphere.hosts import (
    GB,
    TO_DATASTORES,
    TO_HOSTS,
    TO_PLACED,
    TO_STORED,
    Standing,
    datastore_room,
    host_room,
    in_maintenance,
    is_connected,
    memory_of,
    memory_used,
    standing,
)
from lambdas.vsphere.reading import Along, Found, read
from lambdas.vsphere.vcenter import Vcenter

_MACHINE_PATHS: Final = (
    "name",
    "config.annotation",
    "config.createDate",
    "config.hardware.memoryMB",
    "config.hardware.numCPU",
    "config.instanceUuid",
    "config.template",
    "runtime.host",
    "storage.perDatastoreUsage",
)

_UPLINKS: Final = "SYSTEM/DVS.UPLINKPG"
"""The tag by which a vCenter tells a switch's own uplinks from the port groups that machines can be on."""


class _Scope(NamedTuple):
    """The ids of the hosts and of the shared datastores that the survey is about."""

    hosts: frozenset[str]
    datastores: frozenset[str]


def survey(vcenter: Vcenter, at: datetime) -> Survey:
    """What the cluster has and holds; `at` is when the look began."""
    collector, cluster = vcenter.collector, vcenter.place.cluster
    now = standing(collector, cluster)
    shared = shared_datastores([host_room(host) for host in now.hosts])
    scope = _Scope(frozenset(_id(host.ref) for host in now.hosts), shared)
    machines = _machines(collector, cluster)
    ours: list[Found] = []
    others: list[Found] = []
    for machine in machines:
        (ours if _is_placed(machine, scope) and _is_ours(machine) else others).append(machine)
    templates = vcenter.templates()
    report = ClusterReport(
        at=at,
        hosts=tuple(sorted(map(_host, now.hosts), key=lambda it: it.name)),
        datastores=_datastores(now, shared),
        others=sum((_amounts(it, scope) for it in others), Amounts()),
        images=_names(it.name for it in templates),
        local_images=_names(it.name for it in templates if it.datastores & shared),
        networks=_networks(collector, cluster),
    )
    return Survey(report, tuple(_marked(it) for it in ours))


def _machines(collector: Any, cluster: Any) -> list[Found]:
    """Those on the cluster's hosts, and those of other clusters that lie on its datastores."""
    steps = (TO_HOSTS, TO_DATASTORES, TO_PLACED, TO_STORED)
    return read(collector, cluster, steps, {vim.VirtualMachine: _MACHINE_PATHS})


def _networks(collector: Any, cluster: Any) -> tuple[str, ...]:
    step = Along("networks", vim.ClusterComputeResource, "network")
    found = read(collector, cluster, (step,), {vim.Network: ("name", "tag")})
    return _names(str(it.get("name")) for it in found if _UPLINKS not in {tag.key for tag in it.get("tag", ())})


def _host(host: Found) -> HostReport:
    hardware = host.get("summary.hardware")
    return HostReport(
        name=str(host.get("name")),
        cpu=hardware.numCpuThreads if hardware else 0,
        memory_mb=memory_of(host),
        cpu_used=_threads_used(host),
        memory_used_mb=memory_used(host),
        maintenance=in_maintenance(host),
        connected=is_connected(host),
    )


def _threads_used(host: Found) -> float:
    """The share of the cores' MHz that is in use, in threads."""
    hardware, stats = host.get("summary.hardware"), host.get("summary.quickStats")
    capacity = hardware.cpuMhz * hardware.numCpuCores if hardware else 0
    used = getattr(stats, "overallCpuUsage", None) or 0
    return round(used / capacity * hardware.numCpuThreads, 2) if capacity else 0.0


def _datastores(now: Standing, shared: frozenset[str]) -> tuple[DatastoreReport, ...]:
    reports = []
    for datastore in now.datastores:
        room = datastore_room(datastore)
        if _id(datastore.ref) in shared:
            capacity = datastore.get("summary.capacity", 0) // GB
            reports.append(
                DatastoreReport(name=room.name, capacity_gb=capacity, free_gb=room.free_gb, usable=room.usable)
            )
    return tuple(sorted(reports, key=lambda it: it.name))


def _is_placed(machine: Found, scope: _Scope) -> bool:
    host = machine.get("runtime.host")
    return host is not None and _id(host) in scope.hosts


def _is_ours(machine: Found) -> bool:
    """Whether it carries our mark and is what the mark says: a copy that somebody made has the note, but is theirs."""
    marks = marks_of(machine.get("config.annotation"))
    if MARK_SAGA not in marks:
        return False
    saga_id, resource_id = marks[MARK_SAGA], marks.get(MARK_RESOURCE, "")
    made_as = (cloud_name(saga_id, resource_id), token_of(saga_id, resource_id, MACHINE))
    return bool(machine.get("name") == made_as[0] or machine.get("config.instanceUuid") == made_as[1])


def _amounts(machine: Found, scope: _Scope) -> Amounts:
    """What a machine is configured with here: a template has only a disk, and so has a neighbour's machine."""
    runs_here = _is_placed(machine, scope) and not machine.get("config.template")
    return Amounts(
        cpu=machine.get("config.hardware.numCPU", 0) if runs_here else 0,
        memory_mb=machine.get("config.hardware.memoryMB", 0) if runs_here else 0,
        disk_gb=_disk_gb(machine, scope.datastores),
    )


def _disk_gb(machine: Found, datastores: frozenset[str]) -> int:
    """What it may come to fill on the shared datastores: `uncommitted` is what thin disks have yet to grow."""
    usage = [it for it in machine.get("storage.perDatastoreUsage", ()) if _id(it.datastore) in datastores]
    return int(-(-sum(it.committed + it.uncommitted for it in usage) // GB))


def _marked(machine: Found) -> Marked:
    marks = marks_of(machine.get("config.annotation"))
    return Marked(marks[MARK_SAGA], marks.get(MARK_RESOURCE, ""), _id(machine.ref), machine.get("config.createDate"))


def _names(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))


def _id(ref: Any) -> str:
    return str(ref._GetMoId())
