"""A request as the event of payload format 2.0.

Source: "Create AWS Lambda proxy integrations for HTTP APIs", payload format structure.
"""

from __future__ import annotations

import base64
import json
import secrets
import time
import uuid
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import parse_qsl

from local.http_api.deployed import DeployedHttpApi
from local.http_api.request import HttpRequest
from local.http_api.routing import RouteMatch


class Identity(Protocol):
    """Who a request is from."""

    def to_event(self) -> dict[str, Any]:
        """Return the authorizer's part of the request's context."""
        ...


# Unverified: API Gateway does not document which types it passes as text. Forms are believed to arrive in Base64.
_TEXT_TYPES = ("text/", "application/json", "application/xml", "application/javascript")


def encode_event(api: DeployedHttpApi, request: HttpRequest, match: RouteMatch, identity: Identity | None) -> bytes:
    """Return the event for the function behind `match`, as JSON."""
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": match.route.key,
        "rawPath": request.path,
        "rawQueryString": request.query,
        "headers": _headers(request),
        "requestContext": _context(api, request, match, identity),
    }
    if cookie := request.headers.get("cookie"):
        event["cookies"] = [part.strip() for part in cookie.split(";")]
    if query := _joined(parse_qsl(request.query, keep_blank_values=True)):
        event["queryStringParameters"] = query
    if match.parameters:
        event["pathParameters"] = match.parameters
    if variables := api.stages.get(match.stage):
        event["stageVariables"] = dict(variables)
    return json.dumps({**event, **_body(request)}).encode()


def _headers(request: HttpRequest) -> dict[str, str]:
    own = {
        "x-amzn-trace-id": f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)}",
        "x-forwarded-for": request.source_ip,
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
        "content-length": str(len(request.body)),
    }
    return {**own, **{name: value for name, value in request.headers.items() if name != "cookie"}}


def _context(
    api: DeployedHttpApi, request: HttpRequest, match: RouteMatch, identity: Identity | None
) -> dict[str, Any]:
    now = datetime.now(UTC)
    context: dict[str, Any] = {
        "accountId": api.account,
        "apiId": api.api_id,
        "domainName": f"{api.api_id}.execute-api.{api.region}.amazonaws.com",
        "domainPrefix": api.api_id,
        "http": {
            "method": request.method,
            "path": request.path,
            "protocol": request.protocol,
            "sourceIp": request.source_ip,
            "userAgent": request.headers.get("user-agent", ""),
        },
        "requestId": base64.b64encode(uuid.uuid4().bytes[:11]).decode(),
        "routeKey": match.route.key,
        "stage": match.stage,
        "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "timeEpoch": int(now.timestamp() * 1000),
    }
    if identity is not None:
        context["authorizer"] = identity.to_event()
    return context


def _body(request: HttpRequest) -> dict[str, Any]:
    if not request.body:
        return {"isBase64Encoded": False}
    is_text = request.headers.get("content-type", "").lower().startswith(_TEXT_TYPES)
    if is_text and "content-encoding" not in request.headers:
        try:
            return {"body": request.body.decode(), "isBase64Encoded": False}
        except UnicodeDecodeError:
            pass
    return {"body": base64.b64encode(request.body).decode(), "isBase64Encoded": True}


def _joined(pairs: list[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined
