"""What a request may ask of each cloud: one file per provider, one class per kind.

`ResourceDefinition` is the union of them all, told apart by `provider` and `kind`.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import Discriminator, Tag

from lambdas.core.specs.aws import AwsDisk, AwsInstance
from lambdas.core.specs.azure import AzureDisk, AzureInstance
from lambdas.core.specs.base import Definition
from lambdas.core.specs.gcp import GcpDisk, GcpInstance
from lambdas.core.specs.private import PrivateInstance
from lambdas.core.specs.scvmm import ScvmmInstance
from lambdas.core.specs.vsphere import VsphereInstance

PRIVATE_PROVIDERS: Final = ("vsphere", "scvmm")
"""Those whose resources are placed on whichever cluster suits them."""

PROVIDERS: Final = ("aws", "azure", "gcp", *PRIVATE_PROVIDERS)
KINDS: Final = ("instance", "disk")


def _tag(value: Any) -> str:
    if isinstance(value, Definition):
        return f"{value.provider}/{value.kind}"
    if isinstance(value, dict):
        return f"{value.get('provider')}/{value.get('kind')}"
    return "?"


ResourceDefinition = Annotated[
    Annotated[AwsInstance, Tag("aws/instance")]
    | Annotated[AwsDisk, Tag("aws/disk")]
    | Annotated[AzureInstance, Tag("azure/instance")]
    | Annotated[AzureDisk, Tag("azure/disk")]
    | Annotated[GcpInstance, Tag("gcp/instance")]
    | Annotated[GcpDisk, Tag("gcp/disk")]
    | Annotated[VsphereInstance, Tag("vsphere/instance")]
    | Annotated[ScvmmInstance, Tag("scvmm/instance")],
    Discriminator(_tag),
]

Instance = AwsInstance | AzureInstance | GcpInstance | VsphereInstance | ScvmmInstance
Disk = AwsDisk | AzureDisk | GcpDisk

__all__ = [
    "KINDS",
    "PRIVATE_PROVIDERS",
    "PROVIDERS",
    "AwsDisk",
    "AwsInstance",
    "AzureDisk",
    "AzureInstance",
    "Definition",
    "Disk",
    "GcpDisk",
    "GcpInstance",
    "Instance",
    "PrivateInstance",
    "ResourceDefinition",
    "ScvmmInstance",
    "VsphereInstance",
]
