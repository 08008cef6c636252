"""What Lambda needs to attach a function to a VPC, in the function's name."""

from __future__ import annotations

from typing import Final

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam

_LOOKING: Final = ("ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets")
_MANAGING: Final = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:UnassignPrivateIpAddresses",
)

ACCEPTED: Final = {
    "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ec2:<AWS::Region>:<AWS::AccountId>:*/*]": (
        "Lambda makes the interfaces and chooses their ids; the function itself is denied what is allowed for Lambda."
    )
}


def attaching(stack: Stack, function: str) -> list[iam.PolicyStatement]:
    """Return leave for Lambda to manage network interfaces, and none for the code of the function of that name.

    From "Giving Lambda functions access to resources in an Amazon VPC", developer guide: Lambda wants the actions for
    all resources of the account, and says which function it is only where the function itself calls.
    """
    own = stack.format_arn(
        service="lambda", resource="function", resource_name=function, arn_format=ArnFormat.COLON_RESOURCE_NAME
    )
    return [
        iam.PolicyStatement(sid="LookIntoVpc", actions=list(_LOOKING), resources=["*"]),
        iam.PolicyStatement(
            sid="AttachToVpc",
            actions=list(_MANAGING),
            resources=[stack.format_arn(service="ec2", resource="*", resource_name="*")],
        ),
        iam.PolicyStatement(
            sid="OnlyByLambda",
            effect=iam.Effect.DENY,
            actions=[*_LOOKING, *_MANAGING],
            resources=["*"],
            conditions={"ArnEquals": {"lambda:SourceFunctionArn": own}},
        ),
    ]
