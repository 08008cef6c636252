"""What every resource of a request has, whatever its cloud."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from lambdas.core.targets import DEFAULT, TargetName

PRIVATE: Final[dict[str, Any]] = {"writeOnly": True}
"""Marks a field (`Field(json_schema_extra=PRIVATE)`) whose value no answer, log, history or error may repeat.

JSON Schema's own word for it: the value may be sent and is never read back.
"""

_QUOTABLE: Final = 32
_TELLTALE: Final = 16

ResourceId = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$"),
    Field(description="Unique in the request: a-z, 0-9 and -, at most 30 characters. Part of the cloud's own name."),
]
DiskGb = Annotated[int, Field(ge=1, le=16_384, description="Size in GiB.")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=255)]


class Strict(BaseModel):
    """A document in which an unknown field is an error and "8" is not a number."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True, defer_build=True)


class Definition(Strict):
    """One resource of a request."""

    id: ResourceId
    provider: str
    kind: Literal["instance", "disk"]
    target: TargetName = Field(
        default=DEFAULT, description="Which of the deployment's accounts, subscriptions or projects it is placed in."
    )
    depends_on: list[ResourceId] = Field(default=[], max_length=50, description="Resources that must be ready first.")
    spec: Any

    @property
    def location(self) -> str:
        """The region or zone it is placed in."""
        raise NotImplementedError

    @property
    def private_values(self) -> tuple[str, ...]:
        """The values of its PRIVATE fields, and their longer words, as an error might quote them; longest first."""
        fields = type(self.spec).model_fields.items()
        values = [str(getattr(self.spec, name)) for name, field in fields if field.json_schema_extra == PRIVATE]
        words = [word for value in values for word in value.split() if len(word) >= _TELLTALE]
        return tuple(sorted({*filter(None, values), *words}, key=len, reverse=True))

    @property
    def attached_disks(self) -> tuple[str, ...]:
        """The resource ids of the disks attached to it; for a disk, none."""
        return tuple(getattr(self.spec, "disks", ()))


class InstanceSpec(Strict):
    """What every cloud's instance has."""

    image: Name
    size: Name = Field(description="The cloud's own name of the machine: t3.micro, Standard_B1s, e2-small.")
    disk_gb: DiskGb | None = Field(default=None, description="Boot disk in GiB; the image's own size when left out.")
    public_address: bool = Field(default=False, description="Give it a public IPv4 address.")
    disks: list[ResourceId] = Field(
        default=[], max_length=8, description="Disks of this request to attach; they are created first."
    )


def known(places: frozenset[str], what: str) -> AfterValidator:
    """A validator that accepts only one of `places`, and names near misses otherwise."""

    def check(value: str) -> str:
        if value not in places:
            raise ValueError(f"unknown {what} {quoted(value)}")
        return value

    return AfterValidator(check)


def quoted(value: object) -> str:
    """Return a value as a refusal may quote it: a mistyped name; what is longer is none, and may be a secret."""
    text = repr(value)
    return text if len(text) <= _QUOTABLE else f"what was given ({len(text)} characters)"
