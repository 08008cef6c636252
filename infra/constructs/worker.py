"""Who works on the clusters of a private cloud: functions of ours, or an agent that is given leave."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final, NamedTuple

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.constructs.acknowledgment import acknowledge
from infra.constructs.calling import EVERY_MINUTE, NOT_REPEATED, Called
from infra.constructs.cluster import WORK_SECONDS, Cluster, settings_parameter
from infra.constructs.code import FunctionCode
from infra.constructs.function import Function
from infra.constructs.keys import OperationsKey
from infra.constructs.ledger import ledger_access, report_access
from infra.constructs.parameters import parameter_access
from infra.permissions.clusters import accepted_of_secret, answering_tasks, polled_tasks, reading_secret, taking_tasks
from infra.private_clouds import PrivateCloud

REPORT_SECONDS: Final = 55
"""The next report is due in a minute."""

_LEAST_CONCURRENCY: Final = 2
"""Of an event source mapping: "Configuring scaling behavior for SQS event source mappings", developer guide."""

_BY_QUEUE: Final = {
    "CKV_AWS_115": "The mapping of each queue bounds how many run; a share reserved is one taken away.",
    "CKV_AWS_116": "A task that fails goes back to its queue, and in the end to the queue's dead-letter queue.",
}
_BY_SCHEDULE: Final = {**NOT_REPEATED, "CKV_AWS_115": "One a minute is called; a share reserved is one taken away."}


class Surroundings(NamedTuple):
    """What workers of every cloud work with: the ledger, and the state machines, by ARN, whose tasks they answer."""

    ledger: dynamodb.ITable
    machines: Sequence[str]


class LambdaWorker(Construct):
    """A function that does what the queues of a cloud's clusters ask for, and one that reports on them every minute."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        cloud: PrivateCloud,
        clusters: Sequence[Cluster],
        code: FunctionCode,
        surroundings: Surroundings,
    ) -> None:
        super().__init__(scope, id)
        ledger = surroundings.ledger
        environment = {
            "LEDGER_TABLE": ledger.table_name,
            "CLUSTERS": json.dumps([it.name for it in clusters]),
        }
        knowing = _knowing(self, cloud, clusters)
        queues = [it.queue.queue_arn for it in clusters]
        work = Function(
            self,
            "Work",
            name=f"skysaga-{name}-work",
            description=f"Creates and removes machines on the clusters of {name}",
            handler=f"lambdas.{cloud.provider}.handler.work",
            code=code,
            environment=environment,
            permissions=[
                *polled_tasks(Stack.of(self), queues, OperationsKey.of(self)),
                *knowing,
                *ledger_access(ledger),
                answering_tasks(surroundings.machines),
            ],
            dependencies=cloud.provider,
            timeout=WORK_SECONDS,
            network=cloud.vpc,
            accepted=_BY_QUEUE,
        )
        for cluster in clusters:
            self._take_from(cluster, work)
        report = Function(
            self,
            "Report",
            name=f"skysaga-{name}-report",
            description=f"Reports what the clusters of {name} have, and what they hold of ours",
            handler=f"lambdas.{cloud.provider}.handler.report",
            code=code,
            environment=environment,
            permissions=[*knowing, *report_access(ledger, [it.name for it in clusters])],
            dependencies=cloud.provider,
            timeout=REPORT_SECONDS,
            network=cloud.vpc,
            accepted=_BY_SCHEDULE,
        )
        Called(self, "ReportSchedule", name=f"skysaga-{name}-report", function=report, rate=EVERY_MINUTE)
        acknowledge(self, accepted_of_secret(cloud.secret))

    def _take_from(self, cluster: Cluster, work: Function) -> None:
        lambda_.EventSourceMapping(
            self,
            f"{cluster.name}Tasks",
            target=work.version,
            event_source_arn=cluster.queue.queue_arn,
            batch_size=1,
            report_batch_item_failures=True,
            max_concurrency=max(_LEAST_CONCURRENCY, cluster.concurrency),
        )


class Agent(Construct):
    """A policy with what an agent needs, to be attached to whatever identity it has in AWS."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        cloud: PrivateCloud,
        clusters: Sequence[Cluster],
        surroundings: Surroundings,
    ) -> None:
        super().__init__(scope, id)
        queues = [it.queue.queue_arn for it in clusters]
        policy = iam.ManagedPolicy(
            self,
            "Policy",
            managed_policy_name=f"skysaga-{name}-agent",
            description=f"What the agent on the clusters of {name} may do",
            statements=[
                *taking_tasks(Stack.of(self), queues, OperationsKey.of(self)),
                *_knowing(self, cloud, clusters),
                *ledger_access(surroundings.ledger),  # reports are part of it
                answering_tasks(surroundings.machines),
            ],
        )
        acknowledge(self, accepted_of_secret(cloud.secret))
        CfnOutput(
            self,
            "Arn",
            value=policy.managed_policy_arn,
            description=f"Attach it to the identity of the agent on the clusters of {name}: docs/clusters.md",
        )


def _knowing(scope: Construct, cloud: PrivateCloud, clusters: Sequence[Cluster]) -> list[iam.PolicyStatement]:
    """Leave to read the clusters' settings and the login to their server."""
    stack = Stack.of(scope)
    return [
        parameter_access(stack, [settings_parameter(it.name) for it in clusters]),
        *reading_secret(stack, cloud.secret),
    ]
