"""A cluster's hosts and datastores as they are now: read once, for choosing among them and for reporting on them."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final, NamedTuple

from pyVmomi import vim

from lambdas.vsphere.choosing import DatastoreRoom, HostRoom
from lambdas.vsphere.reading import Along, Found, read

HOST_PATHS: Final = (
    "name",
    "datastore",
    "runtime.connectionState",
    "runtime.inMaintenanceMode",
    "runtime.inQuarantineMode",
    "runtime.powerState",
    "summary.hardware",
    "summary.quickStats",
)
DATASTORE_PATHS: Final = (
    "name",
    "summary.accessible",
    "summary.capacity",
    "summary.freeSpace",
    "summary.maintenanceMode",
)

TO_HOSTS: Final = Along("hosts", vim.ClusterComputeResource, "host", ("placed",))
TO_DATASTORES: Final = Along("datastores", vim.ClusterComputeResource, "datastore", ("stored",))
TO_PLACED: Final = Along("placed", vim.HostSystem, "vm")
TO_STORED: Final = Along("stored", vim.Datastore, "vm")

GB: Final = 1 << 30
MB: Final = 1 << 20


class Standing(NamedTuple):
    """What a cluster has, and whether it places machines on hosts by itself."""

    hosts: list[Found]
    datastores: list[Found]
    automated: bool


def standing(collector: Any, cluster: Any) -> Standing:
    """Read the hosts and datastores of a cluster, and its DRS settings."""
    wanted = {
        vim.ClusterComputeResource: ("configurationEx",),
        vim.HostSystem: HOST_PATHS,
        vim.Datastore: DATASTORE_PATHS,
    }
    found = read(collector, cluster, (TO_HOSTS, TO_DATASTORES), wanted)
    settings = next((it for it in found if isinstance(it.ref, vim.ClusterComputeResource)), None)
    return Standing(
        [it for it in found if isinstance(it.ref, vim.HostSystem)],
        [it for it in found if isinstance(it.ref, vim.Datastore)],
        _automated(settings.get("configurationEx") if settings else None),
    )


def configured_memory(collector: Any, cluster: Any) -> Counter[str]:
    """How much memory in MiB the machines of each host are configured with, by the host's id; running or not."""
    wanted = {vim.VirtualMachine: ("runtime.host", "summary.config.memorySizeMB")}
    memory: Counter[str] = Counter()
    for machine in read(collector, cluster, (TO_HOSTS, TO_PLACED), wanted):
        if (host := machine.get("runtime.host")) is not None:
            memory[host._GetMoId()] += machine.get("summary.config.memorySizeMB", 0)
    return memory


def host_room(host: Found, configured_mb: int = 0) -> HostRoom:
    """A host with what is neither in use nor promised to machines that are off."""
    used = max(memory_used(host), configured_mb)
    return HostRoom(
        ref=host.ref,
        name=str(host.get("name", "")),
        usable=is_connected(host) and not in_maintenance(host),
        free_memory_mb=memory_of(host) - used,
        datastores=frozenset(it._GetMoId() for it in host.get("datastore", ())),
    )


def datastore_room(datastore: Found) -> DatastoreRoom:
    """A datastore with what is free of it."""
    usable = (
        bool(datastore.get("summary.accessible")) and datastore.get("summary.maintenanceMode", "normal") == "normal"
    )
    free_gb = datastore.get("summary.freeSpace", 0) // GB
    return DatastoreRoom(datastore.ref, str(datastore.get("name", "")), usable, free_gb)


def is_connected(host: Found) -> bool:
    """Whether the vCenter reaches it and it is on."""
    return bool(host.get("runtime.connectionState") == "connected" and host.get("runtime.powerState") == "poweredOn")


def in_maintenance(host: Found) -> bool:
    """Whether somebody, or its own failing health, keeps machines away from it."""
    return bool(host.get("runtime.inMaintenanceMode") or host.get("runtime.inQuarantineMode"))


def memory_of(host: Found) -> int:
    """Its memory in MiB; 0 where the vCenter has never reached it."""
    hardware = host.get("summary.hardware")
    return int(hardware.memorySize // MB) if hardware else 0


def memory_used(host: Found) -> int:
    """How much of its memory is in use, in MiB."""
    stats = host.get("summary.quickStats")
    return int(getattr(stats, "overallMemoryUsage", None) or 0)


def _automated(configuration: Any) -> bool:
    drs = getattr(configuration, "drsConfig", None)
    return bool(drs and drs.enabled and str(drs.defaultVmBehavior) == "fullyAutomated")
