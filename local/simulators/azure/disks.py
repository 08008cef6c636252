"""Managed disks."""

from __future__ import annotations

from typing import Any, Final

from local.simulators.azure.attachments import DISK_TYPE, holder_of_disk
from local.simulators.azure.compute import ComputeKind
from local.simulators.azure.errors import ArmError, Failure, invalid_parameter
from local.simulators.azure.estate import Estate
from local.simulators.azure.resource import Resource

_SKUS: Final = frozenset({"Standard_LRS", "StandardSSD_LRS", "Premium_LRS", "StandardSSD_ZRS", "Premium_ZRS"})
_LARGEST_GB: Final = 32_767


class DiskKind(ComputeKind):
    """`Microsoft.Compute/disks`."""

    type = DISK_TYPE
    operations = "Disks"
    put_status = 202

    def create_seconds(self, estate: Estate) -> float:
        """How long a put takes."""
        return estate.settings.disk_create

    def delete_seconds(self, estate: Estate) -> float:
        """How long a delete takes."""
        return estate.settings.disk_delete

    def validate(self, estate: Estate, resource: Resource) -> None:
        """Check type, size and how it is made; only empty disks can be put by themselves."""
        sku = (resource.body.get("sku") or {}).get("name", "Standard_LRS")
        if sku not in _SKUS:
            raise invalid_parameter(sku, "sku.name")
        option = (resource.properties.get("creationData") or {}).get("createOption")
        if option != "Empty":
            raise invalid_parameter(option, "creationData.createOption")
        size = resource.properties.get("diskSizeGB")
        if not isinstance(size, int) or not 1 <= size <= _LARGEST_GB:
            raise invalid_parameter(size, "disk.diskSizeGB")

    def render(self, estate: Estate, resource: Resource) -> dict[str, Any]:
        """The properties as put, and whether it is attached."""
        attached = holder_of_disk(estate, resource.id)
        return {**resource.properties, "diskState": "Attached" if attached else "Unattached"}

    def envelope(self, estate: Estate, resource: Resource) -> dict[str, Any]:
        """Its type of storage, and the VM it is attached to."""
        holder = holder_of_disk(estate, resource.id)
        return {"sku": resource.body.get("sku"), **({"managedBy": holder.id} if holder else {})}

    def stockout(self, resource: Resource) -> Failure:
        """No room for that kind of disk."""
        sku = (resource.body.get("sku") or {}).get("name", "Standard_LRS")
        return Failure(
            "SkuNotAvailable",
            f"The requested size for resource '{resource.id}' is currently not available in location "
            f"'{resource.location}' for SKU '{sku}'. Please try another size or deploy to a different location.",
        )

    def check_deletable(self, estate: Estate, resource: Resource, at: float) -> None:
        """An attached disk stays."""
        holder = holder_of_disk(estate, resource.id)
        if holder:
            raise ArmError(
                409, "OperationNotAllowed", f"Disk {resource.name} is attached to VM {holder.id}.", target=resource.name
            )


DISKS: Final = DiskKind()
