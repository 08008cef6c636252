"""Private clusters: their queues, settings and alarms, and whoever works on them."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.constructs.alarms import Alarms
from infra.constructs.cluster import Cluster
from infra.constructs.code import FunctionCode
from infra.constructs.state_machine import PublishedStateMachine
from infra.constructs.worker import Agent, LambdaWorker, Surroundings
from infra.packaging.bundles import Bundles
from infra.private_clouds import PrivateCloud, PrivateClouds


class ClustersStack(Stack):
    """One deployment's private clouds; why they are a stack of their own says `docs/decisions/0014`."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        ledger: dynamodb.ITable,
        provisioning: PublishedStateMachine,
        release: PublishedStateMachine,
        topic: sns.ITopic,
        private_clouds: PrivateClouds,
        bundles: Bundles,
    ) -> None:
        super().__init__(scope, id, description="skysaga: private clusters and their workers")
        self._surroundings = Surroundings(
            ledger, [machine.machine.state_machine_arn for machine in (provisioning, release)]
        )
        self._code = FunctionCode(self, "Code", bundles)
        self._alarms = Alarms(self, "Alarms", topic)
        for name, cloud in private_clouds.by_name.items():
            self._add(name, cloud)

    def _add(self, name: str, cloud: PrivateCloud) -> None:
        within = Construct(self, name)
        table = self._surroundings.ledger.table_name
        clusters = [
            Cluster(within, it, name=it, cloud=cloud, table=table, alarms=self._alarms) for it in cloud.clusters
        ]
        if cloud.worker == "agent":
            Agent(within, "Agent", name=name, cloud=cloud, clusters=clusters, surroundings=self._surroundings)
        else:
            LambdaWorker(
                within,
                "Worker",
                name=name,
                cloud=cloud,
                clusters=clusters,
                code=self._code,
                surroundings=self._surroundings,
            )
