"""The web console, served beside the API that takes tokens: whoever opens it signs in with the tokens' issuer.

The page itself holds nothing worth keeping, so everybody may load it. What it shows it asks the API for, with the token
of whoever has signed in. Where requests are signed instead, `skysaga console` serves the same page.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from lambdas.adapters.settings import SignIn

PAGE: Final = Path(__file__).resolve().parents[2] / "console"
ENTRANCE: Final = "/console/index.html"

_CONFIG: Final = "config.json"
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}


class PageFile(NamedTuple):
    """One file of the page, with its media type and its entity tag."""

    content: str
    media_type: str
    tag: str


def add_console_routes(app: APIGatewayHttpResolver, sign_in: SignIn, page: Path = PAGE) -> None:
    """Serve the page, which is told where to sign in."""

    @cache
    def files() -> Mapping[str, PageFile]:
        return {**dict(_files(page)), _CONFIG: _file(json.dumps(_config(sign_in)), _TYPES[".json"])}

    @app.get("/console")
    def enter() -> Response[str]:
        return Response(int(HTTPStatus.FOUND), headers={"Location": ENTRANCE})

    @app.get("/console/.+")
    def show() -> Response[str]:
        file = files().get(app.current_event.path.removeprefix("/console/"))
        if file is None:
            return Response(int(HTTPStatus.NOT_FOUND), "text/plain", "The console is at /console.")
        headers = {"ETag": file.tag, "Cache-Control": "no-cache", **_security(sign_in)}
        if app.current_event.headers.get("if-none-match") == file.tag:
            return Response(int(HTTPStatus.NOT_MODIFIED), headers=headers)
        return Response(int(HTTPStatus.OK), file.media_type, file.content, headers=headers)


def _files(page: Path) -> Iterator[tuple[str, PageFile]]:
    for path in page.rglob("*"):
        if path.suffix in _TYPES:
            yield path.relative_to(page).as_posix(), _file(path.read_text(), _TYPES[path.suffix])


def _file(content: str, media_type: str) -> PageFile:
    return PageFile(content, media_type, f'"{hashlib.sha256(content.encode()).hexdigest()[:16]}"')


def _config(sign_in: SignIn) -> dict[str, object]:
    """What the page has to know; the API is one step above it."""
    issuer = {"issuer": sign_in.issuer, "client_id": sign_in.client_id, "scopes": list(sign_in.scopes)}
    return {"api": "../", "signin": issuer}


def _security(sign_in: SignIn) -> dict[str, str]:
    """The headers that keep the page to itself: it runs its own files, and calls us and who issues tokens.

    Where an issuer has its token endpoint it says itself, often under another name than its own.
    """
    scheme = urlsplit(sign_in.issuer).scheme
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        f"connect-src 'self' {scheme}:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
