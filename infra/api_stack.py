"""The way in: the HTTP API and the function behind it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk.aws_apigatewayv2 import HttpMethod
from constructs import Construct

from infra.constructs.acknowledgment import acknowledge
from infra.constructs.code import FunctionCode
from infra.constructs.cost_queries import query_environment, querying
from infra.constructs.costs import COSTS, RESULTS, WINDOWS, accepted, key_access, windows_access
from infra.constructs.function import Function
from infra.constructs.http_api import HttpApi, Route, signed_requests, tokens_of
from infra.constructs.ledger import ledger_access
from infra.constructs.parameters import GRANTS, SOURCES, parameter_access, target_environment, target_parameter
from infra.constructs.state_machine import PublishedStateMachine
from infra.packaging.bundles import Bundles
from infra.settings import CLOUDS, TokenIssuer

ROUTES: Final = (
    Route(HttpMethod.GET, "/healthz", public=True),
    Route(HttpMethod.GET, "/openapi.json", public=True),
    Route(HttpMethod.POST, "/plans", costly=True),
    Route(HttpMethod.POST, "/sagas"),
    Route(HttpMethod.GET, "/sagas"),
    Route(HttpMethod.GET, "/sagas/{id}"),
    Route(HttpMethod.DELETE, "/sagas/{id}"),
    Route(HttpMethod.GET, "/sagas/{id}/events"),
    Route(HttpMethod.POST, "/sagas/{id}/approve"),
    Route(HttpMethod.POST, "/sagas/{id}/cancel"),
    Route(HttpMethod.POST, "/sagas/{id}/resume"),
    Route(HttpMethod.GET, "/costs", costly=True),
    Route(HttpMethod.GET, "/clusters"),
    Route(HttpMethod.PUT, "/clusters/{name}/drain"),
    Route(HttpMethod.DELETE, "/clusters/{name}/drain"),
    Route(HttpMethod.POST, "/sweeps", costly=True),
    Route(HttpMethod.GET, "/sweeps/{id}"),
)

CONSOLE_ROUTES: Final = (
    Route(HttpMethod.GET, "/console", public=True),
    Route(HttpMethod.GET, "/console/{file+}", public=True),
)
"""The console's page, which says nothing of any saga until somebody has signed in."""


class ApiStack(Stack):
    """The API, which writes to the ledger, starts the three state machines and asks the clouds for shortages.

    It calls the `checks` by the functions' own ARNs: those of their versions change with every deployment, and what one
    stack takes from another must not. Where `costs` are collected it asks for them, by names that are always the same.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        ledger: dynamodb.ITable,
        provisioning: PublishedStateMachine,
        release: PublishedStateMachine,
        sweep: PublishedStateMachine,
        checks: Mapping[str, Function],
        bundles: Bundles,
        token_issuer: TokenIssuer | None = None,
        costs: bool = False,
    ) -> None:
        super().__init__(scope, id, description="skysaga: the HTTP API")
        functions = {cloud: check.lambda_function.function_arn for cloud, check in checks.items()}
        handler = Function(
            self,
            "Handler",
            name="skysaga-api",
            description="Answers the HTTP API",
            handler="lambdas.api.handler.handler",
            code=FunctionCode(self, "Code", bundles),
            environment={
                "CHECK_FUNCTIONS": json.dumps(functions),
                "GRANTS_PARAMETER": GRANTS,
                "LEDGER_TABLE": ledger.table_name,
                "PROVISIONING_STATE_MACHINE": provisioning.alias_arn,
                "RELEASE_STATE_MACHINE": release.alias_arn,
                "SWEEP_STATE_MACHINE": sweep.alias_arn,
                **target_environment(),
                **_sign_in(token_issuer),
                **({"SOURCES_PARAMETER": SOURCES, "WINDOWS_TABLE": WINDOWS, **query_environment()} if costs else {}),
            },
            permissions=[
                *ledger_access(ledger, listing=True, clusters=True),
                parameter_access(
                    self, [GRANTS, *(target_parameter(cloud) for cloud in CLOUDS), *([SOURCES] if costs else ())]
                ),
                provisioning.start_permission("StartProvisioning"),
                provisioning.wake_permission("WakeProvisioning"),
                release.start_permission("StartRelease"),
                sweep.start_permission("StartSweep"),
                sweep.look_permission("LookAtSweeps", self),
                iam.PolicyStatement(sid="Check", actions=["lambda:InvokeFunction"], resources=list(functions.values())),
                *(self._asking_for_costs(ledger) if costs else ()),
            ],
        )
        acknowledge(handler, sweep.looking_accepted)
        if costs:
            acknowledge(handler, accepted(COSTS, RESULTS))
        api = HttpApi(
            self, "Http", name="skysaga", handler=handler.version, routes=ROUTES, authorizer=signed_requests()
        )
        self.api_ids: Final = [api.id]
        CfnOutput(self, "ApiUrl", value=api.url, description="Where the API answers; sign requests for execute-api")
        if token_issuer is not None:
            self._add_token_api(handler, token_issuer)

    def _asking_for_costs(self, ledger: dynamodb.ITable) -> list[iam.PolicyStatement]:
        """Return leave to query costs, and to read how fresh they are with the key that the ledger is read with."""
        assert ledger.encryption_key is not None  # noqa: S101 - DataStack sees to it
        return [
            windows_access(self, writing=False),
            *querying(self),
            key_access(self, ledger.encryption_key, ("s3",), writing=True),
        ]

    def _add_token_api(self, handler: Function, issuer: TokenIssuer) -> None:
        """Add the same routes under a second address: a route has one authorizer, and one address is not both."""
        api = HttpApi(
            self,
            "TokenHttp",
            name="skysaga-token",
            handler=handler.version,
            routes=(*ROUTES, *(CONSOLE_ROUTES if issuer.client_id else ())),
            authorizer=tokens_of(issuer),
        )
        self.api_ids.append(api.id)
        CfnOutput(self, "TokenApiUrl", value=api.url, description=f"Where the API takes tokens of {issuer.url}")
        if issuer.client_id:
            CfnOutput(self, "ConsoleUrl", value=f"{api.url}/console", description="The console, for who can sign in")


def _sign_in(issuer: TokenIssuer | None) -> dict[str, str]:
    """Return what the function must be told to serve the console; nothing where it does not."""
    if issuer is None or not issuer.client_id:
        return {}
    document = {"issuer": issuer.url, "client_id": issuer.client_id, "scopes": list(issuer.scopes)}
    return {"CONSOLE_SIGN_IN": json.dumps(document)}
