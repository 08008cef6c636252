"""Who may put events on the account's bus, and what the bus hands them on as."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

EVENT_SOURCE: Final = "skysaga"


def telling(stack: Stack, sid: str) -> iam.PolicyStatement:
    """Return leave to put our events, and nobody else's, on the account's own bus."""
    return iam.PolicyStatement(
        sid=sid,
        actions=["events:PutEvents"],
        resources=[stack.format_arn(service="events", resource="event-bus", resource_name="default")],
        conditions={"StringEquals": {"events:source": EVENT_SOURCE}},
    )


def publishing(stack: Stack, topic: str, key: kms.IKey) -> list[iam.PolicyStatement]:
    """Return leave to publish to a topic, given by ARN, with its key."""
    return [
        iam.PolicyStatement(sid="Publish", actions=["sns:Publish"], resources=[topic]),
        _through(stack, "sns", key),
    ]


def sending(stack: Stack, queues: Sequence[str], key: kms.IKey) -> list[iam.PolicyStatement]:
    """Return leave to send to queues, given by ARN, with their key."""
    return [
        iam.PolicyStatement(sid="Send", actions=["sqs:SendMessage"], resources=list(queues)),
        _through(stack, "sqs", key),
    ]


def putting_off(queues: Sequence[str]) -> iam.PolicyStatement:
    """Return leave to say when a message of queues, given by ARN, is to be seen again."""
    actions = ["sqs:ChangeMessageVisibility", "sqs:GetQueueUrl"]
    return iam.PolicyStatement(sid="PutOff", actions=actions, resources=list(queues))


def _through(stack: Stack, service: str, key: kms.IKey) -> iam.PolicyStatement:
    """Both uses of the key are wanted from whoever sends."""
    return iam.PolicyStatement(
        sid=f"Key{service.capitalize()}",
        actions=["kms:Decrypt", "kms:GenerateDataKey"],
        resources=[key.key_arn],
        conditions={"StringEquals": {"kms:ViaService": f"{service}.{stack.region}.{stack.url_suffix}"}},
    )
