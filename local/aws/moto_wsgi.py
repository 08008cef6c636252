"""Moto's response machinery behind WSGI: it parses a request and serializes a result by botocore's own service model.

Everything the account answers itself goes through here, so that wire formats are never written by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from moto.core.request import Request as MotoRequest
from moto.core.responses import ActionResult, BaseResponse, EmptyResult
from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

__all__ = ["ActionResult", "AwsResponse", "EmptyResult", "answer"]


class AwsResponse(BaseResponse):  # type: ignore[misc]  # moto is untyped here
    """One request to a query, JSON or REST service: operations are methods, named as boto3 names them."""

    def __init__(self, service_name: str) -> None:
        super().__init__(service_name=service_name)
        self.automated_parameter_parsing = True


def answer(
    create_response: Callable[[], Any], environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    """Let a fresh response object answer one WSGI request; an operation it lacks is 501 with its name."""
    request = MotoRequest(environ)
    request.from_wsgi_server = True
    response = create_response()
    try:
        status, headers, body = response._dispatch(request)
    except NotImplementedError as error:
        return Response(str(error), status=501)(environ, start_response)
    return Response(body, status=status, headers={k: str(v) for k, v in headers.items() if k != "status"})(
        environ, start_response
    )
