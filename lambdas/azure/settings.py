"""What the Azure functions read from their environment, besides what azure.identity reads itself."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from lambdas.adapters.settings import Settings

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


class AzureSettings(Settings):
    """Whose subscription, where Resource Manager is, who we are to it, and how patient we are with it, in seconds.

    `tenant_id` and `client_id` are the Azure application that trusts our AWS role; `identity_endpoint` is where a
    managed identity gets its tokens. Costs are added up while we wait for them, so that takes patience of its own.
    """

    subscription_id: str = Field(alias="AZURE_SUBSCRIPTION_ID", min_length=1)
    endpoint: str = Field(default="https://management.azure.com", alias="AZURE_RESOURCE_MANAGER_ENDPOINT")
    prices_endpoint: str = Field(default="https://prices.azure.com", alias="AZURE_RETAIL_PRICES_ENDPOINT")
    tenant_id: str = Field(default="", alias="AZURE_TENANT_ID")
    client_id: str = Field(default="", alias="AZURE_CLIENT_ID")
    identity_endpoint: str = Field(default="", alias="IDENTITY_ENDPOINT")
    settling_seconds: float = Field(default=120, ge=0, alias="AZURE_SETTLING_SECONDS")
    connect_timeout: float = Field(default=3, gt=0, alias="AZURE_CONNECT_TIMEOUT")
    read_timeout: float = Field(default=15, gt=0, alias="AZURE_READ_TIMEOUT")
    costs_read_timeout: float = Field(default=60, gt=0, alias="AZURE_COSTS_READ_TIMEOUT")

    @field_validator("endpoint")
    @classmethod
    def _keeps_tokens_private(cls, endpoint: str) -> str:
        """A bearer token travels over TLS, or does not leave the machine."""
        url = urlsplit(endpoint)
        if url.scheme != "https" and url.hostname not in LOOPBACK:
            raise ValueError("AZURE_RESOURCE_MANAGER_ENDPOINT must be https, except on loopback")
        return endpoint.rstrip("/")
