"""What passes between the state machines and the workers of private clusters, and what a worker signs in with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aws_cdk import Arn, ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

QUEUE_PREFIX: Final = "skysaga-cluster-"
"""How the names of all clusters' queues begin: by it executions may send to those that do not exist yet."""


def sending_tasks(stack: Stack, key: kms.IKey) -> list[iam.PolicyStatement]:
    """Return leave to send to any cluster's queue; SQS wants both uses of the key from whoever sends."""
    queues = stack.format_arn(service="sqs", resource=f"{QUEUE_PREFIX}*")
    return [
        iam.PolicyStatement(sid="SendTasks", actions=["sqs:SendMessage"], resources=[queues]),
        _queue_key(stack, key, ["kms:Decrypt", "kms:GenerateDataKey"]),
    ]


def taking_tasks(stack: Stack, queues: Sequence[str], key: kms.IKey) -> list[iam.PolicyStatement]:
    """Return leave to take tasks from queues, given by ARN, and to say how long they stay hidden from others."""
    actions = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage"]
    return [
        iam.PolicyStatement(sid="TakeTasks", actions=actions, resources=list(queues)),
        _queue_key(stack, key, ["kms:Decrypt"]),
    ]


def polled_tasks(stack: Stack, queues: Sequence[str], key: kms.IKey) -> list[iam.PolicyStatement]:
    """Return leave for Lambda to take tasks in a function's name; from "Execution role permissions", SQS."""
    actions = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
    return [
        iam.PolicyStatement(sid="PollTasks", actions=actions, resources=list(queues)),
        _queue_key(stack, key, ["kms:Decrypt"]),
    ]


def answering_tasks(machines: Sequence[str]) -> iam.PolicyStatement:
    """Return leave to answer tasks of state machines, given by ARN, and to say that one is still worked on."""
    return iam.PolicyStatement(
        sid="AnswerTasks",
        actions=["states:SendTaskFailure", "states:SendTaskHeartbeat", "states:SendTaskSuccess"],
        resources=list(machines),
    )


def reading_secret(stack: Stack, secret: str, sid: str = "Secret") -> list[iam.PolicyStatement]:
    """Return leave to read one secret, given by name or ARN, whichever key of its account it is encrypted with.

    The key is used through Secrets Manager and for this secret only: "Secret encryption and decryption", user guide.
    """
    by_name = stack.format_arn(
        service="secretsmanager",
        resource="secret",
        resource_name=f"{secret}-??????",  # Secrets Manager adds six characters to the name
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )
    arn = secret if _is_arn(secret) else by_name
    return [
        iam.PolicyStatement(sid=sid, actions=["secretsmanager:GetSecretValue"], resources=[arn]),
        iam.PolicyStatement(
            sid=f"{sid}Key",
            actions=["kms:Decrypt"],
            resources=[_any_key(stack, secret)],
            conditions={
                "StringEquals": {"kms:ViaService": f"secretsmanager.{stack.region}.{stack.url_suffix}"},
                "StringLike": {"kms:EncryptionContext:SecretARN": arn},
            },
        ),
    ]


def accepted_of_secret(secret: str) -> dict[str, str]:
    """Return the answer to cdk-nag: which key a secret has is decided where it is made."""
    account = Arn.split(secret, ArnFormat.COLON_RESOURCE_NAME).account if _is_arn(secret) else "<AWS::AccountId>"
    rule = f"AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:kms:<AWS::Region>:{account}:key/*]"
    return {rule: "Whoever makes the secret chooses its key; the condition allows it for this secret only."}


def _any_key(stack: Stack, secret: str) -> str:
    account = Arn.split(secret, ArnFormat.COLON_RESOURCE_NAME).account if _is_arn(secret) else None
    return stack.format_arn(service="kms", account=account, resource="key", resource_name="*")


def _queue_key(stack: Stack, key: kms.IKey, actions: list[str]) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid="QueueKey",
        actions=actions,
        resources=[key.key_arn],
        conditions={"StringEquals": {"kms:ViaService": f"sqs.{stack.region}.{stack.url_suffix}"}},
    )


def _is_arn(secret: str) -> bool:
    return secret.startswith("arn:")
