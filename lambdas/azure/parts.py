"""The resources that an instance and a disk are made of in Azure: their names, their types, and how to reach them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple, Protocol

from lambdas.azure.clients import AzureClients
from lambdas.core.errors import TerminalError
from lambdas.core.model import Intent
from lambdas.core.specs import AzureDisk, AzureInstance


class Collection(Protocol):
    """What the SDK offers for every type of resource; group and name are its first two arguments everywhere."""

    @property
    def get(self) -> Callable[..., Any]:
        """The resource, as a mapping with Azure's own field names."""
        ...

    @property
    def begin_create_or_update(self) -> Callable[..., Any]:
        """Put a body, or resume an operation by its continuation token."""
        ...

    @property
    def begin_delete(self) -> Callable[..., Any]:
        """Delete it."""
        ...


class Part(NamedTuple):
    """One resource: what the saga calls it, what its name ends in, its type, and how the SDK reaches it.

    `held_by` names the part that has to go first; `conditional` says whether its put can be refused when it is there.
    """

    name: str
    suffix: str
    type: str
    collection: Callable[[AzureClients], Collection]
    held_by: str | None = None
    conditional: bool = False

    def resource_name(self, intent: Intent) -> str:
        """Its name in the resource group, the same in every step and every retry."""
        return intent.name + self.suffix

    def resource_id(self, intent: Intent, subscription_id: str) -> str:
        """Its id, which follows from where it is and its name."""
        return f"{group_id(intent, subscription_id)}/providers/{self.type}/{self.resource_name(intent)}"


MACHINE: Final = Part(
    "machine", "", "Microsoft.Compute/virtualMachines", lambda it: it.compute.virtual_machines, conditional=True
)
OS_DISK: Final = Part("os-disk", "-os", "Microsoft.Compute/disks", lambda it: it.compute.disks, held_by="machine")
INTERFACE: Final = Part(
    "interface",
    "-nic",
    "Microsoft.Network/networkInterfaces",
    lambda it: it.network.network_interfaces,
    held_by="machine",
)
ADDRESS: Final = Part(
    "address",
    "-ip",
    "Microsoft.Network/publicIPAddresses",
    lambda it: it.network.public_ip_addresses,
    held_by="interface",
)
DISK: Final = Part("disk", "", "Microsoft.Compute/disks", lambda it: it.compute.disks)


def created_parts(intent: Intent) -> tuple[Part, ...]:
    """What is created for an intent, in order; the OS disk is not among it, Azure makes it along with the machine."""
    match intent.definition:
        case AzureInstance() as definition:
            return (ADDRESS, INTERFACE, MACHINE) if definition.spec.public_address else (INTERFACE, MACHINE)
        case AzureDisk():
            return (DISK,)
        case _:
            raise TerminalError("WrongProvider", f"{intent.resource_id} is not a resource of Azure")


def all_parts(intent: Intent) -> tuple[Part, ...]:
    """Everything that may exist of an intent, the last created first."""
    created = created_parts(intent)
    made_along = (OS_DISK,) if MACHINE in created else ()
    return (*reversed(created), *made_along)


def part_named(intent: Intent, name: str) -> Part:
    """The part of that name among those created for the intent."""
    return next(part for part in created_parts(intent) if part.name == name)


def group_of(intent: Intent) -> str:
    """The resource group that the request names."""
    match intent.definition:
        case AzureInstance(spec=spec) | AzureDisk(spec=spec):
            return spec.resource_group
        case _:
            raise TerminalError("WrongProvider", f"{intent.resource_id} is not a resource of Azure")


def group_id(intent: Intent, subscription_id: str) -> str:
    """The id of that resource group."""
    return f"/subscriptions/{subscription_id}/resourceGroups/{group_of(intent)}"
