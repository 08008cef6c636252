"""The way in: the HTTP API and the function behind it."""

from __future__ import annotations

from typing import Final

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk.aws_apigatewayv2 import HttpMethod
from constructs import Construct

from infra.constructs.code import FunctionCode
from infra.constructs.function import Function
from infra.constructs.http_api import HttpApi, Route
from infra.constructs.ledger import ledger_access
from infra.constructs.state_machine import PublishedStateMachine
from infra.packaging.bundles import Bundles

ROUTES: Final = (
    Route(HttpMethod.GET, "/healthz", public=True),
    Route(HttpMethod.POST, "/sagas"),
    Route(HttpMethod.GET, "/sagas"),
    Route(HttpMethod.GET, "/sagas/{id}"),
    Route(HttpMethod.DELETE, "/sagas/{id}"),
    Route(HttpMethod.GET, "/sagas/{id}/events"),
    Route(HttpMethod.POST, "/sagas/{id}/cancel"),
    Route(HttpMethod.POST, "/sagas/{id}/resume"),
)


class ApiStack(Stack):
    """The API, which writes to the ledger and starts the two state machines."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        ledger: dynamodb.ITable,
        provisioning: PublishedStateMachine,
        release: PublishedStateMachine,
        bundles: Bundles,
    ) -> None:
        super().__init__(scope, id, description="skysaga: the HTTP API")
        handler = Function(
            self,
            "Handler",
            name="skysaga-api",
            description="Answers the HTTP API",
            handler="lambdas.api.handler.handler",
            code=FunctionCode(self, "Code", bundles),
            environment={
                "LEDGER_TABLE": ledger.table_name,
                "PROVISIONING_STATE_MACHINE": provisioning.alias_arn,
                "RELEASE_STATE_MACHINE": release.alias_arn,
            },
            permissions=[
                *ledger_access(ledger, listing=True),
                provisioning.start_permission("StartProvisioning"),
                release.start_permission("StartRelease"),
            ],
        )
        api = HttpApi(self, "Http", name="skysaga", handler=handler.version, routes=ROUTES)
        CfnOutput(self, "ApiUrl", value=api.url, description="Where the API answers; sign requests for execute-api")
