"""Azure, as a cloud to provision on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aws_cdk import Stack
from aws_cdk import aws_iam as iam

from infra.clouds.public import PublicCloud
from infra.permissions.azure import azure_permissions, token_for_azure
from infra.permissions.verbs import Permissions
from infra.settings import UNSET_ID, Settings
from infra.targets import Targets


def _environment(settings: Settings, verb: str) -> dict[str, str]:
    return {
        "AZURE_SUBSCRIPTION_ID": settings.azure_subscription_id,
        "AZURE_TENANT_ID": settings.azure_tenant_id,
        "AZURE_CLIENT_ID": settings._asdict()[f"azure_client_id_{verb}"] or settings.azure_client_id,
    }


def _default_target(settings: Settings) -> dict[str, str] | None:
    subscription = settings.azure_subscription_id
    return {"subscription_id": subscription} if subscription != UNSET_ID else None


def _permissions(_stack: Stack, _targets: Targets) -> Permissions:
    return azure_permissions()


def _listing(_targets: Targets) -> Sequence[iam.PolicyStatement]:
    return [token_for_azure()]


AZURE: Final = PublicCloud(
    name="azure",
    environment=_environment,
    default_target=_default_target,
    permissions=_permissions,
    listing=_listing,
)
