"""What must outlive everything else, the ledger and costs; keys that the others need; what may change without them."""

from __future__ import annotations

from typing import Final

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.billing import Billing
from infra.constructs.costs import CostStore
from infra.constructs.keys import LedgerKey, OperationsKey
from infra.constructs.ledger import Ledger
from infra.constructs.parameters import BillingParameters, Parameters
from infra.private_clouds import PrivateClouds
from infra.settings import Settings
from infra.targets import Targets


class DataStack(Stack):
    """The ledger, costs and their key, which stay when the stack is destroyed; another key and parameters, which go."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        targets: Targets,
        private_clouds: PrivateClouds,
        billing: Billing,
        settings: Settings,
    ) -> None:
        super().__init__(scope, id, description="skysaga: the ledger, keys, targets and grants")
        Parameters(self, "Parameters", targets=targets, private_clouds=private_clouds, settings=settings)
        key = LedgerKey(self, "LedgerKey").key
        self.ledger: Final[dynamodb.ITable] = Ledger(self, "Ledger", key=key).table
        OperationsKey(self)
        CfnOutput(self, "LedgerTable", value=self.ledger.table_name, description="The ledger's DynamoDB table")
        if billing.sources:
            self._add_costs(billing, key)

    def _add_costs(self, billing: Billing, key: kms.IKey) -> None:
        BillingParameters(self, "Billing", billing=billing)
        store = CostStore(self, "Costs", key=key)
        CfnOutput(self, "CostsBucket", value=store.bucket.bucket_name, description="Costs, a Parquet file a window")
