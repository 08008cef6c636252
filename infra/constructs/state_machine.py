"""A state machine from its file in `statemachines/`, published as a version that its alias `live` points to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from aws_cdk import ArnFormat, CfnElement, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.constructs.acknowledgment import acknowledge
from infra.constructs.function import Function
from infra.constructs.keys import OperationsKey
from infra.constructs.log_group import log_group
from infra.constructs.rollout import Rollout
from infra.permissions.clusters import QUEUE_PREFIX, sending_tasks

ALIAS: Final = "live"

_EVERY_VERSION: Final = "A version of a function goes on being called by the executions that started with it."


class PublishedStateMachine(Construct):
    """A standard state machine that may invoke `functions`, in any version, and nothing else unless it is granted.

    `substitutions` fill the `${...}` placeholders of the definition; a new version goes live as `rollout` says.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        definition: Path,
        substitutions: Mapping[str, str],
        functions: Iterable[Function],
        rollout: Rollout,
    ) -> None:
        super().__init__(scope, id)
        self._name = name
        functions = list(functions)
        self.machine: Final = sfn.StateMachine(
            self,
            "Machine",
            state_machine_name=name,
            state_machine_type=sfn.StateMachineType.STANDARD,
            definition_body=sfn.DefinitionBody.from_string(definition.read_text()),
            definition_substitutions=substitutions,
            tracing_enabled=True,
            logs=sfn.LogOptions(
                # this prefix keeps the log group out of CloudWatch's resource policy, which ends at 5,120 characters
                destination=log_group(self, "Log", f"/aws/vendedlogs/states/{name}"),
                level=sfn.LogLevel.ERROR,
                include_execution_data=False,
            ),
        )
        self.machine.add_to_role_policy(
            iam.PolicyStatement(
                sid="Steps",
                actions=["lambda:InvokeFunction"],
                resources=[function.every_version_arn for function in functions],
            )
        )
        self._version = self._publish()
        self._alias = self._point_alias(name, rollout)
        acknowledge(
            self,
            {
                "AwsSolutions-SF1": "Errors only and no data: inputs may hold secrets; the ledger has every event.",
                "AwsSolutions-IAM5[Resource::*]": "Log delivery and X-Ray have no resources to name.",
                **{_any_version_rule(function): _EVERY_VERSION for function in functions},
            },
        )

    @property
    def version_arn(self) -> str:
        """The version published from what is deployed."""
        return self._version.attr_arn

    @property
    def alias_arn(self) -> str:
        """What callers start: it stays the same from deployment to deployment."""
        return self._alias.attr_arn

    def start_permission(self, sid: str) -> iam.PolicyStatement:
        """Return leave to start executions; Step Functions authorizes aliases and versions by the machine's own ARN."""
        return iam.PolicyStatement(
            sid=sid, actions=["states:StartExecution"], resources=[self.machine.state_machine_arn]
        )

    def wake_permission(self, sid: str) -> iam.PolicyStatement:
        """Return leave to end tasks that wait with a token."""
        return iam.PolicyStatement(
            sid=sid, actions=["states:SendTaskSuccess"], resources=[self.machine.state_machine_arn]
        )

    def look_permission(self, sid: str, stack: Stack) -> iam.PolicyStatement:
        """Return leave to see how executions stand and what they put out, for a role of a stack that knows the name."""
        executions = stack.format_arn(
            service="states",
            resource="execution",
            resource_name=f"{self._name}:*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        return iam.PolicyStatement(
            sid=sid, actions=["states:DescribeExecution", "states:GetExecutionHistory"], resources=[executions]
        )

    @property
    def looking_accepted(self) -> Mapping[str, str]:
        """What cdk-nag says of `look_permission`, and the answer."""
        rule = f"arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:{self._name}:*"
        return {f"AwsSolutions-IAM5[Resource::{rule}]": "Nobody knows which executions there will be."}

    def let_run_batches(self) -> None:
        """Let executions start those of their Distributed Maps, and end them with themselves.

        The machine waits for its role's policy, so these name it without referring to it:
        https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html has executions as `NAME:*`,
        while the ARN of one of a Map begins with `NAME/LABEL:`.
        """
        of_batches = [self._arn("execution", f"{self._name}{separator}*") for separator in (":", "/")]
        for sid, actions, resources in (
            ("StartBatches", ["states:StartExecution"], [self._arn("stateMachine", self._name)]),
            ("WatchBatches", ["states:DescribeExecution", "states:StopExecution"], of_batches),
        ):
            self.machine.add_to_role_policy(iam.PolicyStatement(sid=sid, actions=actions, resources=resources))
        prefix = "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:"
        nobody_knows = "Nobody knows which executions there will be."
        acknowledge(self, {f"{prefix}{self._name}{separator}*]": nobody_knows for separator in (":", "/")})

    def _arn(self, resource: str, name: str) -> str:
        return Stack.of(self).format_arn(
            service="states", resource=resource, resource_name=name, arn_format=ArnFormat.COLON_RESOURCE_NAME
        )

    def let_send_tasks(self) -> None:
        """Let executions send tasks to the workers of clusters, whichever there are: `docs/decisions/0014`."""
        stack = Stack.of(self)
        for statement in sending_tasks(stack, OperationsKey.of(self)):
            self.machine.add_to_role_policy(statement)
        rule = f"arn:<AWS::Partition>:sqs:<AWS::Region>:<AWS::AccountId>:{QUEUE_PREFIX}*"
        acknowledge(self, {f"AwsSolutions-IAM5[Resource::{rule}]": "A cluster is added without touching the machine."})

    def _publish(self) -> sfn.CfnStateMachineVersion:
        machine = self.machine.node.default_child
        assert isinstance(machine, sfn.CfnStateMachine)  # noqa: S101 - what the construct is documented to hold
        version = sfn.CfnStateMachineVersion(
            self,
            "Version",
            state_machine_arn=machine.attr_arn,
            state_machine_revision_id=machine.attr_state_machine_revision_id,
        )
        # a version that executions are still running on outlives the deployment that replaces it
        version.apply_removal_policy(RemovalPolicy.RETAIN)
        return version

    def _point_alias(self, name: str, rollout: Rollout) -> sfn.CfnStateMachineAlias:
        return sfn.CfnStateMachineAlias(
            self,
            "Alias",
            name=ALIAS,
            deployment_preference=rollout.preference(name, self.machine.state_machine_arn, self._version.attr_arn),
        )


def _any_version_rule(function: Function) -> str:
    resource = function.lambda_function.node.default_child
    assert isinstance(resource, CfnElement)  # noqa: S101 - what the construct is documented to hold
    return f"AwsSolutions-IAM5[Resource::<{Stack.of(function).get_logical_id(resource)}.Arn>:*]"
