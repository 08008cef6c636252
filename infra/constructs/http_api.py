"""The HTTP API: its routes, who may call them, how often, and what is logged of a call."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final, NamedTuple

from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.constructs.acknowledgment import acknowledge
from infra.constructs.log_group import log_group

RATE_PER_SECOND: Final = 50
BURST: Final = 100

_ACCESS_LOG: Final = {
    "requestId": "$context.requestId",
    "caller": "$context.identity.userArn",
    "route": "$context.routeKey",
    "status": "$context.status",
    "latencyMs": "$context.responseLatency",
    "integrationError": "$context.integrationErrorMessage",
    "time": "$context.requestTime",
}


class Route(NamedTuple):
    """One route; `public` needs no signature, every other one is authorized by IAM."""

    method: apigateway.HttpMethod
    path: str
    public: bool = False


class HttpApi(Construct):
    """An HTTP API that hands every one of `routes` to one function."""

    def __init__(
        self, scope: Construct, id: str, *, name: str, handler: lambda_.IFunction, routes: Sequence[Route]
    ) -> None:
        super().__init__(scope, id)
        self._api = apigateway.HttpApi(self, "Api", api_name=name, create_default_stage=False)
        # one permission for all routes: one per route would in time outgrow the function's resource policy of 20 KB
        integration = integrations.HttpLambdaIntegration("Handler", handler, scope_permission_to_route=False)
        iam_authorizer = authorizers.HttpIamAuthorizer()
        for route in routes:
            added = self._api.add_routes(
                path=route.path,
                methods=[route.method],
                integration=integration,
                authorizer=apigateway.HttpNoneAuthorizer() if route.public else iam_authorizer,
            )
            if route.public:
                acknowledge(
                    added[0], {"AwsSolutions-APIG4": "Says only that it is up, or what the API looks like, to anybody."}
                )
        self._add_default_stage(name)

    @property
    def url(self) -> str:
        """Where it answers, without a trailing slash."""
        return self._api.api_endpoint

    def _add_default_stage(self, name: str) -> None:
        log = log_group(self, "AccessLog", f"/aws/vendedlogs/apigateway/{name}")
        apigateway.CfnStage(
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
        )
