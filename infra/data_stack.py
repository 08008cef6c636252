"""What must outlive everything else: the ledger."""

from __future__ import annotations

from typing import Final

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from infra.constructs.ledger import Ledger


class DataStack(Stack):
    """The tables; destroying the stack leaves them."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id, description="skysaga: the ledger")
        self.ledger: Final[dynamodb.ITable] = Ledger(self, "Ledger").table
        CfnOutput(self, "LedgerTable", value=self.ledger.table_name, description="The ledger's DynamoDB table")
