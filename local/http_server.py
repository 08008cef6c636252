"""The HTTP server under every local endpoint: WSGI in threads with keep-alive, and able to drop a reply.

Werkzeug's server closes the connection after each answer, which costs an SDK a new connection per call, so this one
stands on the standard library and reads each body whole before the application runs: nothing is left to drain.
"""

from __future__ import annotations

import contextlib
import io
import logging
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Callable, Iterable
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from types import TracebackType
    from wsgiref.types import WSGIApplication, WSGIEnvironment

_log = logging.getLogger(__name__)
_MAX_LINE_BYTES = 65_536

CONNECTION: Final = "skysaga.connection"
"""The environ key of an object that stands for the connection of a request, and lives no longer than that."""


_here: Final[dict[str, WSGIApplication]] = {}
"""What this process serves, by URL."""


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    """A moment as answers tell it, formatted once for all answers of a second: it takes as long as their heads."""
    return formatdate(second, usegmt=True)


def environ_of(method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes) -> WSGIEnvironment:
    """What an application is told of a request; who has sent it where is still to be added."""
    path, _, query = target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        # The undecoded target: signatures and greedy routes are about what was sent, not what it decodes to.
        "REQUEST_URI": target,
        "RAW_URI": target,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in headers:
        # WSGI cannot tell X_Foo from X-Foo, and the body arrives whole whatever its encoding was.
        if "_" in name or name.lower() == "transfer-encoding":
            continue
        key = name.upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = "HTTP_" + key
            value = f"{environ[key]},{value}" if key in environ else value  # noqa: PLW2901 - folded as WSGI does
        environ[key] = value
    environ["CONTENT_LENGTH"] = str(len(body))
    return environ


def refuse_write(_data: bytes) -> object:
    """What `start_response` returns here: WSGI's older way to answer, which no application of ours takes."""
    raise NotImplementedError("return the body instead of calling write()")


class DropConnection(Exception):
    """Raised by an application to have its connection closed without a single byte of answer."""


class HttpServer:
    """A running server; `url` has no trailing slash, and `close` may be called more than once."""

    def __init__(self, app: WSGIApplication, host: str, port: int, name: str) -> None:
        self._server = _ThreadingServer((host, port), app)
        self.host = host
        self.port: int = self._server.server_address[1]
        self.url = f"http://{host}:{self.port}"
        _here[self.url] = app
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name=name, daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop listening and close every open connection; requests being answered lose theirs."""
        _here.pop(self.url, None)
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        self._server.close_connections()

    def __enter__(self) -> HttpServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def serve(app: WSGIApplication, host: str = "127.0.0.1", port: int = 0, name: str = "http") -> HttpServer:
    """Serve `app` in background threads at once; port 0 takes a free one, a taken one raises OSError."""
    return HttpServer(app, host, port, name)


def served_here(url: str) -> WSGIApplication | None:
    """The application that this process serves at a URL, if it does."""
    return _here.get(url)


class _ThreadingServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 1024

    def __init__(self, address: tuple[str, int], app: WSGIApplication) -> None:
        self.app = app
        self._connections: set[socket.socket] = set()
        self._connections_lock = threading.Lock()
        super().__init__(address, _WsgiRequestHandler)

    def server_bind(self) -> None:
        # HTTPServer would look its own name up in the DNS, which can take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._connections_lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._connections_lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        _log.debug("connection from %s ended early", client_address, exc_info=True)

    def close_connections(self) -> None:
        with self._connections_lock:
            connections = list(self._connections)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _BadRequest(Exception):
    """The request's framing cannot be trusted, so neither can what follows it on the connection."""


