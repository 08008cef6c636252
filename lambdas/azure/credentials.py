"""Who we are to Azure: whatever identity the environment describes, or else the function's own AWS role.

A Lambda role is exchanged for an Azure token without a stored secret: STS signs a token that says who we are (outbound
identity federation), and an Azure application trusts it.
"""

from __future__ import annotations

from typing import Final

import boto3
from azure.identity import ChainedTokenCredential, ClientAssertionCredential, DefaultAzureCredential
from botocore.config import Config

from lambdas.azure.settings import AzureSettings

AUDIENCE: Final = "api://AzureADTokenExchange"


def azure_credential(settings: AzureSettings) -> ChainedTokenCredential:
    """The credentials to try in turn: a service principal, a workload identity, a managed identity, our AWS role.

    A managed identity is only asked for where its endpoint is given: the well-known address that is otherwise tried
    does not answer in a Lambda function, and takes its time not to.
    """
    patience = {"connection_timeout": settings.connect_timeout, "read_timeout": settings.read_timeout, "retry_total": 0}
    described = DefaultAzureCredential(
        exclude_managed_identity_credential=not settings.identity_endpoint,
        exclude_shared_token_cache_credential=True,
        exclude_visual_studio_code_credential=True,
        exclude_cli_credential=True,
        exclude_developer_cli_credential=True,
        exclude_powershell_credential=True,
        exclude_broker_credential=True,
        **patience,
    )
    if not (settings.tenant_id and settings.client_id):
        return described
    role = ClientAssertionCredential(
        settings.tenant_id, settings.client_id, lambda: web_identity_token(settings), **patience
    )
    return ChainedTokenCredential(*described.credentials, role)


def web_identity_token(settings: AzureSettings) -> str:
    """A token, signed by STS in our own region, that says which AWS role we are; the global endpoint gives none."""
    config = Config(
        connect_timeout=settings.connect_timeout,
        read_timeout=settings.read_timeout,
        retries={"total_max_attempts": 1, "mode": "standard"},
    )
    answer = boto3.client("sts", config=config).get_web_identity_token(Audience=[AUDIENCE], SigningAlgorithm="RS256")
    return answer["WebIdentityToken"]
