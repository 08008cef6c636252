"""What must outlive everything else, the ledger, and the keys that the other stacks need first."""

from __future__ import annotations

from typing import Final

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from infra.constructs.keys import LedgerKey, OperationsKey
from infra.constructs.ledger import Ledger


class DataStack(Stack):
    """The tables and their key, which stay when the stack is destroyed, and the key of logs and alarms, which goes."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id, description="skysaga: the ledger and the keys")
        self.ledger: Final[dynamodb.ITable] = Ledger(self, "Ledger", key=LedgerKey(self, "LedgerKey").key).table
        OperationsKey(self)
        CfnOutput(self, "LedgerTable", value=self.ledger.table_name, description="The ledger's DynamoDB table")
