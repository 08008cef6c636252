"""The alarms, all of them to one topic: what only a person can decide, and what should have happened and did not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.constructs.keys import OperationsKey
from infra.constructs.metrics import counted
from infra.constructs.runbooks import with_runbook

TOPIC: Final = "skysaga-alarms"
REPORT_AGE: Final = "ClusterReportAge"
_HOUR: Final = Duration.hours(1)
_FIVE_MINUTES: Final = Duration.minutes(5)
_MINUTE: Final = Duration.minutes(1)


class Alarms(Construct):
    """An alarm for each thing that is added, and the topic that they go to unless there is one already."""

    def __init__(self, scope: Construct, id: str, topic: sns.ITopic | None = None) -> None:
        super().__init__(scope, id)
        self.topic: Final = topic or self._make_topic()

    def _make_topic(self) -> sns.ITopic:
        topic = sns.Topic(self, "Topic", topic_name=TOPIC, enforce_ssl=True, master_key=OperationsKey.of(self))
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsPublish",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            )
        )
        return topic

    def above_zero(self, name: str, metric: str, what_to_do: str) -> None:
        """Raise an alarm while a metric of ours is above zero; a sweep repeats it every hour."""
        self._alarm(name, [counted(metric, "Maximum", _HOUR)], what_to_do)

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
            alarm_description=with_runbook(self, what_to_do, f"skysaga-{_dashed(name)}"),
            metric=self._executions(machine_arn, "ExecutionsSucceeded"),
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            evaluation_periods=3,
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
        ).add_alarm_action(actions.SnsAction(self.topic))

    def given_up(self, cluster: str, dead_letters: sqs.IQueue, what_to_do: str) -> None:
        """Raise an alarm while tasks lie in a cluster's dead-letter queue."""
        name = f"skysaga-cluster-{cluster}-given-up"
        self.lying(f"{cluster}GivenUp", name, dead_letters, what_to_do, "skysaga-cluster-name-given-up")

    def lying(self, id: str, name: str, dead_letters: sqs.IQueue, what_to_do: str, section: str = "") -> None:
        """Raise the alarm `name` while something lies in a queue that is for what nobody could deal with.

        The runbook's `section` is named like the alarm if left out.
        """
        found = dead_letters.metric_approximate_number_of_messages_visible(period=_FIVE_MINUTES, statistic="Maximum")
        self._above(id, name, found, 0, what_to_do, section)

    def behind(self, id: str, name: str, function: lambda_.IFunction, minutes: int, what_to_do: str) -> None:
        """Raise the alarm `name` while what a function reads from a stream is older than so many minutes."""
        age = function.metric("IteratorAge", period=_FIVE_MINUTES, statistic="Maximum")
        self._above(id, name, age, minutes * 60_000, what_to_do)

    def _above(
        self, id: str, name: str, metric: cloudwatch.IMetric, threshold: int, what_to_do: str, section: str = ""
    ) -> None:
        cloudwatch.Alarm(
            self,
            id,
            alarm_name=name,
            alarm_description=with_runbook(self, what_to_do, section or name),
            metric=metric,
            threshold=threshold,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        ).add_alarm_action(actions.SnsAction(self.topic))

    def silent(self, cluster: str, seconds: int, what_to_do: str) -> None:
        """Raise an alarm when a cluster's last report is older than that, or nobody knows how old it is."""
        cloudwatch.Alarm(
            self,
            f"{cluster}Silent",
            alarm_name=f"skysaga-cluster-{cluster}-silent",
            alarm_description=with_runbook(self, what_to_do, "skysaga-cluster-name-silent"),
            metric=counted(REPORT_AGE, "Maximum", _MINUTE, cluster=cluster),
            threshold=seconds,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=3,
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
        ).add_alarm_action(actions.SnsAction(self.topic))

    def waiting(self, cluster: str, minutes: int, what_to_do: str) -> None:
        """Raise an alarm when tasks wait for a cluster for so long, and no slot that could take one becomes free."""
        names = {"waiting": "QueueDepth", "slots": "WorkerSlots", "taken": "WorkerSlotsInUse"}
        metrics = {name: counted(metric, "Minimum", _MINUTE, cluster=cluster) for name, metric in names.items()}
        cloudwatch.Alarm(
            self,
            f"{cluster}Waiting",
            alarm_name=f"skysaga-cluster-{cluster}-waiting",
            alarm_description=with_runbook(self, what_to_do, "skysaga-cluster-name-waiting"),
            metric=cloudwatch.MathExpression(
                expression="IF(waiting > 0 AND taken >= slots, waiting, 0)", using_metrics=metrics, period=_MINUTE
            ),
            threshold=0,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=minutes,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        ).add_alarm_action(actions.SnsAction(self.topic))

    def older(self, name: str, metric: str, seconds: int, what_to_do: str) -> None:
        """Raise an alarm when what a metric of ours measures every minute is above that, or nobody measures it."""
        cloudwatch.Alarm(
            self,
            name,
            alarm_name=f"skysaga-{_dashed(name)}",
            alarm_description=with_runbook(self, what_to_do, f"skysaga-{_dashed(name)}"),
            metric=counted(metric, "Maximum", _MINUTE),
            threshold=seconds,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=5,
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
            alarm_description=with_runbook(self, what_to_do, f"skysaga-{_dashed(name)}"),
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
