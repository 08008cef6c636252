"""What functions are told that may change without them: the targets that are declared, and the grants."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from infra.billing import Billing
from infra.clouds import CLOUDS, PRIVATE_CLOUDS, PUBLIC_CLOUDS
from infra.private_clouds import PrivateClouds
from infra.settings import Settings
from infra.targets import Targets

GRANTS: Final = "/skysaga/grants"
SOURCES: Final = "/skysaga/billing/sources"
BUDGETS: Final = "/skysaga/billing/budgets"
NOTHING_GRANTED: Final = "{}"
STANDARD_BYTES: Final = 4096


class Parameters(Construct):
    """One parameter per cloud with its targets, and the grants: empty at first, and from then on the operators'.

    A deployment leaves the grants as they are, since what it says of them never changes.
    """

    def __init__(
        self, scope: Construct, id: str, *, targets: Targets, private_clouds: PrivateClouds, settings: Settings
    ) -> None:
        super().__init__(scope, id)
        public = {name: targets.parameter(name, it.default_target(settings)) for name, it in PUBLIC_CLOUDS.items()}
        private = {name: private_clouds.targets(name) for name in PRIVATE_CLOUDS}
        for cloud, value in (public | private).items():
            ssm.CfnParameter(
                self,
                f"{cloud.capitalize()}Targets",
                name=target_parameter(cloud),
                description=f"skysaga: where sagas may provision on {cloud}; declared by the deployment",
                type="String",
                tier=_tier(value),
                value=value,
            )
        ssm.CfnParameter(
            self,
            "Grants",
            name=GRANTS,
            description="skysaga: who may use which targets, and change whose sagas; see docs/targets-and-grants.md",
            type="String",
            tier="Standard",
            value=NOTHING_GRANTED,
        )


class BillingParameters(Construct):
    """What costs are collected from, and what may be spent."""

    def __init__(self, scope: Construct, id: str, *, billing: Billing) -> None:
        super().__init__(scope, id)
        self._add("Sources", SOURCES, "what costs are collected from", billing.sources_parameter)
        self._add("Budgets", BUDGETS, "what may be spent", billing.budgets_parameter)

    def _add(self, id: str, name: str, what: str, value: str) -> None:
        ssm.CfnParameter(
            self,
            id,
            name=name,
            description=f"skysaga: {what}; declared by the deployment",
            type="String",
            tier=_tier(value),
            value=value,
        )


def _tier(value: str) -> str:
    return "Standard" if len(value.encode()) <= STANDARD_BYTES else "Advanced"


def target_parameter(cloud: str) -> str:
    """Return the name of the parameter with a cloud's targets."""
    return f"/skysaga/targets/{cloud}"


def target_environment(clouds: Sequence[str] = CLOUDS) -> dict[str, str]:
    """Return what a function must be told to find the targets of some clouds."""
    return {"TARGET_PARAMETERS": json.dumps({cloud: target_parameter(cloud) for cloud in clouds})}


def parameter_access(stack: Stack, names: Sequence[str]) -> iam.PolicyStatement:
    """Return leave to read some parameters of the account that `stack` is deployed to."""
    return iam.PolicyStatement(
        sid="Parameters",
        actions=["ssm:GetParameters"],
        resources=[stack.format_arn(service="ssm", resource="parameter", resource_name=name[1:]) for name in names],
    )
