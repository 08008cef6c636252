"""JWT authorization: only what the issuer signed, for us and for now, gets in."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import pytest

from local.http_api.deployed import DeployedHttpApi, JwtAuthorizer, Route
from local.http_api.front import HttpApis
from local.http_api.response import HttpResponse
from local.http_api.tokens import TokenVerifier
from tests.unit.http_api.apis import Function, OneApi, api, integration, request
from tests.unit.http_api.issuer import AUDIENCE, FORGED, ISSUER, PUBLIC_PEM, Issuer, published_key, token

NOW = int(time.time())
LATER = NOW + 86_400
"""Long after the last test, whenever this module was read."""


def closed(*scopes: str, source: str = "$request.header.Authorization") -> DeployedHttpApi:
    authorizer = JwtAuthorizer(ISSUER, (AUDIENCE, "another"), source)
    route = Route("GET /sagas", "JWT", integration(), authorizer, scopes)
    return DeployedHttpApi("abc123", "123456789012", "us-east-1", (route,), {"$default": {}})


def ask(
    header: str | None, deployed: DeployedHttpApi | None = None, issuer: Issuer | None = None
) -> tuple[HttpResponse, list[dict[str, Any]]]:
    """The answer to a request with that Authorization header, and the events that the function got."""
    function = Function({"statusCode": 204})
    verifier = TokenVerifier((issuer or Issuer()).fetch)
    apis = HttpApis(OneApi(deployed or closed()), function, {}, verifier)
    try:
        answer = apis.answer(request("GET", "/sagas", {} if header is None else {"authorization": header}), "abc123")
    finally:
        apis.close()
    return answer, [event for _, event in function.calls]


def why(header: str | None, **asked: Any) -> str:
    """What the WWW-Authenticate header of a refusal says; fails unless the request is refused for its token."""
    answer, events = ask(header, **asked)
    assert (answer.status, answer.body, events) == (401, b'{"message": "Unauthorized"}', [])
    return dict(answer.headers)["WWW-Authenticate"]


@pytest.mark.parametrize("prefix", ["", "Bearer ", "bearer "])
def test_a_good_token_is_let_in(prefix: str) -> None:
    assert ask(prefix + token())[0].status == 204


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": ["other", AUDIENCE]},
        {"aud": None, "client_id": "another"},
        {"iat": None},
        {"nbf": NOW - 1},
    ],
)
def test_so_is_one_that_is_good_in_another_way(claims: dict[str, Any]) -> None:
    assert ask(token(**claims))[0].status == 204


def test_its_claims_appear_in_the_event_as_text() -> None:
    _, (event,) = ask(token(groups=["a", "b"], exp=LATER, iat=None))
    assert event["requestContext"]["authorizer"] == {
        "jwt": {
            "claims": {"iss": ISSUER, "aud": AUDIENCE, "sub": "ops", "exp": str(LATER), "groups": "[a b]"},
            "scopes": None,
        }
    }


def test_without_a_token_nobody_is_let_in() -> None:
    assert why(None) == why("") == why("Bearer ") == "Bearer"


@pytest.mark.parametrize("nonsense", ["x", "a.b.c", "Basic b3BzOm9wcw==", "AWS4-HMAC-SHA256 Credential=local"])
def test_what_is_no_token_is_refused(nonsense: str) -> None:
    assert "invalid_token" in why(nonsense)


def test_a_forged_token_is_refused() -> None:
    assert "valid signature" in why(token(FORGED))


def test_a_token_that_was_changed_is_refused() -> None:
    head, _, signature = token().split(".")
    other = token(sub="root").split(".")[1]
    assert "valid signature" in why(f"{head}.{other}.{signature}")


@pytest.mark.parametrize("alg", ["none", "None", "NONE"])
@pytest.mark.parametrize("signature", ["", "eA"])
def test_a_token_that_nobody_signed_is_refused(alg: str, signature: str) -> None:
    head = base64.urlsafe_b64encode(json.dumps({"alg": alg, "kid": "key-1"}).encode()).rstrip(b"=").decode()
    assert "invalid_token" in why(f"{head}.{token().split('.')[1]}.{signature}")


def test_a_token_signed_with_the_public_key_as_a_shared_secret_is_refused() -> None:
    head = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": "key-1"}).encode()).rstrip(b"=")
    signed = head + b"." + token().split(".")[1].encode()
    signature = base64.urlsafe_b64encode(hmac.new(PUBLIC_PEM, signed, hashlib.sha256).digest()).rstrip(b"=")
    assert "valid algorithm" in why((signed + b"." + signature).decode())


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"exp": NOW - 1}, "the token has expired"),
        ({"exp": None}, "the token is not valid"),
        ({"nbf": LATER}, "the token is not valid yet"),
        ({"iat": LATER}, "the token is not valid yet"),
        ({"iss": "https://id.example/another-tenant"}, "the token does not have a valid issuer"),
        ({"iss": f"{ISSUER}/"}, "the token does not have a valid issuer"),
        ({"iss": None}, "the token is not valid"),
        ({"aud": "billing"}, "the token does not have a valid audience"),
        ({"aud": None}, "the token does not have a valid audience"),
        ({"aud": []}, "the token does not have a valid audience"),
        ({"aud": "billing", "client_id": AUDIENCE}, "the token does not have a valid audience"),
    ],
)
def test_a_token_of_another_time_issuer_or_audience_is_refused(claims: dict[str, Any], reason: str) -> None:
    assert why(token(**claims)) == f'Bearer scope="" error="invalid_token" error_description="{reason}"'


@pytest.mark.parametrize("kid", ["key-2", None])
def test_a_token_whose_key_the_issuer_does_not_publish_is_refused(kid: str | None) -> None:
    assert "none of the issuer's" in why(token(headers={"kid": kid} if kid else {"kid": "", "x5t": "1"}))


def test_a_key_that_a_token_brings_along_is_not_used() -> None:
    brought = {"jwk": published_key("key-1", FORGED), "jku": "https://evil.example/keys"}
    issuer = Issuer()
    assert "valid signature" in why(token(FORGED, headers=brought), issuer=issuer)
    assert {url.startswith(ISSUER) for url in issuer.asked} == {True}


@pytest.mark.parametrize("scopes", [{"scope": "read sagas:write"}, {"scp": ["sagas:write"]}, {"scp": "sagas:write"}])
def test_a_route_with_scopes_takes_a_token_that_has_one_of_them(scopes: dict[str, Any]) -> None:
    answer, (event,) = ask(token(**scopes), closed("sagas:read", "sagas:write"))
    assert answer.status == 204
    assert "sagas:write" in event["requestContext"]["authorizer"]["jwt"]["scopes"]


@pytest.mark.parametrize("scopes", [{}, {"scope": "sagas"}, {"scope": "xsagas:write"}, {"scp": []}])
def test_one_that_has_none_is_forbidden(scopes: dict[str, Any]) -> None:
    answer, events = ask(token(**scopes), closed("sagas:write"))
    assert (answer.status, answer.body, events) == (403, b'{"message": "Forbidden"}', [])
    assert 'error="insufficient_scope"' in dict(answer.headers)["WWW-Authenticate"]


def test_keys_are_asked_for_once_and_again_when_they_are_old_or_a_token_has_a_new_one() -> None:
    issuer, clock = Issuer(), [0.0]
    verifier = TokenVerifier(issuer.fetch, lambda: clock[0])
    authorizer = JwtAuthorizer(ISSUER, (AUDIENCE,))
    for _ in range(2):
        verifier.verify(token(), authorizer)
    assert len(issuer.asked) == 2
    clock[0] = 7200.0
    verifier.verify(token(), authorizer)
    assert len(issuer.asked) == 4
    issuer.published[f"{ISSUER}/keys"]["keys"].append(published_key("key-2", FORGED))
    verifier.verify(token(FORGED, headers={"kid": "key-2"}), authorizer)
    assert len(issuer.asked) == 6


@pytest.mark.parametrize(
    "published", [None, {"keys": "none"}, {"keys": [{"kty": "oct", "kid": "key-1", "k": "eA"}]}, {}, []]
)
def test_an_issuer_that_publishes_no_usable_keys_lets_nobody_in(published: Any) -> None:
    issuer = Issuer()
    issuer.published[f"{ISSUER}/keys"] = published
    assert "invalid_token" in why(token(), issuer=issuer)


def test_an_issuer_that_is_not_there_lets_nobody_in() -> None:
    issuer = Issuer()
    issuer.published.clear()
    assert "OIDC discovery endpoint communication error" in why(token(), issuer=issuer)


def test_a_token_that_is_looked_for_elsewhere_is_an_error_and_not_an_open_door() -> None:
    answer, events = ask(token(), closed(source="$request.querystring.token"))
    assert (answer.status, events) == (500, [])


def test_a_route_whose_authorizer_is_missing_is_an_error_and_not_an_open_door() -> None:
    answer, events = ask(token(), api("GET /sagas", authorization="JWT"))
    assert (answer.status, events) == (500, [])
