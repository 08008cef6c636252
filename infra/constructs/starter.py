"""A role in which a service starts executions of one state machine, and does nothing else."""

from __future__ import annotations

from typing import Final

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct


class Starter(Construct):
    """The role for `service` (such as `scheduler.amazonaws.com`), for this account's own schedules and rules only."""

    def __init__(self, scope: Construct, id: str, *, service: str, description: str, machine_arn: str) -> None:
        super().__init__(scope, id)
        account = Stack.of(self).account
        self.role: Final = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal(service, conditions={"StringEquals": {"aws:SourceAccount": account}}),
            description=description,
        )
        self.role.add_to_policy(iam.PolicyStatement(actions=["states:StartExecution"], resources=[machine_arn]))
