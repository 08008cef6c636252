"""Where costs are kept: a bucket with a file for every window, and the table that says where each window stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aws_cdk import Aws, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.constructs.acknowledgment import acknowledge, skip_checkov

WINDOWS: Final = "skysaga-windows"
BUCKET: Final = f"skysaga-costs-{Aws.ACCOUNT_ID}-{Aws.REGION}"
STAGING: Final = "staging/"
COSTS: Final = "costs/"
RESULTS: Final = "athena/"

_STAGED: Final = Duration.days(14)
_DAY: Final = Duration.days(1)
_REPLACED: Final = Duration.days(30)
"""How long what a window held before can be looked at; the ledger's table goes back as far."""

_STRING: Final = dynamodb.AttributeType.STRING
_NO_ACCESS_LOG: Final = (
    "Roles of ours and no others read it, each query is in the workgroup's history, and a log of every access "
    "would be another bucket that grows; turn on CloudTrail's data events where that is wanted."
)


class CostStore(Construct):
    """The bucket and the table, kept when their stack is destroyed: a source tells its past only for so long.

    They are called the same in every deployment, so that the API finds them without a reference that would have to go
    before they can. What a deployment that fails has just made goes with it.
    """

    def __init__(self, scope: Construct, id: str, *, key: kms.IKey) -> None:
        super().__init__(scope, id)
        self.bucket: Final = s3.Bucket(
            self,
            "Bucket",
            bucket_name=BUCKET,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=key,
            bucket_key_enabled=True,
            enforce_ssl=True,
            versioned=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            lifecycle_rules=[
                s3.LifecycleRule(id="staged", prefix=STAGING, expiration=_STAGED, noncurrent_version_expiration=_DAY),
                s3.LifecycleRule(id="results", prefix=RESULTS, expiration=_DAY, noncurrent_version_expiration=_DAY),
                s3.LifecycleRule(id="replaced", prefix=COSTS, noncurrent_version_expiration=_REPLACED),
                s3.LifecycleRule(
                    id="unfinished", abort_incomplete_multipart_upload_after=_DAY, expired_object_delete_marker=True
                ),
            ],
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        acknowledge(self.bucket, {"AwsSolutions-S1": _NO_ACCESS_LOG})
        skip_checkov(self.bucket, {"CKV_AWS_18": _NO_ACCESS_LOG})
        self.windows: Final = dynamodb.Table(
            self,
            "Windows",
            table_name=WINDOWS,
            partition_key=dynamodb.Attribute(name="pk", type=_STRING),
            sort_key=dynamodb.Attribute(name="sk", type=_STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )


def windows_access(stack: Stack, *, writing: bool) -> iam.PolicyStatement:
    """Return what it takes to read what is known of windows and sagas, or to write it where `writing`.

    Nothing is deleted. Who only reads shows many sagas at once. Whoever does either also needs the key, by `key_access`
    or as one who reads or writes the ledger.
    """
    further = ["dynamodb:PutItem", "dynamodb:UpdateItem"] if writing else ["dynamodb:BatchGetItem"]
    return iam.PolicyStatement(
        sid="Windows",
        actions=["dynamodb:GetItem", "dynamodb:Query", *further],
        resources=[stack.format_arn(service="dynamodb", resource="table", resource_name=WINDOWS)],
    )


def reading(stack: Stack, *prefixes: str) -> iam.PolicyStatement:
    """Return leave to read what is under some prefixes of the bucket."""
    return iam.PolicyStatement(sid="ReadCosts", actions=["s3:GetObject"], resources=_objects(stack, prefixes))


def writing(stack: Stack, *prefixes: str) -> iam.PolicyStatement:
    """Return leave to write under some prefixes of the bucket; what is replaced is kept for a while."""
    return iam.PolicyStatement(sid="WriteCosts", actions=["s3:PutObject"], resources=_objects(stack, prefixes))


def listing(stack: Stack, *prefixes: str) -> iam.PolicyStatement:
    """Return leave to list what is under some prefixes, and so to be told that something is not there."""
    return iam.PolicyStatement(
        sid="ListCosts",
        actions=["s3:ListBucket"],
        resources=[_bucket(stack)],
        conditions={"StringLike": {"s3:prefix": [f"{prefix}*" for prefix in prefixes]}},
    )


def key_access(stack: Stack, key: kms.IKey, services: Sequence[str], *, writing: bool) -> iam.PolicyStatement:
    """Return the use of the key through some services: to read by, and to write by where `writing`."""
    return iam.PolicyStatement(
        sid="CostsKey",
        actions=["kms:Decrypt", "kms:DescribeKey", *(["kms:Encrypt", "kms:GenerateDataKey"] if writing else [])],
        resources=[key.key_arn],
        conditions={"StringEquals": {"kms:ViaService": [f"{it}.{stack.region}.{stack.url_suffix}" for it in services]}},
    )


def accepted(*prefixes: str) -> dict[str, str]:
    """Return the answers to cdk-nag: objects are named after sources and windows."""
    rule = "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:s3:::skysaga-costs-<AWS::AccountId>-<AWS::Region>/{}*]"
    return {rule.format(prefix): "Objects are named after sources, reads and windows." for prefix in prefixes}


def _bucket(stack: Stack) -> str:
    return f"arn:{stack.partition}:s3:::{BUCKET}"


def _objects(stack: Stack, prefixes: Sequence[str]) -> list[str]:
    return [f"{_bucket(stack)}/{prefix}*" for prefix in prefixes]
