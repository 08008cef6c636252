"""An SDK's requests to a server of the same process, answered by its application on the thread that asks.

What goes through a socket is answered by another thread, on another core, whose caches know nothing of it; a deployment
is hundreds of such requests, one after the other.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectionClosedError

from local.http_server import DropConnection, environ_of, refuse_write

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

_log = logging.getLogger(__name__)
_PIECE: Final = 65_536


class InProcess:
    """Handles a client's `before-send` event, which takes what is returned for the answer."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        """Answer a request; raises ConnectionClosedError where a server would answer nothing."""
        url = urlsplit(request.url)
        target = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
        environ = environ_of(request.method, target, _headers(request, url.netloc), _body(request))
        environ |= {"SERVER_NAME": url.hostname, "SERVER_PORT": str(url.port), "SERVER_PROTOCOL": "HTTP/1.1"}
        environ |= {"REMOTE_ADDR": "127.0.0.1", "REMOTE_PORT": "0"}
        heads: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, headers: list[tuple[str, str]], exc_info: object = None, /) -> Callable[[bytes], object]:
            heads.append((status, headers))
            return refuse_write

        try:
            answered = self._app(environ, start)
            try:
                body = b"".join(answered)
            finally:
                if close := getattr(answered, "close", None):
                    close()
        except DropConnection:
            raise ConnectionClosedError(endpoint_url=request.url) from None
        except Exception:
            _log.exception("the application failed on %s %s", request.method, url.path)
            return AWSResponse(request.url, 500, HTTPHeaders(), _Raw(b""))
        status, headers = heads[-1]
        shown = b"" if request.method == "HEAD" else body
        return AWSResponse(request.url, int(status[:3]), HTTPHeaders.from_pairs(headers), _Raw(shown))


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
