"""Network interfaces and public addresses, both of Microsoft.Network, in the virtual networks that exist."""

from __future__ import annotations

from typing import Any, Final

from local.simulators.azure.attachments import (
    ADDRESS_TYPE,
    INTERFACE_TYPE,
    address_reference,
    dig,
    holder_of_address,
    holder_of_interface,
    ip_configurations,
)
from local.simulators.azure.errors import ArmError, Failure, invalid_reference, nic_reserved, not_provisioned
from local.simulators.azure.estate import Estate, same_id
from local.simulators.azure.resource import Resource, ResourceKind, State


class NetworkKind(ResourceKind):
    """A kind of Microsoft.Network, with that provider's way of saying that it is busy or broken."""

    put_status = 201

    def busy_error(self, resource: Resource) -> ArmError:
        """What a write is answered with while another one is under way."""
        message = (
            "Another operation on this or dependent resource is in progress. To retrieve status of the operation use "
            f"uri: {resource.operation.id if resource.operation else ''}."
        )
        return ArmError(409, "AnotherOperationInProgress", message)

    def deleting_error(self, resource: Resource) -> ArmError:
        """What a put is answered with while the same thing is being deleted."""
        return self.busy_error(resource)

    def internal_error(self) -> Failure:
        """How an accepted operation ends when the cloud itself broke."""
        return Failure("InternalServerError", "An error occurred.")


class InterfaceKind(NetworkKind):
    """`Microsoft.Network/networkInterfaces`."""

    type = INTERFACE_TYPE
    operations = "NetworkInterfaces"

    def create_seconds(self, estate: Estate) -> float:
        """How long a put takes."""
        return estate.settings.interface_create

    def delete_seconds(self, estate: Estate) -> float:
        """How long a delete takes."""
        return estate.settings.interface_delete

    def validate(self, estate: Estate, resource: Resource) -> None:
        """Check that the subnet exists, and that public addresses do and are free."""
        configurations = ip_configurations(resource)
        if not configurations:
            message = f"Network interface {resource.id} must have at least one IP configuration."
            raise ArmError(400, "NetworkInterfaceMustHaveAtLeastOneIpConfiguration", message)
        for configuration in configurations:
            subnet = str(dig(configuration, "properties", "subnet", "id"))
            if not _subnet_exists(estate, resource.subscription, subnet):
                raise invalid_reference(subnet, resource.id)
            if reference := address_reference(configuration):
                _check_address(estate, resource, reference["id"])

    def render(self, estate: Estate, resource: Resource) -> dict[str, Any]:
        """The properties as put, with private addresses, and the VM that it belongs to."""
        holder = holder_of_interface(estate, resource.id)
        configurations = [
            {
                **configuration,
                "id": f"{resource.id}/ipConfigurations/{configuration.get('name')}",
                "properties": {
                    **configuration.get("properties", {}),
                    "privateIPAddress": resource.given["privateIPAddress"],
                },
            }
            for configuration in ip_configurations(resource)
        ]
        attached = {"virtualMachine": {"id": holder.id}} if holder else {}
        return {**resource.properties, "ipConfigurations": configurations, **attached}

    def stockout(self, resource: Resource) -> Failure:
        """No address left in the subnet."""
        subnet = dig(ip_configurations(resource)[0], "properties", "subnet", "id")
        return Failure(
            "SubnetIsFull",
            f"Subnet {str(subnet).rsplit('/', 1)[-1]} with address prefix 10.0.0.0/24 does not have enough capacity "
            "for 1 IP addresses.",
        )

    def accepted(self, estate: Estate, resource: Resource, at: float, failure: Failure | None) -> None:
        """Give it a private address."""
        if "privateIPAddress" not in resource.given:
            resource.given["privateIPAddress"] = _address("10.0", estate.next_number())

    def check_deletable(self, estate: Estate, resource: Resource, at: float) -> None:
        """One that belongs to a VM, or is reserved for one that failed, stays."""
        holder = holder_of_interface(estate, resource.id)
        if holder:
            message = (
                f"Network Interface {resource.id} is used by existing resource {holder.id}. In order to delete the "
                "network interface, it must be dissociated from the resource. To learn more, see "
                "https://aka.ms/deletenic."
            )
            raise ArmError(400, "NicInUse", message)
        reserved = estate.reserved_for(resource.id, at)
        if reserved:
            raise nic_reserved(estate.settings.nic_reservation, reserved)

    def deleted(self, estate: Estate, resource: Resource, at: float) -> None:
        """A public address goes along if it is marked for that."""
        for reference in map(address_reference, ip_configurations(resource)):
            if reference and dig(reference, "properties", "deleteOption") == "Delete":
                estate.cascade(ADDRESS_TYPE, reference["id"], at)


