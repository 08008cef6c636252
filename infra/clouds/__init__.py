"""Which clouds there are to a deployment; everything that is made once for each of them is made from these."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from infra.clouds.aws import AWS
from infra.clouds.azure import AZURE
from infra.clouds.gcp import GCP
from infra.clouds.public import PublicCloud

PUBLIC_CLOUDS: Final[Mapping[str, PublicCloud]] = {it.name: it for it in (AWS, AZURE, GCP)}
"""What everybody reaches, by its folder under `lambdas/`."""

PRIVATE_CLOUDS: Final = ("vsphere", "scvmm")
"""What is provisioned on clusters of one's own, which only their workers reach."""

CLOUDS: Final = (*PUBLIC_CLOUDS, *PRIVATE_CLOUDS)

__all__ = ["CLOUDS", "PRIVATE_CLOUDS", "PUBLIC_CLOUDS", "PublicCloud"]
