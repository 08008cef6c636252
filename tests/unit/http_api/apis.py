"""HTTP APIs deployed in memory, requests, and signatures made by botocore as a client makes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.http_api.deployed import DeployedHttpApi, Integration, Route
from local.http_api.front import HttpApis
from local.http_api.request import HttpRequest
from local.http_api.response import HttpResponse
from local.lambda_runtime.errors import InvokeError
from local.lambda_runtime.runtime import InvocationResult

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:api:live"
HOST = "abc123.execute-api.us-east-1.amazonaws.com"
CREDENTIALS = {"local": "the-local-secret"}


def integration(**changes: Any) -> Integration:
    return Integration(**{"kind": "AWS_PROXY", "uri": FUNCTION, "payload_format": "2.0", "timeout": 30.0, **changes})


def api(
    *keys: str,
    authorization: str = "NONE",
    stages: Mapping[str, Mapping[str, str]] | None = None,
    to: Integration | None = None,
) -> DeployedHttpApi:
    routes = tuple(Route(key, authorization, to or integration()) for key in keys)
    return DeployedHttpApi("abc123", "123456789012", "us-east-1", routes, stages or {"$default": {}})


def request(
    method: str = "GET", target: str = "/", headers: Mapping[str, str] | None = None, body: bytes = b"", mount: str = ""
) -> HttpRequest:
    return HttpRequest(method, target, "HTTP/1.1", "127.0.0.1", {"host": HOST, **(headers or {})}, body, mount)


def signed(
    method: str = "GET",
    target: str = "/",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    secret: str = CREDENTIALS["local"],
    service: str = "execute-api",
    region: str = "us-east-1",
) -> HttpRequest:
    outgoing = AWSRequest(method, f"http://{HOST}{target}", {"Host": HOST, **(headers or {})}, body)
    SigV4Auth(Credentials("local", secret), service, region).add_auth(outgoing)
    return HttpRequest(
        method,
        target,
        "HTTP/1.1",
        "127.0.0.1",
        {name.lower(): value for name, value in outgoing.headers.items()},
        body,
    )


class OneApi:
    """An HttpApiSource with a single API."""

    def __init__(self, deployed: DeployedHttpApi) -> None:
        self._deployed = deployed

    def find(self, api_id: str, region: str | None = None) -> DeployedHttpApi | None:
        return self._deployed if api_id == self._deployed.api_id else None


class Function:
    """The function behind the routes: returns what the test says and keeps the events it got."""

    def __init__(self, answer: Any = None, raw: bytes | None = None, error: InvokeError | str | None = None) -> None:
        self.answer = json.dumps(answer).encode() if raw is None else raw
        self.error = error
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, function: str, payload: bytes) -> InvocationResult:
        self.calls.append((function, json.loads(payload)))
        if isinstance(self.error, InvokeError):
            raise self.error
        return InvocationResult(self.answer, self.error, "1")


def ask(deployed: DeployedHttpApi, function: Any, asked: HttpRequest) -> HttpResponse:
    apis = HttpApis(OneApi(deployed), function, CREDENTIALS)
    try:
        return apis.answer(asked, "abc123")
    finally:
        apis.close()


def event_of(deployed: DeployedHttpApi, asked: HttpRequest) -> dict[str, Any]:
    """Return the event that the function got for a request."""
    function = Function({"statusCode": 204})
    assert ask(deployed, function, asked).status == 204
    return function.calls[0][1]
