"""What a request may ask of a private cluster: what the machine needs, and not where it is to be."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from lambdas.core.specs.base import Definition, DiskGb, Name, ResourceId, Strict

Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$")]


class Placement(Strict):
    """What a machine needs of a cluster. Which cluster that is, skysaga decides and says."""

    cpu: Annotated[int, Field(ge=1, le=768, description="Virtual processors.")]
    memory_gb: Annotated[int, Field(ge=1, le=24_576, description="Memory in GiB.")]
    disk_gb: DiskGb = Field(description="Boot disk in GiB; at least the image's own size.")
    labels: dict[Word, Word] = Field(
        default={}, max_length=16, description="Labels that the cluster must carry, as its deployment declares them."
    )
    anti_affinity: Word | None = Field(
        default=None, description="A group of which no two machines of yours are placed on one cluster."
    )
    near: ResourceId | None = Field(
        default=None, description="A machine of this request whose cluster it is to share; that one is created first."
    )
    prefer: Literal["spread", "pack"] = Field(
        default="spread", description="spread: where most is free. pack: where least is, to keep other clusters empty."
    )


class PrivateInstanceSpec(Strict):
    """A machine cloned from a template, with the processors, memory and disk that its placement says."""

    image: Name = Field(description="The name of the template that it is cloned from.")
    network: Name | None = Field(default=None, description="The network's name; the cluster's own default if left out.")


class PrivateInstance(Definition):
    """A machine on whichever cluster of its provider suits it."""

    kind: Literal["instance"]
    placement: Placement
    spec: PrivateInstanceSpec

    @property
    def location(self) -> str:
        """Nowhere yet: where it is placed stands with the resource, not with what was asked for."""
        return ""
