"""What the AWS provider may do in EC2, in any region of this account.

Everything it creates carries the saga's mark from the first moment, and it changes or deletes nothing without it.
Resource types and condition keys per action: "Actions, resources, and condition keys for Amazon EC2", AWS's service
authorization reference.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aws_cdk import Stack
from aws_cdk import aws_iam as iam

from infra.permissions.targets import entering
from infra.permissions.verbs import Permissions

MARK: Final = "skysaga-saga"

_MARK_REQUESTED: Final = {"Null": {f"aws:RequestTag/{MARK}": "false"}}
_MARK_PRESENT: Final = {"Null": {f"aws:ResourceTag/{MARK}": "false"}}
_FINDING: Final = "AwsSolutions-IAM5[Resource::{}]"
_ANY_OF_OURS: Final = "EC2 chooses the id and the request the region; the condition demands our mark."
_ANY_TO_LAUNCH_FROM: Final = "A request names what it launches from; nothing of it is changed."
_ACCEPTED: Final = {
    _FINDING.format("*"): "What only describes has no resource to name.",
    _FINDING.format("arn:<AWS::Partition>:ec2:*:<AWS::AccountId>:instance/*"): _ANY_OF_OURS,
    _FINDING.format("arn:<AWS::Partition>:ec2:*:<AWS::AccountId>:network-interface/*"): _ANY_OF_OURS,
    _FINDING.format("arn:<AWS::Partition>:ec2:*:<AWS::AccountId>:volume/*"): _ANY_OF_OURS,
    _FINDING.format("arn:<AWS::Partition>:ec2:*:<AWS::AccountId>:security-group/*"): _ANY_TO_LAUNCH_FROM,
    _FINDING.format("arn:<AWS::Partition>:ec2:*:<AWS::AccountId>:subnet/*"): _ANY_TO_LAUNCH_FROM,
    _FINDING.format("arn:<AWS::Partition>:ec2:*::image/*"): _ANY_TO_LAUNCH_FROM,
    _FINDING.format(
        "arn:<AWS::Partition>:servicequotas:*:<AWS::AccountId>:ec2/*"
    ): "Only reads, in the request's region.",
}
_LOOK: Final = ("ec2:DescribeInstances", "ec2:DescribeNetworkInterfaces", "ec2:DescribeVolumes")


def ec2_permissions(stack: Stack, roles: Sequence[str] = ()) -> Permissions:
    """Return the statements of each verb, for the account that `stack` is deployed to; `roles` lead to others."""
    look = iam.PolicyStatement(sid="Look", actions=list(_LOOK), resources=["*"])
    return Permissions(
        {
            "create": [look, *_launch(stack), *_create(stack), *entering(roles, "create")],
            "observe": [look, *entering(roles, "observe")],
            "delete": [look, _remove(stack), *entering(roles, "delete")],
            "check": [look, *_launch(stack), *_check(stack), *entering(roles, "check")],
        },
        _ACCEPTED,
    )


def listing() -> iam.PolicyStatement:
    """Return leave to list what there is, in every region: the sweep changes nothing."""
    return iam.PolicyStatement(sid="List", actions=[*_LOOK, "ec2:DescribeRegions"], resources=["*"])


def _launch(stack: Stack) -> list[iam.PolicyStatement]:
    """Return leave to launch; IAM has no smaller one for a dry run, which is refused where a launch would be."""
    return [
        iam.PolicyStatement(sid="LookUpBootDevice", actions=["ec2:DescribeImages"], resources=["*"]),
        iam.PolicyStatement(
            sid="LaunchMarked",
            actions=["ec2:RunInstances"],
            resources=_in_account(stack, "instance", "network-interface", "volume"),
            conditions=_MARK_REQUESTED,
        ),
        iam.PolicyStatement(
            sid="LaunchFrom",
            actions=["ec2:RunInstances"],
            resources=[
                *_in_account(stack, "security-group", "subnet"),
                f"arn:{stack.partition}:ec2:*::image/*",
            ],
        ),
        iam.PolicyStatement(
            sid="MarkOnlyWhatIsBeingCreated",
            actions=["ec2:CreateTags"],
            resources=_in_account(stack, "instance", "network-interface", "volume"),
            conditions={"StringEquals": {"ec2:CreateAction": ["RunInstances", "CreateVolume"]}},
        ),
    ]


def _check(stack: Stack) -> list[iam.PolicyStatement]:
    return [
        iam.PolicyStatement(
            sid="LookUpSizesAndPrices",
            actions=["ec2:DescribeImages", "ec2:DescribeInstanceTypes", "pricing:GetProducts"],
            resources=["*"],
        ),
        iam.PolicyStatement(
            sid="LookUpQuotas",
            actions=["servicequotas:GetServiceQuota"],
            resources=[f"arn:{stack.partition}:servicequotas:*:{stack.account}:ec2/*"],
        ),
    ]


def _create(stack: Stack) -> list[iam.PolicyStatement]:
    return [
        iam.PolicyStatement(
            sid="CreateMarked",
            actions=["ec2:CreateVolume"],
            resources=_in_account(stack, "volume"),
            conditions=_MARK_REQUESTED,
        ),
        iam.PolicyStatement(
            sid="AttachMarked",
            actions=["ec2:AttachVolume"],
            resources=_in_account(stack, "instance", "volume"),
            conditions=_MARK_PRESENT,
        ),
    ]


def _remove(stack: Stack) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid="RemoveMarked",
        actions=["ec2:DeleteNetworkInterface", "ec2:DeleteVolume", "ec2:TerminateInstances"],
        resources=_in_account(stack, "instance", "network-interface", "volume"),
        conditions=_MARK_PRESENT,
    )


def _in_account(stack: Stack, *types: str) -> list[str]:
    return [f"arn:{stack.partition}:ec2:*:{stack.account}:{type_}/*" for type_ in types]
