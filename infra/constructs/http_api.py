"""The HTTP API: its routes, who may call them, how often, and what is logged of a call."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.constructs.acknowledgment import acknowledge
from infra.constructs.log_group import log_group
from infra.settings import TokenIssuer

RATE_PER_SECOND: Final = 50
BURST: Final = 100
"""Of all callers together on one route: HTTP APIs know no limit for each of them."""

_COSTLY: Final = {"ThrottlingRateLimit": 5, "ThrottlingBurstLimit": 10}

_ACCESS_LOG: Final = {
    "requestId": "$context.requestId",
    "caller": "$context.identity.userArn",
    "issuer": "$context.authorizer.claims.iss",
    "subject": "$context.authorizer.claims.sub",
    "route": "$context.routeKey",
    "status": "$context.status",
    "latencyMs": "$context.responseLatency",
    "integrationError": "$context.integrationErrorMessage",
    "time": "$context.requestTime",
}


class Route(NamedTuple):
    """One route; `public` is open to everybody, and a `costly` one, which asks the clouds, to fewer calls a second."""

    method: apigateway.HttpMethod
    path: str
    public: bool = False
    costly: bool = False


class Authorizer(NamedTuple):
    """Who is let in, and with one of which scopes where there are any."""

    authorizer: apigateway.IHttpRouteAuthorizer
    scopes: tuple[str, ...] = ()


def signed_requests() -> Authorizer:
    """Let in whoever signs as somebody whom IAM allows execute-api:Invoke on the route."""
    return Authorizer(authorizers.HttpIamAuthorizer())


def tokens_of(issuer: TokenIssuer) -> Authorizer:
    """Let in whoever bears a token of an issuer."""
    audiences = list(issuer.audiences)
    return Authorizer(authorizers.HttpJwtAuthorizer("Tokens", issuer.url, jwt_audience=audiences), issuer.scopes)


class HttpApi(Construct):
    """An HTTP API that hands every one of `routes` to one function, and whatever else is asked, so that it says no.

    Who asks for something else has to be let in by the authorizer, too: nobody else can have the function run for it.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        handler: lambda_.IFunction,
        routes: Sequence[Route],
        authorizer: Authorizer,
    ) -> None:
        super().__init__(scope, id)
        self._api = apigateway.HttpApi(self, "Api", api_name=name, create_default_stage=False)
        # one permission for all routes: one per route would in time outgrow the function's resource policy of 20 KB
        integration = integrations.HttpLambdaIntegration("Handler", handler, scope_permission_to_route=False)
        costly: dict[str, apigateway.HttpRoute] = {}
        for route in routes:
            added = self._api.add_routes(
                path=route.path,
                methods=[route.method],
                integration=integration,
                authorizer=apigateway.HttpNoneAuthorizer() if route.public else authorizer.authorizer,
                authorization_scopes=list(authorizer.scopes) if authorizer.scopes and not route.public else None,
            )
            if route.public:
                acknowledge(
                    added[0], {"AwsSolutions-APIG4": "Says only that it is up, or what the API looks like, to anybody."}
                )
            if route.costly:
                costly[f"{route.method.value} {route.path}"] = added[0]
        apigateway.HttpRoute(
            self,
            "AnythingElse",
            http_api=self._api,
            route_key=apigateway.HttpRouteKey.DEFAULT,
            integration=integration,
            authorizer=authorizer.authorizer,
            authorization_scopes=list(authorizer.scopes) or None,
        )
        self._add_default_stage(name, costly)

    @property
    def id(self) -> str:
        """Its id, which its metrics carry."""
        return self._api.api_id

    @property
    def url(self) -> str:
        """Where it answers, without a trailing slash."""
        return self._api.api_endpoint

    def _add_default_stage(self, name: str, costly: Mapping[str, apigateway.HttpRoute]) -> None:
        log = log_group(self, "AccessLog", f"/aws/vendedlogs/apigateway/{name}")
        stage = apigateway.CfnStage(
            self,
            "DefaultStage",
            api_id=self._api.api_id,
            stage_name="$default",
            auto_deploy=True,
            access_log_settings=apigateway.CfnStage.AccessLogSettingsProperty(
                destination_arn=log.log_group_arn, format=json.dumps(_ACCESS_LOG)
            ),
            default_route_settings=apigateway.CfnStage.RouteSettingsProperty(
                throttling_rate_limit=RATE_PER_SECOND, throttling_burst_limit=BURST
            ),
            route_settings=dict.fromkeys(costly, _COSTLY) if costly else None,
        )
        # to CloudFormation the keys above are mere strings; API Gateway refuses those of routes that are not there yet
        stage.node.add_dependency(*costly.values())
