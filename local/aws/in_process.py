"""An SDK's requests to a server of the same process, answered by its application on the thread that asks.

What goes through a socket is answered by another thread, on another core, whose caches know nothing of it; a deployment
is hundreds of such requests, one after the other.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectionClosedError

from local.http_server import DropConnection, environ_of, refuse_write, served_here

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication, WSGIEnvironment

_log = logging.getLogger(__name__)
_PIECE: Final = 65_536


def answer_here(request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
    """Handle a client's `before-send` event, which takes what is returned for the answer, and sends what has none.

    Raises ConnectionClosedError where a server would answer nothing.
    """
    url = urlsplit(request.url)
    app = served_here(f"{url.scheme}://{url.netloc}")
    if app is None:
        return None
    try:
        status, headers, body = _answered(app, _environ(request, url))
    except DropConnection:
        raise ConnectionClosedError(endpoint_url=request.url) from None
    except Exception:
        _log.exception("the application failed on %s %s", request.method, url.path)
        return AWSResponse(request.url, 500, HTTPHeaders(), _Raw(b""))
    shown = b"" if request.method == "HEAD" else body
    return AWSResponse(request.url, int(status[:3]), HTTPHeaders.from_pairs(headers), _Raw(shown))


def _answered(app: WSGIApplication, environ: WSGIEnvironment) -> tuple[str, list[tuple[str, str]], bytes]:
    heads: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, headers: list[tuple[str, str]], exc_info: object = None, /) -> Callable[[bytes], object]:
        heads.append((status, headers))
        return refuse_write

    answered = app(environ, start)
    try:
        body = b"".join(answered)
    finally:
        if close := getattr(answered, "close", None):
            close()
    return *heads[-1], body


def _environ(request: AWSPreparedRequest, url: SplitResult) -> WSGIEnvironment:
    target = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
    environ = environ_of(request.method, target, _headers(request, url.netloc), _body(request))
    environ |= {"SERVER_NAME": url.hostname, "SERVER_PORT": str(url.port), "SERVER_PROTOCOL": "HTTP/1.1"}
    return environ | {"REMOTE_ADDR": "127.0.0.1", "REMOTE_PORT": "0"}


class _Raw(io.BytesIO):
    """A body as urllib3 would hand it over."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        """It in pieces."""
        while piece := self.read(_PIECE):
            yield piece


def _headers(request: AWSPreparedRequest, host: str) -> Iterator[tuple[str, str]]:
    yield "Host", host
    for name, value in request.headers.items():
        if name.lower() != "host":
            yield name, value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _body(request: AWSPreparedRequest) -> bytes:
    body = request.body or b""
    whole = body if isinstance(body, str | bytes | bytearray) else body.read()
    return whole.encode() if isinstance(whole, str) else bytes(whole)
