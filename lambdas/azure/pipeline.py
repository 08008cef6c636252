"""How Azure is called: as whom, by which policies of its SDKs, and how patiently."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final
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

from lambdas.adapters.correlation import current_trace
from lambdas.adapters.observability import cloud_answered
from lambdas.azure.credentials import SignIn
from lambdas.azure.settings import LOOPBACK, AzureSettings
from lambdas.core.targets import AzureTarget

SCOPE: Final = "https://management.azure.com/.default"

CORRELATION: Final = "x-ms-correlation-request-id"


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


class AzureSession:
    """What clients of Azure's SDKs are made with, as one target, or else as the environment says.

    The pipeline is the SDK's own without what would make a step wait: its retries (the state machine's Retry is what
    should, and can be seen), its redirects, and its registration of resource providers, which polls every ten seconds.
    """

    def __init__(self, settings: AzureSettings, target: AzureTarget | None = None) -> None:
        self._settings = settings
        self._target = target
        self.subscription_id: Final = target.subscription_id if target else settings.subscription_id

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
