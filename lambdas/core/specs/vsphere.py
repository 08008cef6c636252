"""What a request may ask of vSphere."""

from __future__ import annotations

from typing import Literal

from lambdas.core.specs.private import PrivateInstance


class VsphereInstance(PrivateInstance):
    """A virtual machine on a vSphere cluster."""

    provider: Literal["vsphere"]
