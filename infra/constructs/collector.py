"""A function that reads sources of some kinds, page by page, for as long as it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.constructs.acknowledgment import acknowledge
from infra.constructs.code import FunctionCode
from infra.constructs.costs import BUCKET, STAGING, WINDOWS, accepted, key_access, windows_access, writing
from infra.constructs.function import Function
from infra.constructs.parameters import SOURCES, parameter_access
from infra.permissions.clusters import answering_tasks

LONGEST_SECONDS: Final = 900
"""Of any function on Lambda."""

_MEMORY_MB: Final = 512

_BY_TOKEN: Final = {
    "CKV_AWS_115": "One is called for each source, and a lease in the table of windows keeps others away.",
    "CKV_AWS_116": "A heartbeat that is missed calls it again; what it was called with is of no use any more.",
}


class Collector(Construct):
    """The function `name`, which answers tasks of a `machine`, given by name, and calls itself when its time is up.

    Both are known by name: the machine calls this very function. `parameters` are those it reads besides the sources,
    `permissions` is what it may do at its cloud, and `accepted` why wildcards in that are accepted.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        description: str,
        handler: str,
        code: FunctionCode,
        machine: str,
        key: kms.IKey,
        dependencies: str,
        environment: Mapping[str, str],
        parameters: Sequence[str],
        permissions: Sequence[iam.PolicyStatement],
        accepted_wildcards: Mapping[str, str],
    ) -> None:
        super().__init__(scope, id)
        stack = Stack.of(self)
        self.function: Final = Function(
            self,
            "Function",
            name=name,
            description=description,
            handler=handler,
            code=code,
            environment={
                "COSTS_BUCKET": BUCKET,
                "SOURCES_PARAMETER": SOURCES,
                "WINDOWS_TABLE": WINDOWS,
                **environment,
            },
            permissions=[
                windows_access(stack, writing=True),
                writing(stack, STAGING),
                key_access(stack, key, ("dynamodb", "s3"), writing=True),
                parameter_access(stack, [SOURCES, *parameters]),
                answering_tasks([_named(stack, "states", "stateMachine", machine)]),
                iam.PolicyStatement(
                    sid="HandOver",
                    actions=["lambda:InvokeFunction"],
                    resources=[_named(stack, "lambda", "function", f"{name}:*")],
                ),
                *permissions,
            ],
            dependencies=dependencies,
            memory=_MEMORY_MB,
            timeout=LONGEST_SECONDS,
            impatient=True,
            accepted=_BY_TOKEN,
        )
        itself = f"arn:<AWS::Partition>:lambda:<AWS::Region>:<AWS::AccountId>:function:{name}:*"
        acknowledge(
            self,
            {
                **accepted(STAGING),
                f"AwsSolutions-IAM5[Resource::{itself}]": "It goes on as the version that it is.",
                **accepted_wildcards,
            },
        )


def _named(stack: Stack, service: str, resource: str, name: str) -> str:
    return stack.format_arn(
        service=service, resource=resource, resource_name=name, arn_format=ArnFormat.COLON_RESOURCE_NAME
    )
