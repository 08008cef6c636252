"""Azure's SDK clients, made when first needed and kept as long as the function is warm."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import (
    ContentDecodePolicy,
    RequestIdPolicy,
    SansIOHTTPPolicy,
    UserAgentPolicy,
)
from azure.core.rest import HttpRequest, HttpResponse
from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy, ARMHttpLoggingPolicy

from lambdas.adapters.by_target import ByTarget
from lambdas.adapters.correlation import current_trace
from lambdas.adapters.observability import cloud_answered
from lambdas.azure.credentials import SignIn
from lambdas.azure.settings import LOOPBACK, AzureSettings
from lambdas.core.errors import TerminalError
from lambdas.core.targets import AzureTarget

if TYPE_CHECKING:
    from azure.mgmt.compute import ComputeManagementClient
    from azure.mgmt.costmanagement import CostManagementClient
    from azure.mgmt.network import NetworkManagementClient
    from azure.storage.blob import ContainerClient

SCOPE: Final = "https://management.azure.com/.default"
STORAGE_SCOPE: Final = "https://storage.azure.com/.default"

CORRELATION: Final = "x-ms-correlation-request-id"

_CHUNK_BYTES: Final = 4 * 2**20
"""How much of a blob is fetched at a time, and held in memory."""


class LoopbackPolicy(SansIOHTTPPolicy[HttpRequest, HttpResponse]):
    """Lets the bearer token travel over plain http to this very machine; everywhere else it still needs TLS."""

    def on_request(self, request: PipelineRequest[HttpRequest]) -> None:
        """Ask the bearer policy behind this one not to insist on https."""
        if urlsplit(request.http_request.url).hostname in LOOPBACK:
            request.context.options["enforce_https"] = False


class CorrelationPolicy(SansIOHTTPPolicy[HttpRequest, HttpResponse]):
    """Tells Azure which saga a call is about, and notes by which ids its activity log knows the call.

    The correlation id is only for tracing: https://learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema
    """

    def on_request(self, request: PipelineRequest[HttpRequest]) -> None:
        """Send the saga's trace along."""
        if (trace := current_trace()) is not None:
            request.http_request.headers[CORRELATION] = str(trace.uuid)

    def on_response(
        self, request: PipelineRequest[HttpRequest], response: PipelineResponse[HttpRequest, HttpResponse]
    ) -> None:
        """Note its ids."""
        asked, told = request.http_request, response.http_response.headers
        cloud_answered(
            "azure",
            f"{asked.method} {_kind(asked.url)}",
            status=response.http_response.status_code,
            request_id=told.get("x-ms-request-id"),
            azure_correlation_id=told.get(CORRELATION),
            client_request_id=asked.headers.get("x-ms-client-request-id"),
            operation_id=urlsplit(told.get("Azure-AsyncOperation", "")).path.rpartition("/")[2],
            error=told.get("x-ms-error-code") or told.get("x-ms-failure-cause"),
        )


def _kind(url: str) -> str:
    """What a URL is about without anything's name: `Microsoft.Compute/virtualMachines`."""
    namespace, *rest = urlsplit(url).path.rpartition("/providers/")[2].split("/")
    return "/".join([namespace, *rest[::2]])


class AzureClients:
    """Microsoft.Compute, Microsoft.Network and what things cost, as one target, or else as the environment says.

    The pipeline is the SDK's own without what would make a step wait: its retries (the state machine's Retry is what
    should, and can be seen), its redirects, and its registration of resource providers, which polls every ten seconds.
    """

    def __init__(self, settings: AzureSettings, target: AzureTarget | None = None) -> None:
        self._settings = settings
        self._target = target
        self.subscription_id: Final = target.subscription_id if target else settings.subscription_id

    @cached_property
    def compute(self) -> ComputeManagementClient:
        """Virtual machines and disks."""
        # The two SDKs take a second to import when cold, and a function for disks needs only this one.
        from azure.mgmt.compute import ComputeManagementClient  # noqa: PLC0415

        return ComputeManagementClient(self._credential, self.subscription_id, **self._options)

    @cached_property
    def network(self) -> NetworkManagementClient:
        """Network interfaces and public addresses."""
        from azure.mgmt.network import NetworkManagementClient  # noqa: PLC0415 -- as above

        return NetworkManagementClient(self._credential, self.subscription_id, **self._options)

    @cached_property
    def cost_management(self) -> CostManagementClient:
        """Cost Management, of whatever scope a call names."""
        from azure.mgmt.costmanagement import CostManagementClient  # noqa: PLC0415 -- half a second, for one source

        options = {**self._options, "read_timeout": self._settings.costs_read_timeout}
        return CostManagementClient(self._credential, **options)

    def container(self, account_url: str, name: str) -> ContainerClient:
        """A container of a storage account; raises TerminalError where our token would travel in the open.

        Its SDK takes no policies, and no credential for plain http, not even on loopback: the token is ours to add.
        """
        from azure.storage.blob import ContainerClient  # noqa: PLC0415 -- as above

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

    @cached_property
    def _credential(self) -> SignIn:
        return SignIn(self._settings, self._target)

    @property
    def _options(self) -> dict[str, Any]:
        policies = [
            RequestIdPolicy(),
            UserAgentPolicy(),
            ContentDecodePolicy(),
            LoopbackPolicy(),
            ARMChallengeAuthenticationPolicy(self._credential, SCOPE),
            ARMHttpLoggingPolicy(),
            CorrelationPolicy(),
        ]
        return {
            "base_url": self._settings.endpoint,
            "policies": policies,
            "connection_timeout": self._settings.connect_timeout,
            "read_timeout": self._settings.read_timeout,
        }


class AzureSubscriptions(ByTarget[AzureTarget, AzureClients]):
    """The clients of each target, so that we sign in once for as long as its token lasts."""

    def __init__(self, settings: AzureSettings) -> None:
        super().__init__(AzureTarget, "Azure", lambda target: AzureClients(settings, target))
