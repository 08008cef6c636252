"""What Microsoft.Compute checks before it accepts a virtual machine, in the order it checks it."""

from __future__ import annotations

from typing import Any, Final

from local.simulators.azure.attachments import (
    DISK_TYPE,
    INTERFACE_TYPE,
    MACHINE_TYPE,
    data_disk_id,
    data_disks,
    dig,
    holder_of_disk,
    holder_of_interface,
    interfaces,
    os_disk_id,
)
from local.simulators.azure.errors import (
    ArmError,
    invalid_parameter,
    nic_reserved,
    not_provisioned,
    resource_not_found,
)
from local.simulators.azure.estate import Estate, same_id
from local.simulators.azure.resource import Resource, State

_FORBIDDEN_USERS: Final = frozenset({"admin", "administrator", "guest", "root", "test", "user"})


def check_machine(estate: Estate, machine: Resource) -> None:
    """Raise ArmError unless size, image, user, disks, network interfaces and quota are right."""
    _check_size_and_image(estate, machine)
    _check_os_profile(machine.properties.get("osProfile") or {})
    _check_os_disk(estate, machine)
    for entry in interfaces(machine):
        _check_interface(estate, machine, str(entry.get("id")))
    _check_data_disks(estate, machine)
    _check_quota(estate, machine)


def _check_size_and_image(estate: Estate, machine: Resource) -> None:
    size = dig(machine.properties, "hardwareProfile", "vmSize")
    if size not in estate.settings.sizes:
        raise invalid_parameter(size, "vmSize")
    image = dig(machine.properties, "storageProfile", "imageReference") or {}
    urn = [str(image.get(part)) for part in ("publisher", "offer", "sku", "version")]
    if ":".join(urn[:3]) not in estate.settings.images:
        message = (
            f"The platform image '{':'.join(urn)}' is not available. Verify that all fields in the storage profile "
            "are correct. For more details about storage profile information, please refer to "
            "https://aka.ms/storageprofile"
        )
        raise ArmError(404, "PlatformImageNotFound", message, target="imageReference")
    if not interfaces(machine):
        raise ArmError(400, "InvalidParameter", "Virtual machine must have at least one network interface.")


def _check_os_profile(profile: dict[str, Any]) -> None:
    user = profile.get("adminUsername")
    if not user or user in _FORBIDDEN_USERS:
        raise ArmError(400, "InvalidParameter", "The Admin Username specified is not allowed.", target="adminUsername")
    name = str(profile.get("computerName") or "")
    if not 0 < len(name) <= 64:
        raise invalid_parameter(name, "computerName")
    linux = profile.get("linuxConfiguration") or {}
    keys = dig(linux, "ssh", "publicKeys") or []
    if linux.get("disablePasswordAuthentication"):
        if not keys or not all(str(key.get("keyData", "")).startswith(("ssh-", "ecdsa-")) for key in keys):
            parameter = "linuxConfiguration.ssh.publicKeys.keyData"
            raise ArmError(400, "InvalidParameter", f"The value of parameter {parameter} is invalid.", target=parameter)
    elif not profile.get("adminPassword"):
        raise ArmError(400, "InvalidParameter", "Required parameter 'adminPassword' is missing (null).")


def _check_os_disk(estate: Estate, machine: Resource) -> None:
    disk = estate.get(os_disk_id(machine))
    if disk is None:
        return
    holder = holder_of_disk(estate, disk.id)
    if holder is None or not same_id(holder.id, machine.id):
        message = (
            f"Disk {disk.name} already exists in resource group {disk.group.upper()}. Only CreateOption.Attach is "
            "supported."
        )
        raise ArmError(409, "ConflictingUserInput", message, target="osDisk.name")


def _check_interface(estate: Estate, machine: Resource, interface_id: str) -> None:
    interface = estate.get(interface_id)
    if interface is None or interface.kind.type != INTERFACE_TYPE or interface.location != machine.location:
        raise resource_not_found(INTERFACE_TYPE, interface_id.rsplit("/", 1)[-1], machine.group)
    if interface.state is not State.SUCCEEDED:
        raise not_provisioned(interface.id, machine.id, interface.state)
    holder = holder_of_interface(estate, interface.id)
    if holder and not same_id(holder.id, machine.id):
        raise ArmError(400, "NicInUse", f"Network Interface {interface.id} is used by existing resource {holder.id}.")
    reserved = estate.reserved_for(interface.id, machine.created_at)
    if reserved and not same_id(reserved, machine.id):
        raise nic_reserved(estate.settings.nic_reservation, reserved)


def _check_data_disks(estate: Estate, machine: Resource) -> None:
    entries = data_disks(machine)
    if len({entry.get("lun") for entry in entries}) != len(entries):
        raise ArmError(400, "InvalidParameter", "A disk at the same LUN already exists.", target="dataDisk.lun")
    for disk_id in map(data_disk_id, entries):
        name = disk_id.rsplit("/", 1)[-1]
        disk = estate.get(disk_id)
        if disk is None or disk.kind.type != DISK_TYPE or disk.location != machine.location:
            raise resource_not_found(DISK_TYPE, name, machine.group)
        if disk.state is not State.SUCCEEDED:
            raise not_provisioned(disk.id, machine.id, disk.state)
        holder = holder_of_disk(estate, disk_id)
        if holder and not same_id(holder.id, machine.id):
            message = f"Disk {name} cannot be attached as the disk is already owned by VM {holder.id}."
            raise ArmError(409, "ConflictingUserInput", message, target=name)


def _check_quota(estate: Estate, machine: Resource) -> None:
    sizes = estate.settings.sizes
    used = sum(
        sizes[dig(other.properties, "hardwareProfile", "vmSize")]
        for other in estate.of_type(MACHINE_TYPE)
        if other.location == machine.location and not same_id(other.id, machine.id)
    )
    needed = sizes[dig(machine.properties, "hardwareProfile", "vmSize")]
    limit = estate.settings.regional_cores
    if used + needed > limit:
        raise ArmError(
            409,
            "OperationNotAllowed",
            "Operation could not be completed as it results in exceeding approved Total Regional Cores quota. "
            f"Additional details - Deployment Model: Resource Manager, Location: {machine.location}, Current Limit: "
            f"{limit}, Current Usage: {used}, Additional Required: {needed}, (Minimum) New Limit Required: "
            f"{used + needed}.",
        )
