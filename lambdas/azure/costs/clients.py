"""Clients of what tells costs, made when first needed; machines' own are not even imported for them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from azure.core.pipeline import PipelineRequest
from azure.core.rest import HttpRequest

from lambdas.adapters.by_target import ByTarget
from lambdas.azure.pipeline import AzureSession
from lambdas.azure.settings import LOOPBACK, AzureSettings
from lambdas.core.errors import TerminalError
from lambdas.core.targets import AzureTarget

if TYPE_CHECKING:
    from azure.mgmt.costmanagement import CostManagementClient
    from azure.storage.blob import ContainerClient

STORAGE_SCOPE: Final = "https://storage.azure.com/.default"

_CHUNK_BYTES: Final = 4 * 2**20
"""How much of a blob is fetched at a time, and held in memory."""


class CostClients(AzureSession):
    """Cost Management, and the storage that exports are in."""

    @cached_property
    def cost_management(self) -> CostManagementClient:
        """Cost Management, of whatever scope a call names."""
        from azure.mgmt.costmanagement import CostManagementClient  # noqa: PLC0415 -- for one source

        options = {**self._options, "read_timeout": self._settings.costs_read_timeout}
        return CostManagementClient(self._credential, **options)

    def container(self, account_url: str, name: str) -> ContainerClient:
        """A container of a storage account; raises TerminalError where our token would travel in the open.

        Its SDK takes no policies, and no credential for plain http, not even on loopback: the token is ours to add.
        """
        from azure.storage.blob import ContainerClient  # noqa: PLC0415 -- for another

        url = urlsplit(account_url)
        if url.scheme != "https" and url.hostname not in LOOPBACK:
            raise TerminalError("NotPrivate", f"{account_url} must be https, except on loopback")
        return ContainerClient(
            account_url,
            name,
            connection_timeout=self._settings.connect_timeout,
            read_timeout=self._settings.read_timeout,
            retry_total=0,
            permit_redirects=False,
            max_single_get_size=_CHUNK_BYTES,
            max_chunk_get_size=_CHUNK_BYTES,
            raw_request_hook=self._bring_storage_token,
        )

    def _bring_storage_token(self, request: PipelineRequest[HttpRequest]) -> None:
        token = self._credential.get_token(STORAGE_SCOPE).token
        request.http_request.headers["Authorization"] = f"Bearer {token}"


class CostSubscriptions(ByTarget[AzureTarget, CostClients]):
    """The clients of each target, so that we sign in once for as long as its token lasts."""

    def __init__(self, settings: AzureSettings) -> None:
        super().__init__(AzureTarget, "Azure", lambda target: CostClients(settings, target))
