"""A queue for what nobody could deal with, and an alarm while something lies in it."""

from __future__ import annotations

from typing import Final

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.constructs.acknowledgment import acknowledge
from infra.constructs.alarms import Alarms
from infra.constructs.keys import OperationsKey

_KEPT: Final = Duration.days(14)


def dead_letters(
    scope: Construct, id: str, *, name: str, alarms: Alarms, alarm: str, what_to_do: str, section: str = ""
) -> sqs.Queue:
    """Make the queue `name` and its `alarm`; what lies in it is kept as long as SQS keeps anything.

    The runbook's `section` is named like the alarm if left out.
    """
    queue = sqs.Queue(
        scope,
        id,
        queue_name=name,
        encryption=sqs.QueueEncryption.KMS,
        encryption_master_key=OperationsKey.of(scope),
        enforce_ssl=True,
        retention_period=_KEPT,
        removal_policy=RemovalPolicy.DESTROY,
    )
    acknowledge(queue, {"AwsSolutions-SQS3": "It is the dead-letter queue."})
    alarms.lying(alarm, alarm, queue, what_to_do, section)
    return queue
