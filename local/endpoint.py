"""The one AWS endpoint of one machine: each request goes to whoever serves it, and no client has to know who that is.

Step Functions, Lambda's Invoke, Athena's queries and the deployed HTTP APIs are ours; everything else is the local
account's.
An HTTP API answers at `http://API_ID.execute-api.REGION.HOST`, for clients that choose the Host header, and below
`/_aws/execute-api/API_ID`, for those that do not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from local.http_api.front import HttpApis
from local.lambda_runtime.wsgi import Functions, InvokeApi, is_invoke

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_STEP_FUNCTIONS_TARGET = "AWSStepFunctions."
_API_HOST = re.compile(r"(?P<api>[a-z0-9]+)\.execute-api\.(?P<region>[a-z0-9-]+)\.")
_API_MOUNT = re.compile(r"/_aws/execute-api/(?P<api>[a-z0-9]+)(?=[/?]|$)")


class StepFunctionsApi(Protocol):
    """The Step Functions engine as an endpoint needs it."""

    def handle(self, target: str, body: bytes) -> tuple[int, bytes]:
        """Answer the operation named by `X-Amz-Target`; returns the HTTP status and a JSON body."""
        ...


class AthenaApi(Protocol):
    """Athena's queries as an endpoint needs them."""

    def handle(self, target: str, body: bytes) -> tuple[int, bytes]:
        """Answer the operation named by `X-Amz-Target`; returns the HTTP status and a JSON body."""
        ...

    def serves(self, target: str) -> bool:
        """Whether the operation named by `X-Amz-Target` is answered there."""
        ...


class Endpoint:
    """Dispatches WSGI requests received by `local.http_server`; without `http_apis` no HTTP API is served.

    Without `athena` its queries, too, are the account's.
    """

    def __init__(
        self,
        stepfunctions: StepFunctionsApi,
        lambda_runtime: Functions,
        aws_app: WSGIApplication,
        http_apis: HttpApis | None = None,
        athena: AthenaApi | None = None,
    ) -> None:
        self._stepfunctions = stepfunctions
        self._invoke_api = InvokeApi(lambda_runtime)
        self._aws_app = aws_app
        self._http_apis = http_apis
        self._athena = athena

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Hand one request on."""
        return self._choose(environ)(environ, start_response)

    def _choose(self, environ: WSGIEnvironment) -> WSGIApplication:
        if environ.get("HTTP_X_AMZ_TARGET", "").startswith(_STEP_FUNCTIONS_TARGET):
            return _answering(self._stepfunctions, "application/x-amz-json-1.0")
        if self._athena is not None and self._athena.serves(environ.get("HTTP_X_AMZ_TARGET", "")):
            return _answering(self._athena, "application/x-amz-json-1.1")
        if is_invoke(environ):
            return self._invoke_api
        if self._http_apis is not None:
            if match := _API_HOST.match(environ.get("HTTP_HOST", "")):
                return self._http_apis.application(match["api"], match["region"])
            if match := _API_MOUNT.match(environ["RAW_URI"]):
                environ["SCRIPT_NAME"] = match[0]
                environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix(match[0])
                return self._http_apis.application(match["api"])
        return self._aws_app


def _answering(api: StepFunctionsApi | AthenaApi, content_type: str) -> WSGIApplication:
    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        status, body = api.handle(environ["HTTP_X_AMZ_TARGET"], environ["wsgi.input"].read())
        start_response(f"{status} {HTTPStatus(status).phrase}", [("Content-Type", content_type)])
        return [body]

    return answer
