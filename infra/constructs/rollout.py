"""How a new version of a state machine goes live: a share of what starts, and back at once when an alarm goes off.

CloudFormation moves the alias (`AWS::StepFunctions::StateMachineAlias DeploymentPreference`); the first deployment,
which has nothing to go back to, is not slowed. Why these numbers: docs/decisions/0010.
"""

from __future__ import annotations

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.constructs.metrics import counted
from infra.constructs.runbooks import with_runbook

PERCENTAGE: Final = 20
MINUTES: Final = 10

_MINUTE: Final = Duration.minutes(1)


class Rollout(Construct):
    """One for all state machines of a stack; `gradual` False moves them at once and looks at no alarm."""

    def __init__(self, scope: Construct, id: str, *, gradual: bool) -> None:
        super().__init__(scope, id)
        self._gradual = gradual
        self._everywhere: list[cloudwatch.Alarm] = []

    def stop_at_unforeseen_errors(self) -> None:
        """Stop when a step ended in an error that no step raises: sagas are undone then, and no execution fails."""
        broken = counted("StepsBroken", "Sum", _MINUTE)
        self._everywhere.append(
            self._alarm("StepsBroken", "skysaga-rollout-steps-broken", broken, "A step broke: see the functions' logs.")
        )

    def preference(
        self, name: str, machine_arn: str, version_arn: str
    ) -> sfn.CfnStateMachineAlias.DeploymentPreferenceProperty:
        """Return how the alias of the state machine `name` moves to a version."""
        failing = self._alarm(
            f"{name}Fails",
            f"{name}-rollout-fails",
            _failures(machine_arn),
            "Executions fail: a rollout under way goes back to the version before.",
        )
        if not self._gradual:
            return sfn.CfnStateMachineAlias.DeploymentPreferenceProperty(
                type="ALL_AT_ONCE", state_machine_version_arn=version_arn
            )
        return sfn.CfnStateMachineAlias.DeploymentPreferenceProperty(
            type="CANARY",
            percentage=PERCENTAGE,
            interval=MINUTES,
            alarms=[alarm.alarm_name for alarm in (failing, *self._everywhere)],
            state_machine_version_arn=version_arn,
        )

    def _alarm(self, id: str, name: str, metric: cloudwatch.IMetric, meaning: str) -> cloudwatch.Alarm:
        """It notifies nobody: whoever deploys sees the roll-back, and what else fails has alarms of its own."""
        return cloudwatch.Alarm(
            self,
            id,
            alarm_name=name,
            alarm_description=with_runbook(self, meaning, name),
            metric=metric,
            threshold=0,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )


def _failures(machine_arn: str) -> cloudwatch.IMetric:
    """Aborted ones are left out: that is a person's doing, not a version's."""
    ended = {
        name: cloudwatch.Metric(
            namespace="AWS/States",
            metric_name=metric,
            dimensions_map={"StateMachineArn": machine_arn},
            statistic="Sum",
            period=_MINUTE,
        )
        for name, metric in (("failed", "ExecutionsFailed"), ("late", "ExecutionsTimedOut"))
    }
    total = " + ".join(f"FILL({name}, 0)" for name in ended)
    return cloudwatch.MathExpression(expression=total, using_metrics=ended, period=_MINUTE)
