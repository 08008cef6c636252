"""What a request may ask of Azure."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, Tag

from lambdas.core.locations import AZURE_REGIONS
from lambdas.core.specs.base import PRIVATE, Definition, DiskGb, InstanceSpec, Name, Strict, known

Region = Annotated[str, known(AZURE_REGIONS, "Azure region")]
ResourceGroup = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9_.()-]{0,89}[A-Za-z0-9_()-]$"),
    Field(description="The resource group's name; it must exist."),
]


class AzureInstanceSpec(InstanceSpec):
    """A virtual machine with its network interface and OS disk, in a resource group and network that exist."""

    image: Annotated[str, StringConstraints(pattern=r"^[^:\s]+:[^:\s]+:[^:\s]+:[^:\s]+$")] = Field(
        description="publisher:offer:sku:version"
    )
    resource_group: ResourceGroup
    network: Name = Field(default="default", description="The virtual network's name.")
    subnet: Name = Field(default="default", description="The subnet's name in that network.")
    admin_username: Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_-]{0,31}$")] = Field(
        description="The user that the key is for."
    )
    ssh_public_key: Annotated[str, StringConstraints(pattern=r"^(ssh-|ecdsa-)\S+ \S+( .*)?$", max_length=4096)] = Field(
        description="The public key that may log in, as in id_ed25519.pub.", json_schema_extra=PRIVATE
    )


class AzureDiskSpec(Strict):
    """A managed disk."""

    size_gb: DiskGb
    resource_group: ResourceGroup
    type: Literal["Standard_LRS", "StandardSSD_LRS", "Premium_LRS"] = Field(
        default="StandardSSD_LRS", description="The managed disk's performance and redundancy."
    )


class _AzureDefinition(Definition):
    provider: Literal["azure"]
    region: Region

    @property
    def location(self) -> str:
        """The region it is placed in."""
        return self.region


class AzureInstance(_AzureDefinition):
    """An instance on Azure Virtual Machines."""

    kind: Literal["instance"]
    spec: AzureInstanceSpec


class AzureDisk(_AzureDefinition):
    """A managed disk on Azure."""

    kind: Literal["disk"]
    spec: AzureDiskSpec


AzureResource = Annotated[AzureInstance, Tag("azure/instance")] | Annotated[AzureDisk, Tag("azure/disk")]
"""Every kind there is on it."""
