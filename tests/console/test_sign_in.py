"""Signing in to the console that a deployment serves: a browser, an issuer, and an API that takes its tokens only."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from playwright.sync_api import Browser, Page
from werkzeug.wrappers import Request, Response

from lambdas.adapters.settings import SignIn
from lambdas.api.console import add_console_routes
from local.http_server import serve
from tests.console.browser import chromium

TOKEN = "the-token-of-ops"
SAGA = {"id": "s0000000000000ab", "name": "checkout", "status": "COMMITTED", "caller": "ops", "version": 3}
UNSET: dict[str, Any] = {
    "finished_at": None,
    "expires_at": None,
    "approval": None,
    "cancel_requested": False,
    "waves": [],
    "labels": {},
}


@dataclass
class Issuer:
    """Signs everybody in at once, and gives a token to who proves that they began it."""

    challenge: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)
    refuses: bool = False

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        answer = {
            "/.well-known/openid-configuration": self._configuration,
            "/authorize": self._authorize,
            "/token": self._token,
        }[request.path](request)
        answer.headers["Access-Control-Allow-Origin"] = "*"
        return answer(environ, start_response)

    def _configuration(self, request: Request) -> Response:
        here = request.host_url.rstrip("/")
        return _json({"authorization_endpoint": f"{here}/authorize?tenant=ours", "token_endpoint": f"{here}/token"})

    def _authorize(self, request: Request) -> Response:
        self.asked.append(request.args.to_dict())
        self.challenge = request.args["code_challenge"]
        refusal = {"error": "access_denied", "error_description": "You are not one of us."}
        answer = {"state": request.args["state"], **(refusal if self.refuses else {"code": "the-code"})}
        return Response(status=302, headers={"Location": f"{request.args['redirect_uri']}?{urlencode(answer)}"})

    def _token(self, request: Request) -> Response:
        digest = hashlib.sha256(request.form["code_verifier"].encode()).digest()
        proven = base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == self.challenge
        good = proven and request.form["code"] == "the-code" and request.form["client_id"] == "console"
        return _json({"access_token": TOKEN, "expires_in": 300}) if good else _json({"error": "invalid_grant"}, 400)


class Gateway:
    """The API behind an authorizer, and the console's page in front of it, as one address serves both."""

    def __init__(self, issuer: str) -> None:
        self.takes = TOKEN
        self._app = APIGatewayHttpResolver(debug=False)
        add_console_routes(self._app, SignIn(issuer=issuer, client_id="console", scopes=("sagas",)))

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        answer = self._page(request) if request.path.startswith("/console") else self._api(request)
        return answer(environ, start_response)

    def _page(self, request: Request) -> Response:
        event = {
            "version": "2.0",
            "rawPath": request.path,
            "headers": {name.lower(): value for name, value in request.headers.items()},
            "requestContext": {"http": {"method": request.method, "path": request.path}, "stage": "$default"},
        }
        answer = self._app.resolve(event, None)  # type: ignore[arg-type]  # the routes do without a context
        return Response(answer.get("body") or "", answer["statusCode"], answer["headers"])

    def _api(self, request: Request) -> Response:
        if request.headers.get("Authorization") != f"Bearer {self.takes}":
            return _json({"message": "Unauthorized"}, 401)
        return _json({"items": [{**SAGA, **UNSET, "created_at": "2026-11-26T09:00:00.000Z"}], "next_cursor": None})


def _json(document: Any, status: int = 200) -> Response:
    return Response(json.dumps(document), status, content_type="application/json")


@pytest.fixture(name="issuer")
def _issuer() -> Issuer:
    return Issuer()


@pytest.fixture(name="gateway")
def _gateway(issuer: Issuer) -> Iterator[tuple[Gateway, str]]:
    """The gateway and its address."""
    with serve(issuer, name="issuer") as issuing:
        gateway = Gateway(issuing.url)
        with serve(gateway, name="gateway") as server:
            yield gateway, server.url


@pytest.fixture(name="browser", scope="module")
def _browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(name="page")
def _page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def test_who_opens_the_console_signs_in_and_comes_back_to_where_they_were(
    page: Page, issuer: Issuer, gateway: tuple[Gateway, str]
) -> None:
    page.goto(f"{gateway[1]}/console#/sagas?status=COMMITTED")

    page.get_by_role("link", name="checkout").wait_for(timeout=30_000)

    assert page.url == f"{gateway[1]}/console/index.html#/sagas?status=COMMITTED"
    [asked] = issuer.asked
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert (asked["client_id"], asked["scope"], asked["tenant"]) == ("console", "openid sagas", "ours")


def test_an_answer_that_nobody_asked_for_signs_nobody_in_or_out(
    page: Page, issuer: Issuer, gateway: tuple[Gateway, str]
) -> None:
    page.goto(f"{gateway[1]}/console")
    page.get_by_role("link", name="checkout").wait_for(timeout=30_000)

    page.goto(f"{gateway[1]}/console/index.html?state=forged&code=theirs#/sagas?status=COMMITTED")

    page.get_by_role("link", name="checkout").wait_for(timeout=30_000)
    assert page.url == f"{gateway[1]}/console/index.html#/sagas?status=COMMITTED"
    assert len(issuer.asked) == 1


def test_a_token_lasts_over_a_reload_and_one_that_is_refused_is_asked_for_again(
    page: Page, issuer: Issuer, gateway: tuple[Gateway, str]
) -> None:
    page.goto(f"{gateway[1]}/console")
    page.get_by_role("link", name="checkout").wait_for(timeout=30_000)
    page.reload()
    page.get_by_role("link", name="checkout").wait_for(timeout=30_000)
    assert len(issuer.asked) == 1

    page.evaluate("sessionStorage.setItem('skysaga-sign-in', JSON.stringify({token: 'old', until: Date.now() + 1e6}))")
    page.reload()
    page.get_by_role("link", name="checkout").wait_for(timeout=15_000)
    assert len(issuer.asked) == 2


def test_a_new_token_that_is_refused_is_not_asked_for_for_ever(
    page: Page, issuer: Issuer, gateway: tuple[Gateway, str]
) -> None:
    gateway[0].takes = "something else"
    page.goto(f"{gateway[1]}/console")

    page.get_by_text("Unauthorized").wait_for(timeout=30_000)

    assert len(issuer.asked) == 1


def test_who_is_not_let_in_is_told_so_by_the_issuers_words(
    page: Page, issuer: Issuer, gateway: tuple[Gateway, str]
) -> None:
    issuer.refuses = True
    page.goto(f"{gateway[1]}/console")

    page.get_by_text("You are not one of us.").wait_for(timeout=30_000)


def test_an_answer_that_nobody_asked_for_is_not_taken(page: Page, gateway: tuple[Gateway, str]) -> None:
    page.goto(f"{gateway[1]}/console/index.html?state=guessed&code=stolen")

    page.get_by_text("This sign-in was not begun here.").wait_for(timeout=30_000)
