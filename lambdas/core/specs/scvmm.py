"""What a request may ask of System Center Virtual Machine Manager."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Tag

from lambdas.core.specs.private import PrivateInstance


class ScvmmInstance(PrivateInstance):
    """A virtual machine on a Hyper-V cluster that System Center manages."""

    provider: Literal["scvmm"]


ScvmmResource = Annotated[ScvmmInstance, Tag("scvmm/instance")]
"""Every kind there is on it."""
