"""Virtual machines: what Microsoft.Compute makes along with one, and what outlives it."""

from __future__ import annotations

from typing import Any, Final

from local.simulators.azure.attachments import (
    DISK_TYPE,
    INTERFACE_TYPE,
    MACHINE_TYPE,
    data_disk_id,
    data_disks,
    dig,
    interfaces,
    os_disk_id,
)
from local.simulators.azure.compute import ComputeKind
from local.simulators.azure.disks import DISKS
from local.simulators.azure.errors import ArmError, Failure
from local.simulators.azure.estate import Estate
from local.simulators.azure.machine_rules import check_machine
from local.simulators.azure.resource import Resource, State

_ALLOCATION_FAILED: Final = Failure(
    "AllocationFailed",
    "Allocation failed. We do not have sufficient capacity for the requested VM size in this region. Read more about "
    "improving likelihood of allocation success at https://aka.ms/allocation-guidance",
)
_PREEMPTED: Final = Failure("OperationPreempted", "Operation execution has been preempted by a more recent operation.")
_FOR_EVER: Final = (("storageProfile", "imageReference"), ("osProfile", "adminUsername"), ("osProfile", "computerName"))
_SECRETS: Final = frozenset({"adminPassword", "customData"})


class MachineKind(ComputeKind):
    """`Microsoft.Compute/virtualMachines`."""

    type = MACHINE_TYPE
    operations = "VirtualMachines"
    put_status = 201

    def create_seconds(self, estate: Estate) -> float:
        """How long a put takes."""
        return estate.settings.machine_create

    def delete_seconds(self, estate: Estate) -> float:
        """How long a delete takes."""
        return estate.settings.machine_delete

    def validate(self, estate: Estate, resource: Resource) -> None:
        """Check everything it says and refers to."""
        check_machine(estate, resource)

    def check_change(self, before: Resource, after: Resource) -> None:
        """The image, the user and the computer's name are for ever."""
        for path in _FOR_EVER:
            if dig(before.properties, *path) != dig(after.properties, *path):
                message = f"Changing property '{path[-1]}' is not allowed."
                raise ArmError(409, "PropertyChangeNotAllowed", message, target=path[-1])

    def render(self, estate: Estate, resource: Resource) -> dict[str, Any]:
        """The properties as put, without secrets, and the VM's own id."""
        profile = resource.properties.get("osProfile") or {}
        shown = {name: value for name, value in profile.items() if name not in _SECRETS}
        return {**resource.properties, "osProfile": shown, **resource.given}

    def instance_view(self, resource: Resource) -> dict[str, Any]:
        """The statuses that say how the VM fares, and why it failed."""
        if resource.state is State.FAILED and resource.failure:
            code, message = resource.failure
            failed = _status(f"failed/{code}", "Error", "Provisioning failed")
            return {"statuses": [{**failed, "message": message}]}
        if resource.state is not State.SUCCEEDED:
            return {"statuses": [_status(resource.state.lower(), "Info", resource.state)]}
        running = {"code": "PowerState/running", "level": "Info", "displayStatus": "VM running"}
        return {"statuses": [_status("succeeded", "Info", "Provisioning succeeded"), running]}

    def stockout(self, resource: Resource) -> Failure:
        """No host has room for that size."""
        return _ALLOCATION_FAILED

    def check_deletable(self, estate: Estate, resource: Resource, at: float) -> None:
        """Nothing holds on to a VM."""

    def deleting_error(self, resource: Resource) -> ArmError:
        """What a put on a VM that is being deleted is answered with."""
        return ArmError(
            409,
            "OperationNotAllowed",
            f"Operation 'createOrUpdate' is not allowed on VM '{resource.name}' since the VM is marked for deletion. "
            "You can only retry the Delete operation (or wait for an ongoing one to complete).",
        )

    def preempt(self, resource: Resource, at: float) -> None:
        """A delete ends the put that is under way."""
        if resource.operation:
            resource.operation.ended, resource.operation.failure = at, _PREEMPTED

    def accepted(self, estate: Estate, resource: Resource, at: float, failure: Failure | None) -> None:
        """Give it an id and, unless there is no host for it, its OS disk, which takes over the VM's tags."""
        resource.given.setdefault("vmId", estate.next_id())
        os_disk = resource.body["properties"]["storageProfile"].setdefault("osDisk", {})
        os_disk.setdefault("name", f"{resource.name}_OsDisk_1_{estate.next_id().replace('-', '')}")
        if failure is _ALLOCATION_FAILED or estate.get(os_disk_id(resource)):
            return
        body = {
            "location": resource.location,
            "tags": resource.tags,
            "sku": {"name": dig(os_disk, "managedDisk", "storageAccountType") or "Premium_LRS"},
            "properties": {
                "osType": "Linux",
                "creationData": {"createOption": "FromImage"},
                "diskSizeGB": os_disk.get("diskSizeGB", 30),
            },
        }
        disk = Resource(DISKS, resource.subscription, resource.group, os_disk["name"], body, at, State.SUCCEEDED)
        estate.add(disk)

    def failed(self, estate: Estate, resource: Resource, at: float) -> None:
        """Its network interfaces stay reserved for it, even once it is deleted."""
        for reference in interfaces(resource):
            estate.reserve(reference["id"], resource.id, at + estate.settings.nic_reservation)

    def deleted(self, estate: Estate, resource: Resource, at: float) -> None:
        """What is marked for it goes along; the rest is left behind."""
        if dig(resource.properties, "storageProfile", "osDisk", "deleteOption") == "Delete":
            estate.cascade(DISK_TYPE, os_disk_id(resource), at)
        for disk in data_disks(resource):
            if disk.get("deleteOption") == "Delete":
                estate.cascade(DISK_TYPE, data_disk_id(disk), at)
        for reference in interfaces(resource):
            if dig(reference, "properties", "deleteOption") == "Delete":
                estate.cascade(INTERFACE_TYPE, reference["id"], at)


def _status(code: str, level: str, display: str) -> dict[str, str]:
    return {"code": f"ProvisioningState/{code}", "level": level, "displayStatus": display}


MACHINES: Final = MachineKind()
