"""A simulated Azure on loopback with the unmodified SDK pointed at it, and the bodies of what tests create in it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from azure.core.credentials import AccessToken
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.network import NetworkManagementClient

from local.clock import VirtualClock
from local.http_server import serve
from local.simulators.azure import AzureSimulator, AzureSimulatorSettings, create_app
from local.simulators.faults import Fault, FaultKind

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
GROUP = "shop"
GROUP_ID = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}"
SUBNET_ID = f"{GROUP_ID}/providers/Microsoft.Network/virtualNetworks/default/subnets/default"
TAGS = {"skysaga-saga": "s1", "skysaga-resource": "web"}


class AnyToken:
    """A credential that the simulator is content with."""

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return AccessToken("any", int(time.time()) + 3600)


class AllowHttp(SansIOHTTPPolicy[Any, Any]):
    """Lets the SDK's bearer policy send its token over plain http."""

    def on_request(self, request: PipelineRequest[Any]) -> None:
        request.context.options["enforce_https"] = False


@dataclass
class SimulatedAzure:
    """The simulator, its clock and address, and both SDK clients, which never retry."""

    simulator: AzureSimulator
    clock: VirtualClock
    url: str
    compute: ComputeManagementClient
    network: NetworkManagementClient

    def arm(self, operation: str, fault: FaultKind, **details: Any) -> None:
        self.simulator.faults.arm([Fault(operation=operation, fault=fault, **details)])

    def names(self) -> set[str]:
        return {resource["name"] for resource in self.simulator.inventory()}

    def put_disk(self, name: str = "data", **changes: Any) -> str:
        """Create a disk and wait for it; its id."""
        self.compute.disks.begin_create_or_update(GROUP, name, disk_body(**changes), polling=False)
        self.clock.advance(10)
        return f"{GROUP_ID}/providers/Microsoft.Compute/disks/{name}"

    def put_address(self, name: str = "web-ip") -> str:
        """Create a public address and wait for it; its id."""
        self.network.public_ip_addresses.begin_create_or_update(GROUP, name, address_body(), polling=False)
        self.clock.advance(10)
        return f"{GROUP_ID}/providers/Microsoft.Network/publicIPAddresses/{name}"

    def put_interface(self, name: str = "web-nic", address_id: str | None = None) -> str:
        """Create a network interface and wait for it; its id."""
        body = interface_body(address_id)
        self.network.network_interfaces.begin_create_or_update(GROUP, name, body, polling=False)
        self.clock.advance(10)
        return f"{GROUP_ID}/providers/Microsoft.Network/networkInterfaces/{name}"

    def put_machine(self, name: str = "web", **changes: Any) -> None:
        """Create a VM on the network interface `web-nic` and wait for it."""
        interface_id = changes.pop("interface_id", None) or self.put_interface()
        self.begin_machine(name, interface_id, **changes)
        self.clock.advance(10)

    def begin_machine(self, name: str, interface_id: str, **changes: Any) -> None:
        """Ask for a VM without waiting for it."""
        body = machine_body(interface_id, **changes)
        self.compute.virtual_machines.begin_create_or_update(GROUP, name, body, polling=False)


def disk_body(location: str = "westeurope", size_gb: int = 8, sku: str = "StandardSSD_LRS") -> Any:
    """An empty disk."""
    properties = {"creationData": {"createOption": "Empty"}, "diskSizeGB": size_gb}
    return {"location": location, "tags": TAGS, "sku": {"name": sku}, "properties": properties}


def address_body() -> Any:
    """A static public address."""
    properties = {"publicIPAllocationMethod": "Static"}
    return {"location": "westeurope", "tags": TAGS, "sku": {"name": "Standard"}, "properties": properties}


def interface_body(address_id: str | None = None, subnet_id: str = SUBNET_ID) -> Any:
    """A network interface, with a public address that goes along with it if there is one."""
    configuration: dict[str, Any] = {"subnet": {"id": subnet_id}}
    if address_id:
        configuration["publicIPAddress"] = {"id": address_id, "properties": {"deleteOption": "Delete"}}
    properties = {"ipConfigurations": [{"name": "primary", "properties": configuration}]}
    return {"location": "westeurope", "tags": TAGS, "properties": properties}


def machine_body(
    interface_id: str,
    *,
    size: str = "Standard_B1s",
    image: str = "Canonical:ubuntu-24_04-lts:server:latest",
    user: str = "ops",
    disk_ids: tuple[str, ...] = (),
    goes_along: bool = True,
    os_disk: str = "web-os",
) -> Any:
    """A VM; its OS disk and network interface are deleted with it if they go along."""
    publisher, offer, sku, version = image.split(":")
    option = "Delete" if goes_along else "Detach"
    key = {"path": f"/home/{user}/.ssh/authorized_keys", "keyData": "ssh-ed25519 AAAA ops"}
    return {
        "location": "westeurope",
        "tags": TAGS,
        "properties": {
            "hardwareProfile": {"vmSize": size},
            "storageProfile": {
                "imageReference": {"publisher": publisher, "offer": offer, "sku": sku, "version": version},
                "osDisk": {"name": os_disk, "createOption": "FromImage", "deleteOption": option},
                "dataDisks": [
                    {"lun": lun, "createOption": "Attach", "managedDisk": {"id": disk_id}, "deleteOption": "Detach"}
                    for lun, disk_id in enumerate(disk_ids)
                ],
            },
            "osProfile": {
                "computerName": "web",
                "adminUsername": user,
                "linuxConfiguration": {"disablePasswordAuthentication": True, "ssh": {"publicKeys": [key]}},
            },
            "networkProfile": {
                "networkInterfaces": [{"id": interface_id, "properties": {"primary": True, "deleteOption": option}}]
            },
        },
    }


@contextmanager
def simulated_azure(settings: AzureSimulatorSettings | None = None) -> Iterator[SimulatedAzure]:
    """Run a simulated Azure on a clock that stands still."""
    clock = VirtualClock()
    simulator = create_app(clock, clock.advance, settings)
    with serve(simulator) as server:
        options: dict[str, Any] = {"base_url": server.url, "per_call_policies": [AllowHttp()], "retry_total": 0}
        with (
            ComputeManagementClient(AnyToken(), SUBSCRIPTION, **options) as compute,
            NetworkManagementClient(AnyToken(), SUBSCRIPTION, **options) as network,
        ):
            yield SimulatedAzure(simulator, clock, server.url, compute, network)
