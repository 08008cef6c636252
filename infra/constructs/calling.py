"""A function that a schedule calls again and again."""

from __future__ import annotations

from typing import Final, NamedTuple

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from infra.constructs.function import Function

NOT_REPEATED: Final = {"CKV_AWS_116": "It is called again every minute: nobody wants what failed a minute ago."}
"""For the functions that are called every minute."""


class Rate(NamedTuple):
    """How often: as EventBridge says it, and in seconds; a call that fails is repeated so many times until the next."""

    expression: str
    seconds: int
    repeated: int


EVERY_MINUTE: Final = Rate("rate(1 minute)", 60, 0)
"""A call that failed is not repeated: the next minute is another."""

EVERY_HOUR: Final = Rate("rate(1 hour)", 3600, 2)


class Called(Construct):
    """The schedule `name`, and the role in which it calls what is deployed of a function, and nothing else."""

    def __init__(self, scope: Construct, id: str, *, name: str, function: Function, rate: Rate) -> None:
        super().__init__(scope, id)
        called = function.lambda_function
        called.configure_async_invoke(retry_attempts=rate.repeated, max_event_age=Duration.seconds(rate.seconds))
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            ),
            description=f"Calls {called.node.path}",
        )
        role.add_to_policy(iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[called.function_arn]))
        scheduler.CfnSchedule(
            self,
            "Schedule",
            name=name,
            schedule_expression=rate.expression,
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=called.function_arn,
                role_arn=role.role_arn,
                input="{}",
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=rate.seconds, maximum_retry_attempts=rate.repeated
                ),
            ),
        )