class _WsgiRequestHandler(BaseHTTPRequestHandler):
    """One connection: requests are answered one after the other until either side closes."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _ThreadingServer

    def handle_one_request(self) -> None:
        """Read one request, run the application and send its answer; any framing error closes the connection."""
        self.raw_requestline = self.rfile.readline(_MAX_LINE_BYTES + 1)
        self.requestline = self.request_version = self.command = ""
        if len(self.raw_requestline) > _MAX_LINE_BYTES:
            self.send_error(HTTPStatus.REQUEST_URI_TOO_LONG)
            return
        if not self.raw_requestline:
            self.close_connection = True
            return
        if not self.parse_request():
            return
        try:
            environ = self._environ(self._read_body())
        except _BadRequest as error:
            self.send_error(HTTPStatus.BAD_REQUEST, str(error))
            self.close_connection = True
            return
        self._answer(environ)

    def _answer(self, environ: WSGIEnvironment) -> None:
        response = _Response(self)
        try:
            response.send(self.server.app(environ, response.start))
        except DropConnection:
            self.close_connection = True
        except OSError:
            _log.debug("the client left before its answer", exc_info=True)
            self.close_connection = True
        except Exception:
            _log.exception("the application failed on %s %s", self.command, environ["PATH_INFO"])
            if response.sent:
                self.close_connection = True
            else:
                self.send_error(HTTPStatus.INTERNAL_SERVER_ERROR)

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return self._read_chunks()
        length = self.headers.get("Content-Length", "0").strip()
        if not length.isdecimal():
            raise _BadRequest("Content-Length is not a number")
        return self._read_exactly(int(length))

    def _read_chunks(self) -> bytes:
        chunks = []
        while True:
            try:
                size = int(self.rfile.readline(_MAX_LINE_BYTES).split(b";")[0], 16)
            except ValueError:
                raise _BadRequest("a chunk has no size") from None
            if size <= 0:
                break
            chunks.append(self._read_exactly(size))
            self.rfile.readline(_MAX_LINE_BYTES)
        while self.rfile.readline(_MAX_LINE_BYTES).strip():
            pass
        return b"".join(chunks)

    def _read_exactly(self, size: int) -> bytes:
        body = self.rfile.read(size) if size else b""
        if len(body) < size:
            raise _BadRequest("the body ended early")
        return body

    def _environ(self, body: bytes) -> WSGIEnvironment:
        target = self.path if self.path.startswith("/") else "/" + self.path.partition("://")[2].partition("/")[2]
        environ = environ_of(self.command, target, self.headers.items(), body)
        environ["SERVER_NAME"] = self.server.server_name
        environ["SERVER_PORT"] = str(self.server.server_port)
        environ["SERVER_PROTOCOL"] = self.request_version
        environ["REMOTE_ADDR"] = self.client_address[0]
        environ["REMOTE_PORT"] = str(self.client_address[1])
        environ[CONNECTION] = self
        return environ

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing per request: applications log what matters."""


class _Response:
    """Turns what a WSGI application returns into bytes, adding the framing it left out."""

    def __init__(self, handler: _WsgiRequestHandler) -> None:
        self._handler = handler
        self._status = ""
        self._headers: list[tuple[str, str]] = []
        self.sent = False

    def start(
        self, status: str, headers: list[tuple[str, str]], exc_info: object = None, /
    ) -> Callable[[bytes], object]:
        """Keep the head until the first body bytes, as WSGI asks; `exc_info` after it went out raises."""
        if exc_info and self.sent:
            raise cast("tuple[type, BaseException, object]", exc_info)[1]
        self._status, self._headers = status, headers
        return refuse_write

    def send(self, body: Iterable[bytes]) -> None:
        """Send the head and `body`: whole when it is a list, otherwise piece by piece as it is produced."""
        try:
            framed = self._declares("content-length") or self._handler.request_version == "HTTP/1.0"
            if framed or isinstance(body, list | tuple):
                self._send_whole(b"".join(body))
            else:
                self._send_pieces(body)
        finally:
            if close := getattr(body, "close", None):
                close()

    def _send_whole(self, body: bytes) -> None:
        length = [] if self._declares("content-length") or self._is_bodyless() else [("Content-Length", str(len(body)))]
        self._write(self._head(length) + (b"" if self._hides_body() else body))

    def _send_pieces(self, body: Iterable[bytes]) -> None:
        started = False
        for piece in body:
            # The head waits for the first piece, so that a generator can still raise DropConnection.
            if not started:
                self._write(self._head([("Transfer-Encoding", "chunked")]))
                started = True
            if piece and not self._hides_body():
                self._write(b"%x\r\n%b\r\n" % (len(piece), piece))
        if not started:
            self._send_whole(b"")
        elif not self._hides_body():
            self._write(b"0\r\n\r\n")

    def _head(self, framing: list[tuple[str, str]]) -> bytes:
        if not self._status:
            raise RuntimeError("the application returned without calling start_response")
        handler = self._handler
        if ("connection", "close") in ((name.lower(), value.lower()) for name, value in self._headers):
            handler.close_connection = True
        lines = [f"HTTP/1.1 {self._status}"]
        lines += [f"{name}: {value}" for name, value in self._headers + framing]
        if not self._declares("date"):
            lines.append(f"Date: {_date(int(time.time()))}")
        if handler.close_connection and not self._declares("connection"):
            lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def _write(self, data: bytes) -> None:
        self.sent = True
        self._handler.wfile.write(data)

    def _declares(self, header: str) -> bool:
        return any(name.lower() == header for name, _ in self._headers)

    def _is_bodyless(self) -> bool:
        return self._status[:3] in ("204", "304") or self._status.startswith("1")

    def _hides_body(self) -> bool:
        return self._handler.command == "HEAD" or self._is_bodyless()
