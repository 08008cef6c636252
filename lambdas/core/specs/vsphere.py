"""What a request may ask of vSphere."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Tag

from lambdas.core.specs.private import PrivateInstance


class VsphereInstance(PrivateInstance):
    """A virtual machine on a vSphere cluster."""

    provider: Literal["vsphere"]


VsphereResource = Annotated[VsphereInstance, Tag("vsphere/instance")]
"""Every kind there is on it."""
