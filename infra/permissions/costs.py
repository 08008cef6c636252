"""What it takes to read costs from each cloud: they are looked at, and nothing is changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aws_cdk import Stack
from aws_cdk import aws_iam as iam

from infra.billing import AnySource, CostExplorer, DataExport, roles_of
from infra.permissions.targets import COSTS, entering
from infra.targets import DEFAULT, Targets

ACCEPTED: Final = {"AwsSolutions-IAM5[Resource::*]": "Costs of an account, and a token, have no resource to name."}


def reading_aws_costs(stack: Stack, sources: Sequence[AnySource], targets: Targets) -> list[iam.PolicyStatement]:
    """Return leave to read some sources of AWS: in this account by itself, in others by their targets' roles."""
    here = [it for it in sources if it.target == DEFAULT]
    exports = [(it.bucket, it.prefix) for it in here if isinstance(it, DataExport)]
    return [
        *([asking_cost_explorer()] if any(isinstance(it, CostExplorer) for it in here) else []),
        *reading_exports(stack.partition, exports),
        *entering(roles_of(sources, targets), COSTS),
    ]


def asking_cost_explorer() -> iam.PolicyStatement:
    """Return leave to ask what an account cost."""
    return iam.PolicyStatement(sid="AskCosts", actions=["ce:GetCostAndUsage"], resources=["*"])


def reading_exports(partition: str, exports: Sequence[tuple[str, str]]) -> list[iam.PolicyStatement]:
    """Return leave to list and read what Data Exports wrote, each into a bucket below a prefix."""
    if not exports:
        return []
    buckets = [f"arn:{partition}:s3:::{bucket}" for bucket, _ in exports]
    return [
        iam.PolicyStatement(sid="FindExports", actions=["s3:ListBucket"], resources=sorted(set(buckets))),
        iam.PolicyStatement(
            sid="ReadExports",
            actions=["s3:GetObject"],
            resources=sorted({f"arn:{partition}:s3:::{bucket}/{prefix}*" for bucket, prefix in exports}),
        ),
    ]


def accepted_exports(sources: Sequence[AnySource]) -> dict[str, str]:
    """Return the answers to cdk-nag: a Data Export names its files after its runs."""
    exports = [it for it in sources if isinstance(it, DataExport) and it.target == DEFAULT]
    return {
        f"AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:s3:::{it.bucket}/{it.prefix}*]": (
            "A Data Export names its files after its runs."
        )
        for it in exports
    }
