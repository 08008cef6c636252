"""The engine on HTTP: the AWS JSON 1.0 protocol, as SDKs and the CLI speak it."""

from __future__ import annotations

import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from local.stepfunctions.engine import Engine


class StepFunctionsServer(ThreadingHTTPServer):
    """Serves an engine; every request has a thread of its own, the engine decides what waits."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, engine: Engine, host: str = "127.0.0.1", port: int = 8083) -> None:
        self.engine = engine
        super().__init__((host, port), _Handler)

    @property
    def url(self) -> str:
        """Where SDKs find it."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    server: StepFunctionsServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, answer = self.server.engine.handle(self.headers.get("X-Amz-Target", ""), body)
        self._answer(status, answer)

    def do_GET(self) -> None:
        self._answer(200, b'{"status":"running"}')

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-amzn-RequestId", str(uuid.uuid4()))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Requests are not logged: their payloads are the caller's."""
