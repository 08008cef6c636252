"""The front of the deployed HTTP APIs, a WSGI application for each."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from local.http_api.authorization import authenticate
from local.http_api.deployed import DeployedHttpApi, HttpApiSource, Integration, Route
from local.http_api.event import Identity, encode_event
from local.http_api.request import HttpRequest
from local.http_api.response import HttpResponse, MalformedResponse, decode_response, message_response
from local.http_api.routing import RouteMatch, match_route
from local.http_api.tokens import TokenRefused, TokenVerifier
from local.lambda_runtime.errors import InvokeError, RequestTooLarge, TooManyRequests
from local.lambda_runtime.runtime import InvocationResult

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_log = logging.getLogger(__name__)

# Amazon API Gateway quotas, HTTP API: payload size.
MAX_PAYLOAD_BYTES = 10 * 1024 * 1024
_PARALLEL_REQUESTS = 64

TOKEN_SOURCE = "$request.header.Authorization"  # noqa: S105 - where one is, not what it is


class HttpApis:
    """Answers as API Gateway would for each deployed HTTP API.

    `invoke` takes a function's ARN and a payload; `credentials` maps each accepted access key to its secret; `tokens`
    verifies those of the issuers that routes name.
    """

    def __init__(
        self,
        apis: HttpApiSource,
        invoke: Callable[[str, bytes], InvocationResult],
        credentials: Mapping[str, str],
        tokens: TokenVerifier | None = None,
    ) -> None:
        self._apis = apis
        self._invoke = invoke
        self._credentials = dict(credentials)
        self._tokens = tokens or TokenVerifier()
        self._threads = ThreadPoolExecutor(_PARALLEL_REQUESTS, "http-api")

    def application(self, api_id: str, region: str | None = None) -> WSGIApplication:
        """Return the application for one API, which need not exist yet; served at its root or mounted below a path."""

        def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            response = self.answer(HttpRequest.from_wsgi(environ), api_id, region)
            start_response(response.status_line, list(response.headers))
            return [response.body]

        return answer

    def answer(self, request: HttpRequest, api_id: str, region: str | None = None) -> HttpResponse:
        """Route, authorize and pass on one request; what goes wrong becomes API Gateway's own message."""
        api = self._apis.find(api_id, region)
        match = match_route(api, request.method, request.raw_path) if api else None
        if api is None or match is None:
            return message_response(404, "Not Found")
        if len(request.body) > MAX_PAYLOAD_BYTES:
            return message_response(413, "Request Entity Too Large")
        identity: Identity | None = None
        if match.route.authorization == "AWS_IAM":
            identity = authenticate(request, self._credentials, api.account, api.region)
            if identity is None:
                return message_response(403, "Forbidden")
        elif match.route.authorization == "JWT" and match.route.authorizer is not None:
            header = request.headers.get("authorization", "")
            try:
                identity = self._tokens.verify(header, match.route.authorizer, match.route.scopes)
            except TokenRefused as refusal:
                return message_response(refusal.status, refusal.message, {"WWW-Authenticate": refusal.challenge})
        return self._integrate(api, request, match, identity)

    def close(self) -> None:
        """Take no more requests; those in progress end with their functions."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _integrate(
        self, api: DeployedHttpApi, request: HttpRequest, match: RouteMatch, identity: Identity | None
    ) -> HttpResponse:
        integration = match.route.integration
        if integration is None or (unsupported := _unsupported(match.route, integration)):
            _log.error("route %s: %s", match.route.key, unsupported if integration else "no integration")
            return message_response(500, "Internal Server Error")
        call = self._threads.submit(self._invoke, integration.function, encode_event(api, request, match, identity))
        try:
            result = call.result(integration.timeout)
        except (TimeoutError, TooManyRequests):
            return message_response(503, "Service Unavailable")
        except RequestTooLarge:
            return message_response(413, "Request Entity Too Large")
        except InvokeError as refusal:
            _log.error("route %s: %s: %s", match.route.key, refusal.code, refusal)
            return message_response(500, "Internal Server Error")
        return _translate(match.route.key, result)


def _unsupported(route: Route, integration: Integration) -> str:
    if route.authorization not in ("NONE", "AWS_IAM", "JWT"):
        return f"authorization {route.authorization} is not supported on one machine"
    if route.authorization == "JWT" and (route.authorizer is None or route.authorizer.identity_source != TOKEN_SOURCE):
        return f"a JWT is looked for in {TOKEN_SOURCE} only on one machine"
    if (integration.kind, integration.payload_format) != ("AWS_PROXY", "2.0"):
        return f"integration {integration.kind} with payload format {integration.payload_format} is not supported"
    return ""


def _translate(route_key: str, result: InvocationResult) -> HttpResponse:
    if result.function_error:
        return message_response(500, "Internal Server Error")
    try:
        return decode_response(result.payload)
    except MalformedResponse as error:
        _log.error("route %s: the function's response is malformed: %s", route_key, error)
        return message_response(500, "Internal Server Error")
