"""The ledger: one table of headers, resources and events, the only thing the status API reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

BY_STATUS: Final = "by-status"
BY_CALLER: Final = "by-caller"
BY_HOME: Final = "by-home"

_STRING: Final = dynamodb.AttributeType.STRING

_INDEXES: Final = {BY_STATUS: ("status", "id"), BY_CALLER: ("caller", "id"), BY_HOME: ("home", "until")}
"""Their partition and sort keys; what has neither is in none."""


class Ledger(Construct):
    """The table, kept when its stack is destroyed: it is the only list of what was created in other people's clouds."""

    def __init__(self, scope: Construct, id: str, *, key: kms.IKey) -> None:
        super().__init__(scope, id)
        self.table: Final = dynamodb.Table(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name="pk", type=_STRING),
            sort_key=dynamodb.Attribute(name="sk", type=_STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
            deletion_protection=True,
            removal_policy=RemovalPolicy.RETAIN,
        )
        for index, (partition, sort) in _INDEXES.items():
            self.table.add_global_secondary_index(
                index_name=index,
                partition_key=dynamodb.Attribute(name=partition, type=_STRING),
                sort_key=dynamodb.Attribute(name=sort, type=_STRING),
                projection_type=dynamodb.ProjectionType.ALL,
            )


def ledger_access(
    table: dynamodb.ITable,
    *,
    listing: bool = False,
    writing: bool = True,
    clusters: bool = False,
    history: bool = False,
) -> list[iam.PolicyStatement]:
    """Return what it takes to read sagas, to write to them unless not `writing`, and to list them where `listing`.

    Whoever reads or writes does so with the table's key, and may use it through DynamoDB only. What is claimed of all
    `clusters` is read at once; with `history`, what machines there were on them is listed.

    Nothing here may delete: the ledger forgets nothing. A transaction needs no action but those of its parts, and none
    of ours checks an item that it does not write.
    """
    actions = ["dynamodb:GetItem", "dynamodb:Query"]
    if writing:
        actions += ["dynamodb:PutItem", "dynamodb:UpdateItem"]
    if clusters:
        actions.append("dynamodb:BatchGetItem")
    ledger = iam.PolicyStatement(sid="Ledger", actions=actions, resources=[table.table_arn])
    key = _through_dynamodb(table, writing=writing)
    indexes = [*((BY_CALLER, BY_STATUS) if listing else ()), *((BY_HOME,) if history else ())]
    index = iam.PolicyStatement(
        sid="LedgerIndex",
        actions=["dynamodb:Query"],
        resources=[f"{table.table_arn}/index/{index}" for index in indexes],
    )
    return [ledger, key, index] if indexes else [ledger, key]


def stream_access(table: dynamodb.ITable) -> list[iam.PolicyStatement]:
    """Return leave for Lambda to read the table's stream in a function's name; its records have the table's key."""
    assert table.table_stream_arn is not None  # noqa: S101 - the construct above sees to it
    return [
        iam.PolicyStatement(
            sid="LedgerStream",
            actions=["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
            resources=[table.table_stream_arn],
        ),
        iam.PolicyStatement(sid="Streams", actions=["dynamodb:ListStreams"], resources=["*"]),
    ]


def report_access(table: dynamodb.ITable, clusters: Sequence[str]) -> list[iam.PolicyStatement]:
    """Return what it takes to write what some clusters report of themselves: how they are, and what they hold of ours.

    It does not allow to read anything, nor to write anything else; `lambdas/adapters/clusters.py` has the partitions.
    """
    partitions = ["CLUSTERS", *(f"MACHINES#{cluster}" for cluster in clusters)]
    reports = iam.PolicyStatement(
        sid="Reports",
        actions=["dynamodb:PutItem"],
        resources=[table.table_arn],
        conditions={
            "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": partitions},
            "Null": {"dynamodb:LeadingKeys": "false"},  # ForAllValues alone holds when the key is missing
        },
    )
    return [reports, _through_dynamodb(table, writing=True)]


def _through_dynamodb(table: dynamodb.ITable, *, writing: bool) -> iam.PolicyStatement:
    assert table.encryption_key is not None  # noqa: S101 - the construct above sees to it
    stack = Stack.of(table)
    reading = ["kms:Decrypt", "kms:DescribeKey"]
    return iam.PolicyStatement(
        sid="LedgerKey",
        actions=[*reading, "kms:Encrypt", "kms:GenerateDataKey"] if writing else reading,
        resources=[table.encryption_key.key_arn],
        conditions={"StringEquals": {"kms:ViaService": f"dynamodb.{stack.region}.{stack.url_suffix}"}},
    )
