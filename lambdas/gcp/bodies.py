"""What we ask Compute Engine to create: the bodies of the insert calls, and the names of the parts."""

from __future__ import annotations

from google.cloud.compute_v1 import (
    AccessConfig,
    AttachedDisk,
    AttachedDiskInitializeParams,
    Disk,
    Instance,
    NetworkInterface,
)

from lambdas.core.model import AttachedDisk as RequestedDisk
from lambdas.core.model import Intent
from lambdas.core.specs import GcpDisk, GcpInstance


def boot_disk_name(intent: Intent) -> str:
    """The name of an instance's boot disk."""
    return f"{intent.name}-boot"


def instance(intent: Intent, definition: GcpInstance, project: str) -> Instance:
    """A virtual machine whose boot disk goes with it, while disks of their own do not."""
    spec = definition.spec
    return Instance(
        name=intent.name,
        labels=intent.marks,
        machine_type=f"zones/{definition.zone}/machineTypes/{spec.size}",
        disks=[_boot_disk(intent, definition), *(_data_disk(disk) for disk in intent.disks)],
        network_interfaces=[_network_interface(definition, project)],
    )


def disk(intent: Intent, definition: GcpDisk) -> Disk:
    """A persistent disk, empty."""
    return Disk(
        name=intent.name,
        labels=intent.marks,
        size_gb=definition.spec.size_gb,
        type_=f"zones/{definition.zone}/diskTypes/{definition.spec.type}",
    )


def _boot_disk(intent: Intent, definition: GcpInstance) -> AttachedDisk:
    params = AttachedDiskInitializeParams(
        disk_name=boot_disk_name(intent),
        labels=intent.marks,
        source_image=definition.spec.image,
        disk_size_gb=definition.spec.disk_gb,
    )
    return AttachedDisk(boot=True, auto_delete=True, initialize_params=params)


def _data_disk(disk: RequestedDisk) -> AttachedDisk:
    return AttachedDisk(source=disk.cloud_id, device_name=disk.resource_id, auto_delete=False)


def _network_interface(definition: GcpInstance, project: str) -> NetworkInterface:
    spec = definition.spec
    interface = NetworkInterface(network=f"projects/{project}/global/networks/{spec.network}")
    if spec.subnet:
        region = definition.zone.rpartition("-")[0]
        interface.subnetwork = f"projects/{project}/regions/{region}/subnetworks/{spec.subnet}"
    if spec.public_address:
        # Without an address of its own it is ephemeral: it comes and goes with the instance.
        interface.access_configs = [AccessConfig(type_="ONE_TO_ONE_NAT", name="External NAT")]
    return interface
