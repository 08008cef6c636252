"""What a request may ask of System Center Virtual Machine Manager."""

from __future__ import annotations

from typing import Literal

from lambdas.core.specs.private import PrivateInstance


class ScvmmInstance(PrivateInstance):
    """A virtual machine on a Hyper-V cluster that System Center manages."""

    provider: Literal["scvmm"]
