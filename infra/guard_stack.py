"""What watches over sagas: the rescue of those whose execution ended badly, the hourly sweep, and the alarms."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from infra.constructs.acknowledgment import acknowledge
from infra.constructs.alarms import Alarms
from infra.constructs.code import FunctionCode
from infra.constructs.function import Function
from infra.constructs.ledger import ledger_access
from infra.constructs.parameters import parameter_access, target_environment, target_parameter
from infra.constructs.rollout import Rollout
from infra.constructs.starter import Starter
from infra.constructs.state_machine import PublishedStateMachine
from infra.packaging.bundles import Bundles
from infra.permissions.azure import token_for_azure
from infra.permissions.ec2 import listing
from infra.permissions.targets import SWEEP, VERB_VARIABLE, entering
from infra.rescue import INPUT_PATHS, INPUT_TEMPLATE, rescue_pattern
from infra.settings import CLOUDS, PRIVATE_CLOUDS, Settings
from infra.targets import Targets

SWEEP_SECONDS: Final = 120
"""A look at a whole cloud takes longer than a step; the sweep's tasks wait for 150 s."""

_DESCRIBING: Final = {"AwsSolutions-IAM5[Resource::*]": "What only describes, and a token, have no resource to name."}


class GuardStack(Stack):
    """Nothing here is needed while all goes well; `definitions` is the folder of the state machines' files."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        ledger: dynamodb.ITable,
        provisioning: PublishedStateMachine,
        release: PublishedStateMachine,
        bundles: Bundles,
        settings: Settings,
        targets: Targets,
        definitions: Path,
    ) -> None:
        super().__init__(scope, id, description="skysaga: rescue, sweep and alarms")
        self._ledger = ledger
        self._settings = settings
        self._targets = targets
        self._release = release
        self._code = FunctionCode(self, "Code", bundles)
        self._add_rescue(provisioning)
        self.sweep: Final = self._add_sweep(definitions)
        self._add_schedule(self.sweep)
        self.alarms: Final = self._add_alarms(self.sweep)

    def _add_rescue(self, provisioning: PublishedStateMachine) -> None:
        starter = Starter(
            self,
            "Rescue",
            service="events.amazonaws.com",
            description="Undoes sagas whose execution ended badly",
            machine_arn=self._release.machine.state_machine_arn,
        )
        events.CfnRule(
            self,
            "RescueRule",
            name="skysaga-rescue",
            description="An execution that is aborted, times out or fails runs no Catch: this undoes its saga",
            event_pattern=rescue_pattern(provisioning.machine.state_machine_arn),
            targets=[
                events.CfnRule.TargetProperty(
                    id="Release",
                    arn=self._release.alias_arn,
                    role_arn=starter.role.role_arn,
                    input_transformer=events.CfnRule.InputTransformerProperty(
                        input_paths_map=INPUT_PATHS, input_template=INPUT_TEMPLATE
                    ),
                )
            ],
        )

    def _add_sweep(self, definitions: Path) -> PublishedStateMachine:
        looks = {cloud: self._add_look(cloud) for cloud in CLOUDS}
        arns = {cloud: function.version.function_arn for cloud, function in looks.items()}
        steps = Function(
            self,
            "SweepSteps",
            name="skysaga-sweep",
            description="The sweep: what the ledger says, and what follows from all that was found",
            handler="lambdas.sweep.handler.handler",
            code=self._code,
            environment={
                "LEDGER_TABLE": self._ledger.table_name,
                "SWEEP_FUNCTIONS": json.dumps(arns),
                **target_environment(),
                **self._settings.patience,
            },
            permissions=[
                *ledger_access(self._ledger, listing=True),
                parameter_access(self, [target_parameter(cloud) for cloud in CLOUDS]),
            ],
            timeout=SWEEP_SECONDS,
        )
        sweep = PublishedStateMachine(
            self,
            "Sweep",
            name="skysaga-sweep",
            definition=definitions / "sweep.asl.json",
            substitutions={
                "SweepFunction": steps.version.function_arn,
                "ReleaseStateMachine": self._release.alias_arn,
            },
            functions=[steps, *looks.values()],
            rollout=Rollout(self, "Rollout", gradual=self._settings.gradual),
        )
        sweep.machine.add_to_role_policy(self._release.start_permission("StartRelease"))
        CfnOutput(self, "SweepStateMachine", value=sweep.alias_arn, description="Start it with {} or {dry_run: true}")
        return sweep

    def _add_look(self, cloud: str) -> Function:
        return self._add_look_at_reports(cloud) if cloud in PRIVATE_CLOUDS else self._add_look_at_cloud(cloud)

    def _add_look_at_reports(self, cloud: str) -> Function:
        """A private cloud is out of reach from here; what its clusters hold, they report to the ledger."""
        return Function(
            self,
            f"{cloud.capitalize()}Sweep",
            name=f"skysaga-{cloud}-sweep",
            description=f"Compares what the clusters of a target on {cloud} report with the ledger",
            handler=f"lambdas.placement.handler.sweep_{cloud}",
            code=self._code,
            environment={"LEDGER_TABLE": self._ledger.table_name, **target_environment([cloud])},
            permissions=[
                *ledger_access(self._ledger, writing=False, clusters=True),
                parameter_access(self, [target_parameter(cloud)]),
            ],
            timeout=SWEEP_SECONDS,
        )

    def _add_look_at_cloud(self, cloud: str) -> Function:
        function = Function(
            self,
            f"{cloud.capitalize()}Sweep",
            name=f"skysaga-{cloud}-sweep",
            description=f"Lists everything of ours in a target on {cloud} and compares it with the ledger",
            handler=f"lambdas.{cloud}.handler.sweep",
            code=self._code,
            environment={
                "LEDGER_TABLE": self._ledger.table_name,
                **({VERB_VARIABLE: SWEEP} if cloud == "aws" else {}),
                **target_environment([cloud]),
                **self._settings.environment(cloud, "sweep"),
            },
            permissions=[
                *ledger_access(self._ledger, writing=False),
                parameter_access(self, [target_parameter(cloud)]),
                *self._listing(cloud),
            ],
            dependencies=cloud,
            memory=512,
            timeout=SWEEP_SECONDS,
        )
        acknowledge(function, _DESCRIBING)
        if cloud != "aws":
            function.put_out_role(f"{cloud.capitalize()}SweepRole")
        return function

    def _listing(self, cloud: str) -> Sequence[iam.PolicyStatement]:
        return {"aws": [listing(), *entering(self._targets.roles, SWEEP)], "azure": [token_for_azure()]}.get(cloud, [])

    def _add_schedule(self, sweep: PublishedStateMachine) -> None:
        starter = Starter(
            self,
            "Schedule",
            service="scheduler.amazonaws.com",
            description="Starts the hourly sweep",
            machine_arn=sweep.machine.state_machine_arn,
        )
        scheduler.CfnSchedule(
            self,
            "SweepSchedule",
            name="skysaga-sweep",
            schedule_expression="rate(1 hour)",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=sweep.alias_arn, role_arn=starter.role.role_arn, input=json.dumps({"dry_run": False})
            ),
        )

    def _add_alarms(self, sweep: PublishedStateMachine) -> Alarms:
        alarms = Alarms(self, "Alarms")
        alarms.above_zero(
            "SagasNeedAttention",
            "SagasNeedingAttention",
            "Something could not be removed: GET /sagas?status=NEEDS_ATTENTION names it; mend the cause, then resume.",
        )
        alarms.above_zero(
            "SweepFoundOrphans",
            "SweepOrphans",
            "Something outlived its saga and is being released; the sweep's output lists it. Find out why.",
        )
        alarms.above_zero(
            "SweepFoundUnknown",
            "SweepUnknown",
            "Something carries our mark and no saga of this ledger knows it: the sweep lists it, and never deletes it.",
        )
        alarms.failing(
            "ReleasesFail",
            self._release.machine.state_machine_arn,
            "A release ended badly; the sweep takes its saga up when it has been silent for two hours.",
        )
        alarms.failing("SweepFails", sweep.machine.state_machine_arn, "A sweep could not look everywhere.")
        alarms.missing(
            "SweepMissing", sweep.machine.state_machine_arn, "The hourly sweep has not come to an end lately."
        )
        return alarms
