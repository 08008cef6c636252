"""Who holds on to what: VMs to their disks and network interfaces, network interfaces to their public addresses."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from local.simulators.azure.estate import Estate, same_id
from local.simulators.azure.resource import Resource

MACHINE_TYPE: Final = "Microsoft.Compute/virtualMachines"
DISK_TYPE: Final = "Microsoft.Compute/disks"
INTERFACE_TYPE: Final = "Microsoft.Network/networkInterfaces"
ADDRESS_TYPE: Final = "Microsoft.Network/publicIPAddresses"


def dig(value: Any, *path: str) -> Any:
    """What is found along a path of keys, or None where it ends early."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def os_disk_id(machine: Resource) -> str:
    """The id of the disk that a VM boots from."""
    name = dig(machine.properties, "storageProfile", "osDisk", "name")
    return f"/subscriptions/{machine.subscription}/resourceGroups/{machine.group}/providers/{DISK_TYPE}/{name}"


def data_disks(machine: Resource) -> list[dict[str, Any]]:
    """A VM's entries for its data disks."""
    return list(dig(machine.properties, "storageProfile", "dataDisks") or [])


def data_disk_id(entry: dict[str, Any]) -> str:
    """The id of the disk that such an entry names."""
    return str(dig(entry, "managedDisk", "id"))


def interfaces(machine: Resource) -> list[dict[str, Any]]:
    """A VM's references to its network interfaces."""
    return list(dig(machine.properties, "networkProfile", "networkInterfaces") or [])


def ip_configurations(interface: Resource) -> list[dict[str, Any]]:
    """A network interface's IP configurations."""
    return list(interface.properties.get("ipConfigurations") or [])


def address_reference(configuration: dict[str, Any]) -> dict[str, Any] | None:
    """An IP configuration's reference to a public address."""
    reference: dict[str, Any] | None = dig(configuration, "properties", "publicIPAddress")
    return reference


def holder_of_disk(estate: Estate, disk_id: str) -> Resource | None:
    """The VM that a disk is attached to."""
    return _holder(
        estate, MACHINE_TYPE, disk_id, lambda machine: [os_disk_id(machine), *map(data_disk_id, data_disks(machine))]
    )


def holder_of_interface(estate: Estate, interface_id: str) -> Resource | None:
    """The VM that a network interface belongs to."""
    return _holder(
        estate, MACHINE_TYPE, interface_id, lambda machine: [reference["id"] for reference in interfaces(machine)]
    )


def holder_of_address(estate: Estate, address_id: str) -> Resource | None:
    """The network interface that has a public address."""
    return _holder(estate, INTERFACE_TYPE, address_id, _address_ids)


def _address_ids(interface: Resource) -> list[str]:
    references = map(address_reference, ip_configurations(interface))
    return [reference["id"] for reference in references if reference]


def _holder(
    estate: Estate, holder_type: str, held_id: str, held_by: Callable[[Resource], Iterable[str]]
) -> Resource | None:
    holders = estate.of_type(holder_type)
    return next((one for one in holders if any(same_id(held_id, held) for held in held_by(one))), None)
