"""The event of payload format 2.0, field by field."""

from __future__ import annotations

import base64
import re

import pytest

from tests.unit.http_api.apis import api, event_of, request

SAGA = api("POST /sagas/{id}", "GET /sagas/{id}", "$default")


def test_an_event_describes_its_request_as_api_gateway_does() -> None:
    event = event_of(SAGA, request("GET", "/sagas/a%20b?x=1", {"user-agent": "curl/8"}))
    context = event["requestContext"]
    assert event["version"] == "2.0"
    assert event["routeKey"] == context["routeKey"] == "GET /sagas/{id}"
    assert event["rawPath"] == context["http"]["path"] == "/sagas/a b"
    assert event["rawQueryString"] == "x=1"
    assert event["pathParameters"] == {"id": "a b"}
    assert event["isBase64Encoded"] is False
    assert context["http"] == {
        "method": "GET",
        "path": "/sagas/a b",
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": "curl/8",
    }
    assert (context["accountId"], context["apiId"], context["stage"]) == ("123456789012", "abc123", "$default")
    assert context["domainName"] == "abc123.execute-api.us-east-1.amazonaws.com"
    assert re.fullmatch(r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000", context["time"])
    assert "authorizer" not in context


def test_optional_parts_are_absent_rather_than_empty() -> None:
    event = event_of(api("$default"), request())
    assert not {"body", "cookies", "pathParameters", "queryStringParameters", "stageVariables"} & event.keys()


def test_repeated_query_parameters_are_joined_with_commas_and_decoded() -> None:
    event = event_of(SAGA, request("GET", "/sagas/1?label=a&label=b%20c&empty="))
    assert event["queryStringParameters"] == {"label": "a,b c", "empty": ""}
    assert event["rawQueryString"] == "label=a&label=b%20c&empty="


def test_cookies_move_out_of_the_headers() -> None:
    event = event_of(SAGA, request("GET", "/sagas/1", {"cookie": "a=1; b=2", "x-own": "yes"}))
    assert event["cookies"] == ["a=1", "b=2"]
    assert "cookie" not in event["headers"]
    assert event["headers"]["x-own"] == "yes"


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "text/csv"])
def test_text_arrives_as_it_is(content_type: str) -> None:
    event = event_of(SAGA, request("POST", "/sagas/1", {"content-type": content_type}, "{ü}".encode()))
    assert (event["body"], event["isBase64Encoded"]) == ("{ü}", False)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"content-type": "application/octet-stream"}, b"\x00\xff"),
        ({"content-type": "application/x-www-form-urlencoded"}, b"a=1"),
        ({"content-type": "application/json", "content-encoding": "gzip"}, b"\x1f\x8b"),
        ({"content-type": "application/json"}, b"\xff\xfe"),
        ({}, b"unlabelled"),
    ],
)
def test_everything_else_arrives_in_base64(headers: dict[str, str], body: bytes) -> None:
    event = event_of(SAGA, request("POST", "/sagas/1", headers, body))
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == body


def test_stage_variables_come_along() -> None:
    deployed = api("$default", stages={"prod": {"color": "blue"}})
    assert event_of(deployed, request("GET", "/prod/x"))["stageVariables"] == {"color": "blue"}


def test_a_mounted_api_sees_its_own_path_only() -> None:
    mounted = request("GET", "/_aws/execute-api/abc123/sagas/1?x=1", mount="/_aws/execute-api/abc123")
    event = event_of(SAGA, mounted)
    assert (event["rawPath"], event["pathParameters"]) == ("/sagas/1", {"id": "1"})
