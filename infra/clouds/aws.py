"""AWS, as a cloud to provision on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aws_cdk import Stack
from aws_cdk import aws_iam as iam

from infra.clouds.public import PublicCloud
from infra.permissions.ec2 import ec2_permissions, listing
from infra.permissions.targets import SWEEP, VERB_VARIABLE, entering
from infra.permissions.verbs import Permissions
from infra.settings import Settings
from infra.targets import Targets


def _environment(settings: Settings, verb: str) -> dict[str, str]:
    return {"AWS_SWEEP_REGIONS": settings.sweep_regions} if settings.sweep_regions and verb == SWEEP else {}


def _default_target(_settings: Settings) -> dict[str, str]:
    return {}


def _permissions(stack: Stack, targets: Targets) -> Permissions:
    return ec2_permissions(stack, targets.roles)


def _listing(targets: Targets) -> Sequence[iam.PolicyStatement]:
    return [listing(), *entering(targets.roles, SWEEP)]


AWS: Final = PublicCloud(
    name="aws",
    environment=_environment,
    default_target=_default_target,
    permissions=_permissions,
    listing=_listing,
    verb_variable=VERB_VARIABLE,
    trusted=False,
)
