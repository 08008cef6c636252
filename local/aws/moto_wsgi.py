"""Moto's response machinery behind WSGI: it parses a request and serializes a result by botocore's own service model.

Everything the account answers itself goes through here, so that wire formats are never written by hand.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from moto.core.request import Request as MotoRequest
from moto.core.responses import ActionResult, BaseResponse, EmptyResult
from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

__all__ = ["ActionResult", "AwsResponse", "EmptyResult", "answer", "not_implemented"]


class AwsResponse(BaseResponse):  # type: ignore[misc]  # moto is untyped here
    """One request to a query, JSON or REST service: operations are methods, named as boto3 names them."""

    def __init__(self, service_name: str) -> None:
        super().__init__(service_name=service_name)
        self.automated_parameter_parsing = True


def answer(
    create_response: Callable[[], Any], environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    """Let a fresh response object answer one WSGI request; an operation it lacks raises NotImplementedError."""
    request = MotoRequest(environ)
    request.from_wsgi_server = True
    status, headers, body = create_response()._dispatch(request)
    return Response(body, status=status, headers={k: str(v) for k, v in headers.items() if k != "status"})(
        environ, start_response
    )


def not_implemented(environ: WSGIEnvironment, error: NotImplementedError) -> Response:
    """The answer to an operation that nobody implements: 501, which SDKs do not repeat, with moto's word for it."""
    if "json" in environ.get("CONTENT_TYPE", ""):
        body = json.dumps({"__type": "NotImplemented", "message": str(error)})
        return Response(body, status=501, content_type="application/x-amz-json-1.1")
    body = (
        "<ErrorResponse><Error><Code>NotImplemented</Code>"
        f"<Message>{escape(str(error))}</Message></Error></ErrorResponse>"
    )
    return Response(body, status=501, content_type="text/xml")
