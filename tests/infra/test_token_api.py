"""The second API, which a deployment that names an issuer has: the same routes, for tokens."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.settings import Settings, TokenIssuer
from tests.infra.conftest import EVERYTHING
from tests.infra.template import Template, text

ISSUER = EVERYTHING["jwt_issuer"]


@pytest.fixture(name="both", scope="module")
def _both(deployed: Path) -> Template:
    return Template(deployed / "SkysagaApi.template.json")


def routes(template: Template, authorization: str) -> set[str]:
    return {
        it["RouteKey"]
        for it in template.properties("AWS::ApiGatewayV2::Route")
        if it["AuthorizationType"] == authorization
    }


def test_without_an_issuer_there_is_none(api: Template) -> None:
    assert len(api.resources("AWS::ApiGatewayV2::Api")) == 1
    assert not routes(api, "JWT")
    assert "TokenApiUrl" not in api.outputs


def test_it_takes_tokens_where_the_other_takes_signatures(both: Template) -> None:
    assert routes(both, "JWT") == routes(both, "AWS_IAM")
    assert routes(both, "NONE") == {"GET /healthz", "GET /openapi.json", "GET /console", "GET /console/{file+}"}
    assert both.outputs["TokenApiUrl"]["Value"] != both.outputs["ApiUrl"]["Value"]


def test_a_token_is_the_issuers_for_one_of_the_audiences_and_has_a_scope(both: Template) -> None:
    authorizer = both.only("AWS::ApiGatewayV2::Authorizer")["Properties"]

    assert authorizer["AuthorizerType"] == "JWT"
    assert authorizer["IdentitySource"] == ["$request.header.Authorization"]
    assert authorizer["JwtConfiguration"] == {"Issuer": ISSUER, "Audience": ["skysaga", "another"]}
    for route in both.properties("AWS::ApiGatewayV2::Route"):
        assert route.get("AuthorizationScopes") == (["sagas"] if route["AuthorizationType"] == "JWT" else None)


def test_it_serves_the_console_and_says_where_to_sign_in(both: Template, api: Template) -> None:
    environment = both.functions()["skysaga-api"]["Environment"]["Variables"]

    assert json.loads(environment["CONSOLE_SIGN_IN"]) == {"issuer": ISSUER, "client_id": "console", "scopes": ["sagas"]}
    assert text(both.outputs["ConsoleUrl"]["Value"]).endswith("/console")
    assert "CONSOLE_SIGN_IN" not in api.functions()["skysaga-api"]["Environment"]["Variables"]
    assert "ConsoleUrl" not in api.outputs


def test_both_are_throttled_and_logged_alike_each_to_its_own_log(both: Template) -> None:
    first, second = both.properties("AWS::ApiGatewayV2::Stage")
    same = ("DefaultRouteSettings", "RouteSettings", "AutoDeploy", "StageName")

    assert [first[it] for it in same] == [second[it] for it in same]
    assert first["AccessLogSettings"]["Format"] == second["AccessLogSettings"]["Format"]
    assert first["AccessLogSettings"]["DestinationArn"] != second["AccessLogSettings"]["DestinationArn"]


def test_only_these_two_may_invoke_the_function(both: Template) -> None:
    permissions = both.properties("AWS::Lambda::Permission")
    apis = set(both.resources("AWS::ApiGatewayV2::Api"))

    assert {it["Principal"] for it in permissions} == {"apigateway.amazonaws.com"}
    assert len(permissions) == len(apis) == 2
    for it in permissions:
        assert any(f"{{{api}}}" in text(it["SourceArn"]) for api in apis)


def test_settings_name_the_issuer_with_its_audiences_and_scopes() -> None:
    settings = Settings(jwt_issuer=ISSUER, jwt_audience="a, b", jwt_scopes="")

    assert settings.token_issuer == TokenIssuer(ISSUER, ("a", "b"), ())
    assert Settings().token_issuer is None


@pytest.mark.parametrize(
    ("settings", "advice"),
    [
        (Settings(jwt_issuer="http://id.example", jwt_audience="a"), "https"),
        (Settings(jwt_issuer="id.example", jwt_audience="a"), "https"),
        (Settings(jwt_issuer="https://id.example?tenant=1", jwt_audience="a"), "https"),
        (Settings(jwt_issuer="https://id.example"), "jwt_audience"),
        (Settings(jwt_issuer="https://id.example", jwt_audience=" , "), "jwt_audience"),
        (Settings(jwt_audience="a"), "jwt_issuer=https://"),
        (Settings(jwt_scopes="a"), "jwt_issuer=https://"),
        (Settings(jwt_client_id="a"), "jwt_issuer=https://"),
    ],
)
def test_settings_that_would_let_in_whom_nobody_meant_are_refused(settings: Settings, advice: str) -> None:
    with pytest.raises(ValueError, match=advice):
        _ = settings.token_issuer
