"""What must outlive everything else, the ledger; keys that the others need first; what may change without them."""

from __future__ import annotations

from typing import Final

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from infra.constructs.keys import LedgerKey, OperationsKey
from infra.constructs.ledger import Ledger
from infra.constructs.parameters import Parameters
from infra.private_clouds import PrivateClouds
from infra.settings import Settings
from infra.targets import Targets


class DataStack(Stack):
    """The tables and their key, which stay when the stack is destroyed; the other key, targets and grants, which go."""

    def __init__(
        self, scope: Construct, id: str, *, targets: Targets, private_clouds: PrivateClouds, settings: Settings
    ) -> None:
        super().__init__(scope, id, description="skysaga: the ledger, keys, targets and grants")
        Parameters(self, "Parameters", targets=targets, private_clouds=private_clouds, settings=settings)
        self.ledger: Final[dynamodb.ITable] = Ledger(self, "Ledger", key=LedgerKey(self, "LedgerKey").key).table
        OperationsKey(self)
        CfnOutput(self, "LedgerTable", value=self.ledger.table_name, description="The ledger's DynamoDB table")
