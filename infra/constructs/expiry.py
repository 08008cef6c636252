"""Where sagas that expire have their schedules, and the role in which these start the release machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from infra.constructs.acknowledgment import acknowledge
from infra.constructs.starter import Starter
from infra.constructs.state_machine import ALIAS

GROUP: Final = "skysaga-expiry"


class Expiry(Construct):
    """A group of one-time schedules; `release` is the name of the state machine that they start.

    The machine is known by its name, since it calls the very function that makes the schedules.
    """

    def __init__(self, scope: Construct, id: str, *, release: str) -> None:
        super().__init__(scope, id)
        scheduler.CfnScheduleGroup(self, "Group", name=GROUP)
        machine = self._machine(release)
        self._alias = f"{machine}:{ALIAS}"
        self._role = Starter(
            self,
            "Starter",
            service="scheduler.amazonaws.com",
            description="Releases sagas whose time has run out",
            machine_arn=machine,
        ).role

    @property
    def environment(self) -> Mapping[str, str]:
        """What a function that makes such schedules must know."""
        return {
            "EXPIRY_SCHEDULE_GROUP": GROUP,
            "EXPIRY_ROLE": self._role.role_arn,
            "RELEASE_STATE_MACHINE": self._alias,
        }

    def permissions(self) -> list[iam.PolicyStatement]:
        """Return leave to make such schedules; they delete themselves when they have fired."""
        return [
            iam.PolicyStatement(
                sid="ScheduleExpiry", actions=["scheduler:CreateSchedule"], resources=[self._schedules]
            ),
            iam.PolicyStatement(
                sid="LetScheduleRelease",
                actions=["iam:PassRole"],
                resources=[self._role.role_arn],
                conditions={"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}},
            ),
        ]

    def accept_wildcard(self, function: Construct) -> None:
        """Answer cdk-nag: schedules are named after sagas."""
        rule = f"arn:<AWS::Partition>:scheduler:<AWS::Region>:<AWS::AccountId>:schedule/{GROUP}/*"
        acknowledge(function, {f"AwsSolutions-IAM5[Resource::{rule}]": "Each schedule is named after its saga."})

    @property
    def _schedules(self) -> str:
        return Stack.of(self).format_arn(service="scheduler", resource="schedule", resource_name=f"{GROUP}/*")

    def _machine(self, name: str) -> str:
        return Stack.of(self).format_arn(
            service="states",
            resource="stateMachine",
            resource_name=name,
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
