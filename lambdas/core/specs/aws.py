"""What a request may ask of AWS."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, Tag

from lambdas.core.locations import AWS_REGIONS
from lambdas.core.specs.base import Definition, DiskGb, InstanceSpec, Name, Strict, known

Region = Annotated[str, known(AWS_REGIONS, "AWS region")]


class AwsInstanceSpec(InstanceSpec):
    """An EC2 instance with its network interface and boot volume."""

    image: Annotated[str, StringConstraints(pattern=r"^ami-[0-9a-f]{8,17}$")] = Field(description="An AMI id.")
    subnet: Name | None = Field(default=None, description="A subnet id; the region's default subnet when left out.")
    security_groups: list[Name] = Field(default=[], max_length=5, description="Security group ids.")


class AwsDiskSpec(Strict):
    """An EBS volume."""

    size_gb: DiskGb
    zone: Name = Field(description="The availability zone; an instance that it is attached to must be in it.")
    type: Literal["gp3", "gp2", "io2", "st1", "sc1"] = Field(default="gp3", description="The EBS volume type.")


class _AwsDefinition(Definition):
    provider: Literal["aws"]
    region: Region

    @property
    def location(self) -> str:
        """The region it is placed in."""
        return self.region


class AwsInstance(_AwsDefinition):
    """An instance on EC2."""

    kind: Literal["instance"]
    spec: AwsInstanceSpec


class AwsDisk(_AwsDefinition):
    """A disk on EBS."""

    kind: Literal["disk"]
    spec: AwsDiskSpec


AwsResource = Annotated[AwsInstance, Tag("aws/instance")] | Annotated[AwsDisk, Tag("aws/disk")]
"""Every kind there is on it."""
