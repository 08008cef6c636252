"""What the vSphere functions and agents read from their environment."""

from __future__ import annotations

from pydantic import Field

from lambdas.adapters.settings import Settings


class VsphereSettings(Settings):
    """How patient we are with a vCenter, in seconds.

    `timeout` is for each step of one call, connecting included. `settling_seconds` is how long a machine must stay
    unfound before it is gone, and `repeat_seconds` how long a clone of unknown fate is not sent again.
    """

    timeout: float = Field(default=15, gt=0, alias="VSPHERE_TIMEOUT")
    settling_seconds: float = Field(default=120, ge=0, alias="VSPHERE_SETTLING_SECONDS")
    repeat_seconds: float = Field(default=120, gt=0, alias="VSPHERE_REPEAT_SECONDS")
