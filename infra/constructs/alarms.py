"""The alarms, all of them to one topic: what only a person can decide, and what should have happened and did not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.constructs.keys import OperationsKey

TOPIC: Final = "skysaga-alarms"
NAMESPACE: Final = "skysaga"
_SERVICE: Final = {"service": "skysaga"}
_HOUR: Final = Duration.hours(1)


class Alarms(Construct):
    """A topic, and an alarm per `above_zero` metric of ours and per failing or missing state machine that is added."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        self.topic: Final = sns.Topic(
            self, "Topic", topic_name=TOPIC, enforce_ssl=True, master_key=OperationsKey.of(self)
        )
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsPublish",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            )
        )

    def above_zero(self, name: str, metric: str, what_to_do: str) -> None:
        """Raise an alarm while a metric of ours is above zero; a sweep repeats it every hour."""
        counted = cloudwatch.Metric(
            namespace=NAMESPACE, metric_name=metric, dimensions_map=_SERVICE, statistic="Maximum", period=_HOUR
        )
        self._alarm(name, [counted], what_to_do)

    def failing(self, name: str, machine_arn: str, what_to_do: str) -> None:
        """Raise an alarm when an execution of a state machine fails, times out or is aborted."""
        metrics = [
            self._executions(machine_arn, ended)
            for ended in ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted")
        ]
        self._alarm(name, metrics, what_to_do)

    def missing(self, name: str, machine_arn: str, what_to_do: str) -> None:
        """Raise an alarm when no execution of a state machine has succeeded for three hours."""
        cloudwatch.Alarm(
            self,
            name,
            alarm_name=f"skysaga-{_dashed(name)}",
            alarm_description=what_to_do,
            metric=self._executions(machine_arn, "ExecutionsSucceeded"),
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            evaluation_periods=3,
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
        ).add_alarm_action(actions.SnsAction(self.topic))

    def _alarm(self, name: str, metrics: Sequence[cloudwatch.Metric], what_to_do: str) -> None:
        names = [f"m{number}" for number in range(len(metrics))]
        total = cloudwatch.MathExpression(
            expression=" + ".join(f"FILL({it}, 0)" for it in names),
            using_metrics=dict(zip(names, metrics, strict=True)),
            period=_HOUR,
        )
        cloudwatch.Alarm(
            self,
            name,
            alarm_name=f"skysaga-{_dashed(name)}",
            alarm_description=what_to_do,
            metric=metrics[0] if len(metrics) == 1 else total,
            threshold=0,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        ).add_alarm_action(actions.SnsAction(self.topic))

    def _executions(self, machine_arn: str, ended: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace="AWS/States",
            metric_name=ended,
            dimensions_map={"StateMachineArn": machine_arn},
            statistic="Sum",
            period=_HOUR,
        )


def _dashed(name: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("-")
