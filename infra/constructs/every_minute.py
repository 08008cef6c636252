"""A function that is called every minute, and never because it failed: the next minute is another."""

from __future__ import annotations

from typing import Final

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from infra.constructs.function import Function

NOT_REPEATED: Final = {"CKV_AWS_116": "It is called again every minute: nobody wants what failed a minute ago."}
"""For the functions that are called so."""

_MINUTE: Final = Duration.minutes(1)


class EveryMinute(Construct):
    """The schedule `name`, and the role in which it calls what is deployed of a function, and nothing else."""

    def __init__(self, scope: Construct, id: str, *, name: str, function: Function) -> None:
        super().__init__(scope, id)
        called = function.lambda_function
        called.configure_async_invoke(retry_attempts=0, max_event_age=_MINUTE)
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
            schedule_expression="rate(1 minute)",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=called.function_arn,
                role_arn=role.role_arn,
                input="{}",
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=60, maximum_retry_attempts=0
                ),
            ),
        )
