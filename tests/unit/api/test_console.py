"""The console's page as the API serves it: its own files, told where to sign in, and nothing else of the disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from lambdas.adapters.settings import ConsoleSettings, SignIn
from lambdas.api.console import PAGE, add_console_routes

SIGN_IN = SignIn(issuer="https://id.example/tenant", client_id="console", scopes=("sagas",))


@pytest.fixture(name="app")
def _app(tmp_path: Path) -> APIGatewayHttpResolver:
    page = tmp_path / "console"
    (page / "views").mkdir(parents=True)
    (page / "index.html").write_text("<!doctype html><title>skysaga</title>")
    (page / "views" / "saga.js").write_text("export {};")
    (page / "config.json").write_text('{"api": "elsewhere", "signin": null}')
    (page / "notes.txt").write_text("not for everybody")
    (tmp_path / "secret.js").write_text("not a part of the page")
    app = APIGatewayHttpResolver(debug=False)
    add_console_routes(app, SIGN_IN, page)
    return app


def get(app: APIGatewayHttpResolver, path: str, **headers: str) -> dict[str, Any]:
    event = {
        "version": "2.0",
        "rawPath": path,
        "headers": headers,
        "requestContext": {"http": {"method": "GET", "path": path}, "stage": "$default"},
    }
    return app.resolve(event, None)  # type: ignore[arg-type]  # the routes do without a context


def test_the_short_address_leads_to_the_page(app: APIGatewayHttpResolver) -> None:
    answer = get(app, "/console")

    assert (answer["statusCode"], answer["headers"]["Location"]) == (302, "/console/index.html")


def test_its_files_are_served_as_what_they_are(app: APIGatewayHttpResolver) -> None:
    page, script = get(app, "/console/index.html"), get(app, "/console/views/saga.js")

    assert (page["statusCode"], page["headers"]["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert (script["statusCode"], script["body"]) == (200, "export {};")
    assert script["headers"]["Content-Type"] == "text/javascript; charset=utf-8"


def test_it_is_told_where_the_api_is_and_where_to_sign_in(app: APIGatewayHttpResolver) -> None:
    assert json.loads(get(app, "/console/config.json")["body"]) == {
        "api": "../",
        "signin": {"issuer": "https://id.example/tenant", "client_id": "console", "scopes": ["sagas"]},
    }


@pytest.mark.parametrize("path", ["/console/notes.txt", "/console/../secret.js", "/console/views", "/console/%2e%2e/x"])
def test_nothing_else_is_served(app: APIGatewayHttpResolver, path: str) -> None:
    assert get(app, path)["statusCode"] == 404


def test_a_page_that_has_not_changed_is_not_sent_again(app: APIGatewayHttpResolver) -> None:
    tag = get(app, "/console/index.html")["headers"]["ETag"]

    again = get(app, "/console/index.html", **{"if-none-match": tag})

    assert (again["statusCode"], again.get("body") or "") == (304, "")


def test_the_page_runs_its_own_scripts_only_and_in_no_frame(app: APIGatewayHttpResolver) -> None:
    headers = get(app, "/console/index.html")["headers"]

    assert "script-src 'self';" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "connect-src 'self' https:;" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_the_page_of_this_checkout_is_where_a_bundle_has_it() -> None:
    assert (PAGE / "index.html").is_file()


def test_a_deployment_without_a_client_serves_none() -> None:
    assert ConsoleSettings.from_environment({}).sign_in is None
    assert ConsoleSettings.from_environment({"CONSOLE_SIGN_IN": SIGN_IN.model_dump_json()}).sign_in == SIGN_IN
