"""What the AWS provider may do in EC2, in any region of this account.

Everything it creates carries the saga's mark from the first moment, and it changes or deletes nothing without it.
Resource types and condition keys per action: "Actions, resources, and condition keys for Amazon EC2", AWS's service
authorization reference.
"""

from __future__ import annotations

from typing import Final

from aws_cdk import Stack
from aws_cdk import aws_iam as iam

from infra.permissions.verbs import Permissions

MARK: Final = "skysaga-saga"

_MARK_REQUESTED: Final = {"Null": {f"aws:RequestTag/{MARK}": "false"}}
_MARK_PRESENT: Final = {"Null": {f"aws:ResourceTag/{MARK}": "false"}}
_DESCRIBE: Final = (
    "ec2:DescribeAddresses",
    "ec2:DescribeImages",
    "ec2:DescribeInstances",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DescribeVolumes",
)


def ec2_permissions(stack: Stack) -> Permissions:
    """Return the statements of each verb, for the account that `stack` is deployed to."""
    return {"create": [_look(), *_create(stack)], "observe": [_look()], "delete": [_look(), *_delete(stack)]}


def _look() -> iam.PolicyStatement:
    return iam.PolicyStatement(sid="Look", actions=list(_DESCRIBE), resources=["*"])


def _create(stack: Stack) -> list[iam.PolicyStatement]:
    return [
        iam.PolicyStatement(
            sid="LaunchMarked",
            actions=["ec2:RunInstances"],
            resources=_owned(stack, "instance", "network-interface", "volume"),
            conditions=_MARK_REQUESTED,
        ),
        iam.PolicyStatement(
            sid="LaunchFrom",
            actions=["ec2:RunInstances"],
            resources=[*_owned(stack, "key-pair", "security-group", "subnet"), *_shared(stack, "image", "snapshot")],
        ),
        iam.PolicyStatement(
            sid="CreateMarked",
            actions=["ec2:CreateVolume", "ec2:AllocateAddress"],
            resources=_owned(stack, "elastic-ip", "volume"),
            conditions=_MARK_REQUESTED,
        ),
        iam.PolicyStatement(
            sid="MarkOnlyWhatIsBeingCreated",
            actions=["ec2:CreateTags"],
            resources=_owned(stack, "elastic-ip", "instance", "network-interface", "volume"),
            conditions={
                "StringEquals": {"ec2:CreateAction": ["RunInstances", "CreateVolume", "AllocateAddress"]},
            },
        ),
        iam.PolicyStatement(
            sid="JoinMarked",
            actions=["ec2:AssociateAddress", "ec2:AttachVolume"],
            resources=_owned(stack, "elastic-ip", "instance", "network-interface", "volume"),
            conditions=_MARK_PRESENT,
        ),
    ]


def _delete(stack: Stack) -> list[iam.PolicyStatement]:
    return [
        iam.PolicyStatement(
            sid="RemoveMarked",
            actions=[
                "ec2:DeleteNetworkInterface",
                "ec2:DeleteVolume",
                "ec2:ReleaseAddress",
                "ec2:TerminateInstances",
            ],
            resources=_owned(stack, "elastic-ip", "instance", "network-interface", "volume"),
            conditions=_MARK_PRESENT,
        )
    ]


def _owned(stack: Stack, *types: str) -> list[str]:
    return [f"arn:{stack.partition}:ec2:*:{stack.account}:{type_}/*" for type_ in types]


def _shared(stack: Stack, *types: str) -> list[str]:
    return [f"arn:{stack.partition}:ec2:*::{type_}/*" for type_ in types]
