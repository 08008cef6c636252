"""Lambda's Invoke over HTTP, as the SDKs speak it.

Source: the Lambda API reference, Invoke; errors carry their name in `x-amzn-ErrorType` as the REST-JSON protocol does.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol, cast
from urllib.parse import parse_qs, unquote

from local.lambda_runtime.errors import InvalidParameterValue, InvokeError, TooManyRequests
from local.lambda_runtime.runtime import InvocationResult, InvocationType

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

_INVOKE_PATH = re.compile(r"/2015-03-31/functions/([^/]+)/invocations/?")
_STATUS = {"RequestResponse": "200 OK", "Event": "202 Accepted", "DryRun": "204 No Content"}


def is_invoke(environ: WSGIEnvironment) -> bool:
    """Whether a request is Lambda's Invoke."""
    return environ["REQUEST_METHOD"] == "POST" and _invoke_path(environ) is not None


class Functions(Protocol):
    """Whoever runs functions: a LambdaRuntime, or one in another process."""

    def invoke(
        self,
        name_or_arn: str,
        payload: bytes,
        qualifier: str | None = None,
        invocation_type: InvocationType = "RequestResponse",
    ) -> InvocationResult:
        """Run a function and return its result; raises InvokeError."""
        ...


class InvokeApi:
    """The WSGI application for Invoke requests; `is_invoke` must be true of each."""

    def __init__(self, runtime: Functions) -> None:
        self._runtime = runtime

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Run the function and answer with its payload, or refuse under the error's own name and status."""
        kind = environ.get("HTTP_X_AMZ_INVOCATION_TYPE", "RequestResponse")
        try:
            result = self._invoke(environ, kind)
        except InvokeError as refusal:
            return _refuse(refusal, start_response)
        headers = [("Content-Type", "application/json"), ("X-Amz-Executed-Version", result.executed_version)]
        if result.function_error:
            headers.append(("X-Amz-Function-Error", result.function_error))
        if kind == "RequestResponse" and environ.get("HTTP_X_AMZ_LOG_TYPE") == "Tail":
            headers.append(("X-Amz-Log-Result", base64.b64encode(result.log_tail).decode()))
        start_response(_STATUS[kind], headers)
        return [result.payload]

    def _invoke(self, environ: WSGIEnvironment, kind: str) -> InvocationResult:
        path = _invoke_path(environ)
        if path is None or kind not in _STATUS:
            raise InvalidParameterValue(f"Invocation type {kind} is not one of {', '.join(_STATUS)}.")
        qualifier = parse_qs(environ.get("QUERY_STRING", "")).get("Qualifier", [None])[0]
        payload = environ["wsgi.input"].read()
        return self._runtime.invoke(unquote(path[1]), payload, qualifier, cast(InvocationType, kind))


def _invoke_path(environ: WSGIEnvironment) -> re.Match[str] | None:
    # An ARN arrives percent-encoded; its decoded form would do as well, but a decoded slash would not.
    return _INVOKE_PATH.fullmatch(str(environ["RAW_URI"]).partition("?")[0])


def _refuse(refusal: InvokeError, start_response: StartResponse) -> Iterable[bytes]:
    body = {"Type": refusal.kind, "Message": str(refusal), "message": str(refusal)}
    if isinstance(refusal, TooManyRequests):
        body["Reason"] = refusal.reason
    start_response(
        f"{refusal.status} {refusal.code}",
        [("Content-Type", "application/json"), ("x-amzn-ErrorType", refusal.code)],
    )
    return [json.dumps(body).encode()]
