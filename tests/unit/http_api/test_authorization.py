"""IAM authorization: only what was signed with a known key pair gets in."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from tests.unit.http_api.apis import Function, api, ask, event_of, request, signed

CLOSED = api("ANY /sagas/{id}", "POST /sagas", authorization="AWS_IAM")


@pytest.mark.parametrize(
    "arguments",
    [
        {"target": "/sagas/1"},
        {"target": "/sagas/a%20b?label=x%3Dy&label=a&empty="},
        {"target": "/sagas/%C3%BC"},
        {
            "target": "/sagas",
            "method": "POST",
            "body": b'{"name": "checkout"}',
            "headers": {"Idempotency-Key": "  7  "},
        },
    ],
)
def test_a_request_signed_by_botocore_is_let_in(arguments: dict[str, Any]) -> None:
    assert ask(CLOSED, Function({"statusCode": 204}), signed(**arguments)).status == 204


def test_the_signer_appears_in_the_event() -> None:
    event = event_of(CLOSED, signed(target="/sagas/1"))
    assert event["requestContext"]["authorizer"] == {
        "iam": {
            "accessKey": "local",
            "accountId": "123456789012",
            "callerId": "local",
            "cognitoIdentity": None,
            "principalOrgId": None,
            "userArn": "arn:aws:iam::123456789012:user/local",
            "userId": "local",
        }
    }


def forbidden(asked: Any) -> bool:
    function = Function({"statusCode": 204})
    response = ask(CLOSED, function, asked)
    return (response.status, response.body, function.calls) == (403, b'{"message": "Forbidden"}', [])


def test_what_nobody_signed_is_forbidden() -> None:
    assert forbidden(request("GET", "/sagas/1"))
    assert forbidden(request("GET", "/sagas/1", {"authorization": "Bearer token"}))


def test_a_wrong_secret_service_or_region_is_forbidden() -> None:
    assert forbidden(signed(target="/sagas/1", secret="guessed"))
    assert forbidden(signed(target="/sagas/1", service="s3"))
    assert forbidden(signed(target="/sagas/1", region="eu-west-1"))


def test_an_unknown_access_key_is_forbidden() -> None:
    asked = signed(target="/sagas/1")
    header = asked.headers["authorization"].replace("Credential=local/", "Credential=stranger/")
    assert forbidden(replace(asked, headers={**asked.headers, "authorization": header}))


@pytest.mark.parametrize(
    "change",
    [{"target": "/sagas/2"}, {"method": "DELETE"}, {"body": b"other"}, {"target": "/sagas/1?admin=1"}],
)
def test_a_request_changed_after_signing_is_forbidden(change: dict[str, Any]) -> None:
    assert forbidden(replace(signed(target="/sagas/1"), **change))


def test_a_signed_header_changed_or_removed_is_forbidden() -> None:
    asked = signed(target="/sagas/1", headers={"X-Own": "1"})
    assert forbidden(replace(asked, headers={**asked.headers, "x-own": "2"}))
    assert forbidden(replace(asked, headers={name: asked.headers[name] for name in asked.headers if name != "x-own"}))


def test_a_body_that_is_not_the_one_whose_hash_was_signed_is_forbidden() -> None:
    asked = signed("POST", "/sagas", {"X-Amz-Content-SHA256": "0" * 64}, b"{}")
    assert forbidden(asked)


def test_a_signature_older_than_five_minutes_is_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = signed(target="/sagas/1")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 301)
    assert forbidden(asked)
