"""Azure's SDK clients, made when first needed and kept as long as the function is warm."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from azure.mgmt.compute import ComputeManagementClient

from lambdas.adapters.by_target import ByTarget
from lambdas.azure.pipeline import AzureSession
from lambdas.azure.settings import AzureSettings
from lambdas.core.targets import AzureTarget

if TYPE_CHECKING:
    from azure.mgmt.network import NetworkManagementClient


class AzureClients(AzureSession):
    """Microsoft.Compute and Microsoft.Network."""

    @cached_property
    def compute(self) -> ComputeManagementClient:
        """Virtual machines and disks."""
        return ComputeManagementClient(self._credential, self.subscription_id, **self._options)

    @cached_property
    def network(self) -> NetworkManagementClient:
        """Network interfaces and public addresses."""
        # A cold start's budget has room for one of the two SDKs, and who has only disks needs no other.
        from azure.mgmt.network import NetworkManagementClient  # noqa: PLC0415

        return NetworkManagementClient(self._credential, self.subscription_id, **self._options)


class AzureSubscriptions(ByTarget[AzureTarget, AzureClients]):
    """The clients of each target, so that we sign in once for as long as its token lasts."""

    def __init__(self, settings: AzureSettings) -> None:
        super().__init__(AzureTarget, "Azure", lambda target: AzureClients(settings, target))
