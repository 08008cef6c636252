"""The web console, served beside the API that takes tokens: whoever opens it signs in with the tokens' issuer.

The page itself holds nothing worth keeping, so everybody may load it. What it shows it asks the API for, with the token
of whoever has signed in. Where requests are signed instead, `skysaga console` serves the same page.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from lambdas.adapters.page import JSON, PageFile, page_files, page_headers
from lambdas.adapters.settings import SignIn

PAGE: Final = Path(__file__).resolve().parents[2] / "console"
ENTRANCE: Final = "/console/index.html"

_CONFIG: Final = "config.json"


def add_console_routes(app: APIGatewayHttpResolver, sign_in: SignIn, page: Path = PAGE) -> None:
    """Serve the page, which is told where to sign in.

    Where an issuer has its token endpoint it says itself, often under another name than its own: so the page may call
    any address of the issuer's scheme.
    """
    connect = f"'self' {urlsplit(sign_in.issuer).scheme}:"

    @cache
    def files() -> Mapping[str, PageFile]:
        return {**page_files(page), _CONFIG: PageFile(json.dumps(_config(sign_in)).encode(), JSON)}

    @app.get("/console")
    def enter() -> Response[str]:
        return Response(int(HTTPStatus.FOUND), headers={"Location": ENTRANCE})

    @app.get("/console/.+")
    def show() -> Response[str]:
        file = files().get(app.current_event.path.removeprefix("/console/"))
        if file is None:
            return Response(int(HTTPStatus.NOT_FOUND), "text/plain", "The console is at /console.")
        headers = {"ETag": file.tag, "Cache-Control": "no-cache", **page_headers(connect)}
        if app.current_event.headers.get("if-none-match") == file.tag:
            return Response(int(HTTPStatus.NOT_MODIFIED), headers=headers)
        return Response(int(HTTPStatus.OK), file.media_type, file.content.decode(), headers=headers)


def _config(sign_in: SignIn) -> dict[str, object]:
    """What the page has to know; the API is one step above it."""
    issuer = {"issuer": sign_in.issuer, "client_id": sign_in.client_id, "scopes": list(sign_in.scopes)}
    return {"api": "../", "signin": issuer}
