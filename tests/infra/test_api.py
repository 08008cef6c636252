"""The HTTP API."""

from __future__ import annotations

import json

from tests.infra.template import Template, text

PUBLIC = {"GET /healthz", "GET /openapi.json"}
SIGNED = {
    "POST /plans",
    "POST /sagas",
    "GET /sagas",
    "GET /sagas/{id}",
    "GET /sagas/{id}/events",
    "POST /sagas/{id}/approve",
    "POST /sagas/{id}/cancel",
    "POST /sagas/{id}/resume",
    "DELETE /sagas/{id}",
    "GET /costs",
    "GET /clusters",
    "PUT /clusters/{name}/drain",
    "DELETE /clusters/{name}/drain",
    "POST /sweeps",
    "GET /sweeps/{id}",
    "$default",
}


def test_every_route_but_two_demands_a_signature(api: Template) -> None:
    routes = {it["RouteKey"]: it["AuthorizationType"] for it in api.properties("AWS::ApiGatewayV2::Route")}

    assert routes == dict.fromkeys(SIGNED, "AWS_IAM") | dict.fromkeys(PUBLIC, "NONE")


def test_every_route_goes_to_the_published_version_of_the_api_function(api: Template) -> None:
    ((integration, properties),) = api.resources("AWS::ApiGatewayV2::Integration").items()

    assert {text(it["Target"]) for it in api.properties("AWS::ApiGatewayV2::Route")} == {
        f"integrations/{{{integration}}}"
    }
    assert api.function_of(properties["Properties"]["IntegrationUri"]["Ref"]) == "skysaga-api"
    assert properties["Properties"]["PayloadFormatVersion"] == "2.0"


def test_only_this_api_may_invoke_the_function(api: Template) -> None:
    (name,) = api.resources("AWS::ApiGatewayV2::Api")
    permission = api.only("AWS::Lambda::Permission")["Properties"]

    assert permission["Principal"] == "apigateway.amazonaws.com"
    assert f"{{{name}}}" in text(permission["SourceArn"])


def test_requests_are_throttled_and_those_that_ask_the_clouds_more_than_others(api: Template) -> None:
    stage = api.only("AWS::ApiGatewayV2::Stage")
    settings = stage["Properties"]
    routes = {it["Properties"]["RouteKey"]: name for name, it in api.resources("AWS::ApiGatewayV2::Route").items()}

    assert settings["StageName"] == "$default"
    assert settings["AutoDeploy"] is True
    assert settings["DefaultRouteSettings"] == {"ThrottlingRateLimit": 50, "ThrottlingBurstLimit": 100}
    few = {"ThrottlingRateLimit": 5, "ThrottlingBurstLimit": 10}
    assert settings["RouteSettings"] == {"POST /plans": few, "GET /costs": few, "POST /sweeps": few}
    assert {routes[it] for it in settings["RouteSettings"]} <= set(stage["DependsOn"])


def test_the_access_log_says_who_called_what_and_how_it_ended_and_shows_no_body(api: Template) -> None:
    settings = api.only("AWS::ApiGatewayV2::Stage")["Properties"]["AccessLogSettings"]
    logged = json.loads(settings["Format"])

    assert {"requestId", "caller", "route", "status", "latencyMs"} <= set(logged)
    assert all(variable.startswith("$context.") for variable in logged.values())
    assert "body" not in settings["Format"].lower()


def test_the_output_is_where_it_answers(api: Template) -> None:
    (name,) = api.resources("AWS::ApiGatewayV2::Api")

    assert api.outputs["ApiUrl"]["Value"] == {"Fn::GetAtt": [name, "ApiEndpoint"]}
