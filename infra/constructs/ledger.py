"""The ledger: one table of headers, resources and events, the only thing the status API reads."""

from __future__ import annotations

from typing import Final

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from constructs import Construct

BY_STATUS: Final = "by-status"
BY_CALLER: Final = "by-caller"

_STRING: Final = dynamodb.AttributeType.STRING


class Ledger(Construct):
    """The table, kept when its stack is destroyed: it is the only list of what was created in other people's clouds."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        self.table: Final = dynamodb.Table(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name="pk", type=_STRING),
            sort_key=dynamodb.Attribute(name="sk", type=_STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.AWS_MANAGED,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=True,
            removal_policy=RemovalPolicy.RETAIN,
        )
        for index, key in ((BY_STATUS, "status"), (BY_CALLER, "caller")):
            self.table.add_global_secondary_index(
                index_name=index,
                partition_key=dynamodb.Attribute(name=key, type=_STRING),
                sort_key=dynamodb.Attribute(name="id", type=_STRING),
                projection_type=dynamodb.ProjectionType.ALL,
            )


def ledger_access(table: dynamodb.ITable, *, listing: bool = False, writing: bool = True) -> list[iam.PolicyStatement]:
    """Return what it takes to read sagas, to write to them unless not `writing`, and to list them where `listing`.

    Nothing here may delete: the ledger forgets nothing. A transaction needs no action but those of its parts.
    """
    actions = ["dynamodb:GetItem", "dynamodb:Query"]
    if writing:
        actions += ["dynamodb:PutItem", "dynamodb:UpdateItem"]
    ledger = iam.PolicyStatement(sid="Ledger", actions=actions, resources=[table.table_arn])
    index = iam.PolicyStatement(
        sid="LedgerIndex",
        actions=["dynamodb:Query"],
        resources=[f"{table.table_arn}/index/{index}" for index in (BY_CALLER, BY_STATUS)],
    )
    return [ledger, index] if listing else [ledger]