class AddressKind(NetworkKind):
    """`Microsoft.Network/publicIPAddresses`."""

    type = ADDRESS_TYPE
    operations = "PublicIPAddresses"

    def create_seconds(self, estate: Estate) -> float:
        """How long a put takes."""
        return estate.settings.address_create

    def delete_seconds(self, estate: Estate) -> float:
        """How long a delete takes."""
        return estate.settings.address_delete

    def validate(self, estate: Estate, resource: Resource) -> None:
        """A Standard address is static."""
        method = resource.properties.get("publicIPAllocationMethod")
        if dig(resource.body, "sku", "name") == "Standard" and method != "Static":
            message = f"Standard sku publicIp {resource.id} must have AllocationMethod set to Static."
            raise ArmError(400, "StandardSkuPublicIPAddressesMustBeStatic", message)

    def render(self, estate: Estate, resource: Resource) -> dict[str, Any]:
        """The properties as put, with the address, and the network interface that has it."""
        holder = holder_of_address(estate, resource.id)
        attached = {"ipConfiguration": {"id": f"{holder.id}/ipConfigurations/primary"}} if holder else {}
        return {**resource.properties, **resource.given, **attached}

    def envelope(self, estate: Estate, resource: Resource) -> dict[str, Any]:
        """Its SKU."""
        return {"sku": resource.body.get("sku")}

    def stockout(self, resource: Resource) -> Failure:
        """The subscription's quota is used up."""
        return Failure(
            "PublicIPCountLimitReached",
            f"Cannot create more than 10 public IP addresses for this subscription in this region {resource.location}.",
        )

    def accepted(self, estate: Estate, resource: Resource, at: float, failure: Failure | None) -> None:
        """Give it the address."""
        if "ipAddress" not in resource.given:
            resource.given["ipAddress"] = _address("203.0", estate.next_number())

    def check_deletable(self, estate: Estate, resource: Resource, at: float) -> None:
        """One that a network interface has stays."""
        holder = holder_of_address(estate, resource.id)
        if holder:
            message = (
                f"Public IP address {resource.id} can not be deleted since it is still allocated to resource "
                f"{holder.id}/ipConfigurations/primary. In order to delete the public IP, disassociate/detach the "
                "Public IP address from the resource."
            )
            raise ArmError(400, "PublicIPAddressCannotBeDeleted", message)


def _subnet_exists(estate: Estate, subscription: str, subnet_id: str) -> bool:
    return any(
        same_id(subnet_id, _subnet_id(subscription, group, network, subnet))
        for group in estate.settings.resource_groups
        for network, subnets in estate.settings.networks.items()
        for subnet in subnets
    )


def _subnet_id(subscription: str, group: str, network: str, subnet: str) -> str:
    return (
        f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Network/virtualNetworks/{network}"
        f"/subnets/{subnet}"
    )


def _check_address(estate: Estate, interface: Resource, address_id: str) -> None:
    address = estate.get(address_id)
    if address is None or address.kind.type != ADDRESS_TYPE or address.location != interface.location:
        raise invalid_reference(address_id, interface.id)
    if address.state is not State.SUCCEEDED:
        raise not_provisioned(address.id, interface.id, address.state)
    holder = holder_of_address(estate, address_id)
    if holder and not same_id(holder.id, interface.id):
        message = f"Resource {interface.id} is referencing public IP address {address_id} that is already allocated."
        raise ArmError(400, "PublicIPAddressInUse", message)


def _address(prefix: str, number: int) -> str:
    return f"{prefix}.{number // 250 % 250}.{4 + number % 250}"


INTERFACES: Final = InterfaceKind()
ADDRESSES: Final = AddressKind()
