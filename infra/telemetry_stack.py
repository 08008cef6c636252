"""What is measured of the whole, what it promises, and where people look at it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aws_cdk import Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.constructs.acknowledgment import acknowledge
from infra.constructs.alarms import Alarms
from infra.constructs.burn_rate import BurnRate, objectives
from infra.constructs.calling import EVERY_MINUTE, NOT_REPEATED, Called
from infra.constructs.code import FunctionCode
from infra.constructs.costs import WINDOWS, windows_access
from infra.constructs.dashboard import OperationsDashboard
from infra.constructs.function import Function
from infra.constructs.ledger import ledger_access
from infra.constructs.log_queries import LogQueries
from infra.constructs.parameters import SOURCES, parameter_access
from infra.objectives import Objectives
from infra.packaging.bundles import Bundles
from infra.permissions.clusters import QUEUE_PREFIX

GAUGES: Final = "skysaga-gauges"

_ANY_QUEUE: Final = (
    f"AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:sqs:<AWS::Region>:<AWS::AccountId>:{QUEUE_PREFIX}*]"
)


class TelemetryStack(Stack):
    """One deployment's telemetry, beside what it is about: without it everything works, and nobody knows how well.

    It is made after all other stacks, since saved queries look through the logs of their functions.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        ledger: dynamodb.ITable,
        topic: sns.ITopic,
        api_ids: Sequence[str],
        clusters: bool,
        costs: bool,
        bundles: Bundles,
    ) -> None:
        super().__init__(scope, id, description="skysaga: gauges, objectives, dashboard and saved queries")
        declared = Objectives.from_context(self)
        self._add_gauges(ledger, FunctionCode(self, "Code", bundles), clusters=clusters, costs=costs)
        Alarms(self, "Alarms", topic).older(
            "SagaOverdue",
            "OldestUnfinishedSaga",
            declared.within,
            "A saga has been under way for longer than is promised, or skysaga-gauges does not measure.",
        )
        promised = objectives(declared)
        for it in promised:
            BurnRate(self, it.name.capitalize(), objective=it, least=declared.least, topic=topic)
        OperationsDashboard(self, "Dashboard", objectives=promised, api_ids=api_ids, clusters=clusters, costs=costs)
        LogQueries(self, "Queries")

    def _add_gauges(self, ledger: dynamodb.ITable, code: FunctionCode, *, clusters: bool, costs: bool) -> None:
        """Whoever works on clusters, it is here that they are measured: an agent may write no metric of ours."""
        gauges = Function(
            self,
            "Gauges",
            name=GAUGES,
            description="Measures how long sagas take, how full queues are and how old costs are",
            handler="lambdas.gauges.handler.handler",
            code=code,
            environment={
                "LEDGER_TABLE": ledger.table_name,
                **({"SOURCES_PARAMETER": SOURCES, "WINDOWS_TABLE": WINDOWS} if costs else {}),
            },
            permissions=[
                *ledger_access(ledger, writing=False, listing=True, clusters=True),
                *([self._asking_queues()] if clusters else ()),
                *([windows_access(self, writing=False), parameter_access(self, [SOURCES])] if costs else ()),
            ],
            accepted=NOT_REPEATED,
        )
        if clusters:
            acknowledge(gauges, {_ANY_QUEUE: "A cluster is added without touching it."})
        Called(self, "GaugesSchedule", name=GAUGES, function=gauges, rate=EVERY_MINUTE)

    def _asking_queues(self) -> iam.PolicyStatement:
        queues = self.format_arn(service="sqs", resource=f"{QUEUE_PREFIX}*")
        return iam.PolicyStatement(sid="AskQueues", actions=["sqs:GetQueueAttributes"], resources=[queues])
