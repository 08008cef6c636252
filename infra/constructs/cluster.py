"""A cluster of a private cloud: the queue that its worker takes tasks from, its settings, and its alarms."""

from __future__ import annotations

from typing import Final

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from infra.constructs.acknowledgment import acknowledge
from infra.constructs.alarms import Alarms
from infra.constructs.keys import OperationsKey
from infra.permissions.clusters import QUEUE_PREFIX
from infra.private_clouds import DEAD, PrivateCloud

WORK_SECONDS: Final = 300
"""How long a function may work on one task before it hands it back; an agent has no such bound."""

SILENT_SECONDS: Final = 300
"""Five reports that did not come; at ten, nothing is placed on the cluster any more."""

WAITING_MINUTES: Final = 15
"""For so long a queue may be busy; a machine that nobody has finished an hour after it was placed has failed."""

_AGENT_HIDES: Final = Duration.seconds(90)
"""Of a task that an agent has taken, and says again and again that it still works on."""

_FUNCTION_HIDES: Final = Duration.seconds(WORK_SECONDS + 30)
"""Lambda wants no less than the function's timeout. Six times that, as is advised, is for functions that are throttled,
which the mapping's own maximum prevents; and a task that could not be answered would lie for half an hour."""

_TRIES: Final = 5

_KEPT: Final = Duration.days(2)
"""As long as a release may last; nobody waits for the answer to an older task."""

_DEAD_KEPT: Final = Duration.days(14)


class Cluster(Construct):
    """The cluster `name` of a private cloud, for its worker to know; sagas are in the ledger's `table`."""

    def __init__(
        self, scope: Construct, id: str, *, name: str, cloud: PrivateCloud, table: str, alarms: Alarms
    ) -> None:
        super().__init__(scope, id)
        self.name: Final = name
        self.concurrency: Final = cloud.clusters[name].concurrency
        on_lambda = cloud.worker == "lambda"
        dead = self._queue("DeadLetters", f"{QUEUE_PREFIX}{name}{DEAD}", retention_period=_DEAD_KEPT)
        self.queue: Final = self._queue(
            "Queue",
            f"{QUEUE_PREFIX}{name}",
            retention_period=_KEPT,
            visibility_timeout=_FUNCTION_HIDES if on_lambda else _AGENT_HIDES,
            dead_letter_queue=sqs.DeadLetterQueue(queue=dead, max_receive_count=_TRIES),
        )
        acknowledge(dead, {"AwsSolutions-SQS3": "It is the dead-letter queue."})
        ssm.CfnParameter(
            self,
            "Settings",
            name=settings_parameter(name),
            description=f"skysaga: the cluster {name}; declared by the deployment",
            type="String",
            tier="Standard",
            value=cloud.settings(name, self.queue.queue_url, table),
        )
        alarms.given_up(
            name,
            dead,
            f"Tasks for the cluster {name} were taken again and again and never answered: see the worker's log, then "
            "docs/clusters.md on what to do with them.",
        )
        alarms.silent(
            name,
            SILENT_SECONDS,
            f"The cluster {name} does not report, and soon takes nothing new: does its worker run, reach the server "
            "and AWS, and is its login accepted?",
        )

        alarms.waiting(
            name,
            WAITING_MINUTES,
            f"Tasks for the cluster {name} wait, and every slot of its worker has been taken all along, or nobody is "
            "there to take one.",
        )

    def _queue(
        self,
        id: str,
        name: str,
        *,
        retention_period: Duration,
        visibility_timeout: Duration | None = None,
        dead_letter_queue: sqs.DeadLetterQueue | None = None,
    ) -> sqs.Queue:
        return sqs.Queue(
            self,
            id,
            queue_name=name,
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=OperationsKey.of(self),
            enforce_ssl=True,
            retention_period=retention_period,
            visibility_timeout=visibility_timeout,
            dead_letter_queue=dead_letter_queue,
            removal_policy=RemovalPolicy.DESTROY,
        )


def settings_parameter(cluster: str) -> str:
    """Return the name of the SSM parameter with a cluster's settings."""
    return f"/skysaga/clusters/{cluster}"
