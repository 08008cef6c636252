"""The API as a web application: API Gateway's routes before the Lambda handler, all in this process."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from infra.api_stack import ROUTES
from lambdas.api import handler as api
from local.http_api.deployed import DeployedHttpApi, Integration, Route
from local.http_api.event import encode_event
from local.http_api.request import HttpRequest
from local.http_api.response import HttpResponse, decode_response, message_response
from local.http_api.routing import DEFAULT, match_route
from tests.unit.api.conftest import CALLER, CONTEXT

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

SIGNATURE: Final = "as good as signed"

_FUNCTION: Final = Integration("AWS_PROXY", "arn:aws:lambda:eu-west-1:123456789012:function:skysaga-api", "2.0", 30)
_API: Final = DeployedHttpApi(
    "a1",
    "123456789012",
    "eu-west-1",
    (
        *(Route(f"{it.method.value} {it.path}", "NONE" if it.public else "AWS_IAM", _FUNCTION) for it in ROUTES),
        Route(DEFAULT, "AWS_IAM", _FUNCTION),
    ),
    {DEFAULT: {}},
)


class _Caller:
    def to_event(self) -> dict[str, Any]:
        """Who calls, as the authorizer says it."""
        return {"iam": {"userArn": CALLER}}


def front(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer one request as the deployed API would; the signature is only looked at."""
    answer = _answer(HttpRequest.from_wsgi({"REMOTE_ADDR": "192.0.2.1", **environ}))
    start_response(answer.status_line, list(answer.headers))
    return [answer.body]


def _answer(request: HttpRequest) -> HttpResponse:
    match = match_route(_API, request.method, request.raw_path)
    assert match is not None, "there is a default route"
    signed = request.headers.get("authorization") == SIGNATURE
    if match.route.authorization == "AWS_IAM" and not signed:
        return message_response(403, "Forbidden")
    event = json.loads(encode_event(_API, request, match, _Caller() if signed else None))
    return decode_response(json.dumps(api.handler(event, CONTEXT)).encode())
