"""What the caller gets for what the function returned, or failed to."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from local.http_api.response import HttpResponse
from local.lambda_runtime.errors import FunctionNotFound, RequestTooLarge, TooManyRequests
from local.lambda_runtime.runtime import InvocationResult
from tests.unit.http_api.apis import FUNCTION, Function, api, ask, integration, request

OPEN = api("$default")


def answer(**function: Any) -> HttpResponse:
    return ask(OPEN, Function(**function), request())


def test_status_headers_cookies_and_body_are_passed_on() -> None:
    response = answer(
        answer={
            "statusCode": 202,
            "headers": {"Location": "/sagas/7", "X-Count": 3, "Content-Type": "application/json"},
            "cookies": ["a=1", "b=2; Secure"],
            "body": "{}",
        }
    )
    assert (response.status, response.body) == (202, b"{}")
    assert response.headers == (
        ("Location", "/sagas/7"),
        ("X-Count", "3"),
        ("Content-Type", "application/json"),
        ("Set-Cookie", "a=1"),
        ("Set-Cookie", "b=2; Secure"),
    )


def test_a_base64_body_is_decoded() -> None:
    assert answer(answer={"statusCode": 200, "body": "AP8=", "isBase64Encoded": True}).body == b"\x00\xff"


@pytest.mark.parametrize(("returned", "body"), [({"id": 7}, b'{"id":7}'), ("text", b"text"), ([1], b"[1]")])
def test_a_value_without_a_status_is_a_json_body(returned: Any, body: bytes) -> None:
    response = answer(answer=returned)
    assert (response.status, response.body) == (200, body)
    assert response.headers == (("Content-Type", "application/json"),)


@pytest.mark.parametrize(
    "returned",
    [
        {"statusCode": "many"},
        {"statusCode": 99},
        {"statusCode": True},
        {"statusCode": 200, "body": {"not": "a string"}},
        {"statusCode": 200, "headers": ["a"]},
        {"statusCode": 200, "headers": {"a": {}}},
        {"statusCode": 200, "cookies": "a=1"},
        {"statusCode": 200, "body": "no base64!", "isBase64Encoded": True},
    ],
)
def test_a_malformed_response_is_an_internal_server_error(returned: Any) -> None:
    response = answer(answer=returned)
    assert (response.status, json.loads(response.body)) == (500, {"message": "Internal Server Error"})


@pytest.mark.parametrize(
    ("function", "status", "message"),
    [
        ({"error": "Unhandled"}, 500, "Internal Server Error"),
        ({"raw": b"not json"}, 500, "Internal Server Error"),
        ({"error": FunctionNotFound("Function not found")}, 500, "Internal Server Error"),
        ({"error": TooManyRequests("ReservedFunctionConcurrentInvocationLimitExceeded")}, 503, "Service Unavailable"),
        ({"error": RequestTooLarge("too large")}, 413, "Request Entity Too Large"),
    ],
)
def test_a_function_that_fails_shows_nothing_of_itself(function: Any, status: int, message: str) -> None:
    response = answer(**function)
    assert (response.status, json.loads(response.body)) == (status, {"message": message})


def test_a_function_slower_than_its_integration_may_be_is_unavailable() -> None:
    finish = threading.Event()

    def slow(function: str, payload: bytes) -> InvocationResult:
        finish.wait(10)
        return InvocationResult(b"{}", None, "1")

    response = ask(api("$default", to=integration(timeout=0.05)), slow, request())
    finish.set()
    assert (response.status, json.loads(response.body)) == (503, {"message": "Service Unavailable"})


def test_a_body_over_ten_megabytes_reaches_no_function() -> None:
    function = Function({"statusCode": 204})
    response = ask(OPEN, function, request("POST", "/", body=b"x" * (10 * 1024 * 1024 + 1)))
    assert (response.status, function.calls) == (413, [])


def test_an_unknown_path_is_not_found() -> None:
    response = ask(api("GET /sagas"), Function({}), request("GET", "/other"))
    assert (response.status, json.loads(response.body)) == (404, {"message": "Not Found"})


@pytest.mark.parametrize(
    "uri", [FUNCTION, f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"]
)
def test_the_deployed_function_is_called_by_its_qualified_arn(uri: str) -> None:
    function = Function({"statusCode": 204})
    ask(api("$default", to=integration(uri=uri)), function, request())
    assert function.calls[0][0] == FUNCTION


@pytest.mark.parametrize(
    "deployed",
    [
        api("$default", authorization="CUSTOM"),
        api("$default", to=integration(payload_format="1.0")),
        api("$default", to=integration(kind="HTTP_PROXY")),
    ],
)
def test_what_is_deployed_but_not_supported_is_an_error_that_the_log_explains(
    deployed: Any, caplog: pytest.LogCaptureFixture
) -> None:
    function = Function({"statusCode": 204})
    assert ask(deployed, function, request()).status == 500
    assert function.calls == []
    assert "not supported" in caplog.text
