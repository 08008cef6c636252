"""The console's server: static files at `/`, the API at `/api/`, on the loopback interface only."""

from __future__ import annotations

import json
import logging
import socket
import socketserver
import threading
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from cli.console.guard import Guard, Refused
from cli.console.page import load_page, page_folder
from cli.console.upstream import Upstream

if TYPE_CHECKING:
    from types import TracebackType

    from cli.console.page import PageFile

_log = logging.getLogger(__name__)

_API: Final = "/api"
_LOOPBACK: Final = "127.0.0.1"
_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
"""What the page may do: run and show its own files, and call us. Nothing written into it can become a script."""

_ALWAYS: Final = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class ConsoleServer:
    """A console that runs from now on until `close`; `url` has no trailing slash.

    Without a `key` whoever is on this machine may use it: right where the API's credentials are no secret either.
    Raises OSError for a port that is taken.
    """

    def __init__(self, upstream: Upstream, port: int = 0, key: str | None = None) -> None:
        self._server = _Server(upstream, port, key)
        self.url = f"http://{_LOOPBACK}:{self._server.server_address[1]}"
        self.entrance = self.url + (f"/?token={key}" if key else "/")
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="console", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening, and close every open connection: what is being answered loses its own."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._server.close_connections()

    def __enter__(self) -> ConsoleServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, upstream: Upstream, port: int, key: str | None) -> None:
        self.page = load_page(page_folder())
        self.upstream = upstream
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__((_LOOPBACK, port), _Handler)
        self.guard = Guard(self.server_address[1], key)

    def server_bind(self) -> None:
        # HTTPServer would look its own name up in the DNS, which can take seconds.
        socketserver.TCPServer.server_bind(self)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        _log.debug("connection from %s ended early", client_address, exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    """One connection; every request is checked before anything is done about it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def version_string(self) -> str:
        """Say what this is, but not of which version."""
        return "skysaga"

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing per request: an address may have the key in it."""

    def _answer(self) -> None:
        try:
            self._refuse_body()
            self.server.guard.check_host(self.headers)
            target = urlsplit(self.path)
            if target.path.startswith(f"{_API}/"):
                self._pass_on(target.path.removeprefix(_API), target.query)
            else:
                self._show(target.path, target.query)
        except Refused as refusal:
            problem = {"title": refusal.title, "status": refusal.status, "detail": refusal.detail}
            headers = {"Content-Type": "application/problem+json", "Cache-Control": "no-store"}
            self._send(refusal.status, headers, json.dumps(problem).encode())

    def _refuse_body(self) -> None:
        """None of the calls has one, and one that is left unread would be taken for the next request."""
        if self.headers.get("Transfer-Encoding") or self.headers.get("Content-Length", "0").strip() != "0":
            self.close_connection = True
            detail = "Requests are submitted with `skysaga apply`, or to the API itself."
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The console takes no documents", detail)

    def _pass_on(self, path: str, query: str) -> None:
        self.server.guard.check_caller(self.command, self.headers)
        answer = self.server.upstream.call(self.command, path, query, dict(self.headers.items()))
        self._send(answer.status, {"Cache-Control": "no-store", **answer.headers}, answer.body)

    def _show(self, path: str, query: str) -> None:
        file = self.server.page.get(path)
        if self.command not in ("GET", "HEAD") or file is None:
            raise Refused(HTTPStatus.NOT_FOUND, "There is no such page", "The console's page is at /.")
        if path == "/" and "token=" in query:
            self._send(HTTPStatus.SEE_OTHER, {"Location": "/", **self.server.guard.exchange(query)}, b"")
        else:
            self._send_file(file)

    def _send_file(self, file: PageFile) -> None:
        headers = {"Content-Type": file.media_type, "Cache-Control": "no-cache", "ETag": file.tag}
        if self.headers.get("If-None-Match") == file.tag:
            self._send(HTTPStatus.NOT_MODIFIED, headers, b"")
        else:
            self._send(HTTPStatus.OK, headers, file.content)

    def _send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {**_ALWAYS, **headers}.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        if status != HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and status != HTTPStatus.NOT_MODIFIED:
            self.wfile.write(body)
