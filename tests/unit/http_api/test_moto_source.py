"""What is read inside moto is what its API Gateway v2 says is deployed: the guard for the pinned version."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from local.http_api.deployed import JwtAuthorizer
from local.http_api.moto_source import MotoHttpApiSource
from tests.unit.http_api.apis import FUNCTION


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield boto3.client("apigatewayv2", "us-east-1")


def test_routes_integrations_and_stages_read_as_the_api_describes_them(gateway: Any) -> None:
    api_id = gateway.create_api(Name="sagas", ProtocolType="HTTP")["ApiId"]
    integration = gateway.create_integration(
        ApiId=api_id,
        IntegrationType="AWS_PROXY",
        IntegrationUri=FUNCTION,
        PayloadFormatVersion="2.0",
        TimeoutInMillis=5000,
    )
    target = f"integrations/{integration['IntegrationId']}"
    gateway.create_route(ApiId=api_id, RouteKey="GET /sagas/{id}", Target=target, AuthorizationType="AWS_IAM")
    gateway.create_route(ApiId=api_id, RouteKey="GET /healthz", Target=target)
    gateway.create_stage(ApiId=api_id, StageName="$default", StageVariables={"color": "blue"})
    api = MotoHttpApiSource().find(api_id)
    assert api is not None
    assert (api.account, api.region) == ("123456789012", "us-east-1")
    assert [(route.key, route.authorization) for route in api.routes] == [
        ("GET /sagas/{id}", "AWS_IAM"),
        ("GET /healthz", "NONE"),
    ]
    read = api.routes[0].integration
    assert read is not None
    assert (read.kind, read.function, read.payload_format, read.timeout) == ("AWS_PROXY", FUNCTION, "2.0", 5.0)
    assert api.stages == {"$default": {"color": "blue"}}


def test_a_change_is_seen_at_the_next_request(gateway: Any) -> None:
    api_id = gateway.create_api(Name="sagas", ProtocolType="HTTP")["ApiId"]
    source = MotoHttpApiSource()
    gateway.create_route(ApiId=api_id, RouteKey="$default")
    api = source.find(api_id)
    assert api is not None
    assert [(route.key, route.integration) for route in api.routes] == [("$default", None)]
    gateway.delete_api(ApiId=api_id)
    assert source.find(api_id) is None


def test_only_http_apis_of_the_asked_region_are_found(gateway: Any) -> None:
    websocket = gateway.create_api(Name="w", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action")
    elsewhere = boto3.client("apigatewayv2", "eu-west-1").create_api(Name="e", ProtocolType="HTTP")
    source = MotoHttpApiSource()
    assert source.find(websocket["ApiId"]) is None
    assert source.find(elsewhere["ApiId"]) is None
    assert source.find(elsewhere["ApiId"], "eu-west-1") is not None


def test_a_route_for_tokens_reads_with_its_issuer_audiences_and_scopes(gateway: Any) -> None:
    api_id = gateway.create_api(Name="sagas", ProtocolType="HTTP")["ApiId"]
    authorizer = gateway.create_authorizer(
        ApiId=api_id,
        AuthorizerType="JWT",
        Name="tokens",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Issuer": "https://id.example", "Audience": ["skysaga", "another"]},
    )
    gateway.create_route(
        ApiId=api_id,
        RouteKey="GET /sagas",
        AuthorizationType="JWT",
        AuthorizerId=authorizer["AuthorizerId"],
        AuthorizationScopes=["sagas:read"],
    )
    api = MotoHttpApiSource().find(api_id)
    assert api is not None
    (route,) = api.routes
    assert (route.authorization, route.scopes) == ("JWT", ("sagas:read",))
    assert route.authorizer == JwtAuthorizer("https://id.example", ("skysaga", "another"))
