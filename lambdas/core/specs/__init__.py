"""What a request may ask of each cloud: one file per provider, one class per kind.

`ResourceDefinition` is the union of them all, told apart by `provider` and `kind`. It is the one list of what is
offered: whoever has to know which providers there are finds it in what follows from it.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, get_args

from pydantic import Discriminator

from lambdas.core.specs.aws import AwsDisk, AwsInstance, AwsResource
from lambdas.core.specs.azure import AzureDisk, AzureInstance, AzureResource
from lambdas.core.specs.base import Definition
from lambdas.core.specs.gcp import GcpDisk, GcpInstance, GcpResource
from lambdas.core.specs.private import PrivateInstance
from lambdas.core.specs.scvmm import ScvmmInstance, ScvmmResource
from lambdas.core.specs.vsphere import VsphereInstance, VsphereResource


def _tag(value: Any) -> str:
    if isinstance(value, Definition):
        return f"{value.provider}/{value.kind}"
    if isinstance(value, dict):
        return f"{value.get('provider')}/{value.get('kind')}"
    return "?"


ResourceDefinition = Annotated[
    AwsResource | AzureResource | GcpResource | VsphereResource | ScvmmResource, Discriminator(_tag)
]


def _offered() -> dict[tuple[str, str], type[Definition]]:
    """The members of the union, each under its tag's two words."""
    members = [get_args(member) for member in get_args(get_args(ResourceDefinition)[0])]
    return {tuple(tag.tag.split("/")): definition for definition, tag in members}


OFFERED: Final = frozenset(_offered())
"""Every kind that a provider has: pairs of a provider and a kind."""

PROVIDERS: Final = tuple(dict.fromkeys(provider for provider, _ in _offered()))
PRIVATE_PROVIDERS: Final = tuple(
    provider for (provider, _), definition in _offered().items() if issubclass(definition, PrivateInstance)
)
"""Those whose resources are placed on whichever cluster suits them."""

PUBLIC_PROVIDERS: Final = tuple(it for it in PROVIDERS if it not in PRIVATE_PROVIDERS)
KINDS: Final = tuple(dict.fromkeys(kind for _, kind in _offered()))

__all__ = [
    "KINDS",
    "OFFERED",
    "PRIVATE_PROVIDERS",
    "PROVIDERS",
    "PUBLIC_PROVIDERS",
    "AwsDisk",
    "AwsInstance",
    "AzureDisk",
    "AzureInstance",
    "Definition",
    "GcpDisk",
    "GcpInstance",
    "PrivateInstance",
    "ResourceDefinition",
    "ScvmmInstance",
    "VsphereInstance",
]
