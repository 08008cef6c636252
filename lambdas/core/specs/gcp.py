"""What a request may ask of Google Cloud."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Tag

from lambdas.core.locations import GCP_ZONES
from lambdas.core.specs.base import Definition, DiskGb, InstanceSpec, Name, Strict, known

Zone = Annotated[str, known(GCP_ZONES, "Google Cloud zone")]


class GcpInstanceSpec(InstanceSpec):
    """A Compute Engine instance with its network interface and boot disk."""

    image: Name = Field(description="projects/PROJECT/global/images/family/FAMILY, or an image's own path.")
    network: Name = Field(default="default", description="The network's name.")
    subnet: Name | None = Field(default=None, description="The subnetwork's name, for networks in custom mode.")


class GcpDiskSpec(Strict):
    """A persistent disk."""

    size_gb: DiskGb
    type: Literal["pd-standard", "pd-balanced", "pd-ssd"] = Field(
        default="pd-balanced", description="The persistent disk's type."
    )


class _GcpDefinition(Definition):
    provider: Literal["gcp"]
    zone: Zone

    @property
    def location(self) -> str:
        """The zone it is placed in."""
        return self.zone


class GcpInstance(_GcpDefinition):
    """An instance on Compute Engine."""

    kind: Literal["instance"]
    spec: GcpInstanceSpec


class GcpDisk(_GcpDefinition):
    """A persistent disk on Compute Engine."""

    kind: Literal["disk"]
    spec: GcpDiskSpec


GcpResource = Annotated[GcpInstance, Tag("gcp/instance")] | Annotated[GcpDisk, Tag("gcp/disk")]
"""Every kind there is on it."""
