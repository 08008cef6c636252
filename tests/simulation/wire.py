"""HTTP between the real SDKs and the simulated clouds without sockets: one request is one event of the engine.

Everything of an SDK runs, down to urllib3's `urlopen`, which is what is replaced. A request travels, is served, and
its answer travels; the worker that sent it pauses meanwhile, gives up after its own read timeout, or dies on the way,
and the cloud serves what was sent all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import RemoteDisconnected
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final, Protocol
from unittest import mock
from urllib.parse import unquote_to_bytes, urlsplit

from urllib3 import HTTPHeaderDict, HTTPResponse
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import ProtocolError, ReadTimeoutError
from urllib3.util import Timeout

from local.http_server import DropConnection

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

HOST: Final = "127.0.0.1"
READ_TIMEOUT: Final = 15.0


@dataclass(frozen=True)
class Answer:
    """A cloud's answer; status 0 stands for a connection that was closed without one."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass
class Exchange:
    """One request on its way: what is sent to which cloud, and how long its sender waits for an answer, in seconds."""

    cloud: str
    environ: WSGIEnvironment
    patience: float
    answer: Answer | None = None


class Carrier(Protocol):
    """Whoever decides when a request arrives and what becomes of it."""

    def carry(self, exchange: Exchange) -> None:
        """Return when the sender is to go on; an exchange that still has no answer then has timed out."""
        ...


class Wire:
    """The only way from an SDK to a cloud; clouds are told apart by the ports of addresses that nobody listens at."""

    def __init__(self) -> None:
        self.carrier: Carrier | None = None
        self._clouds: dict[int, str] = {}

    def address(self, cloud: str) -> str:
        """The URL that stands for a cloud."""
        port = len(self._clouds) + 1
        self._clouds[port] = cloud
        return f"http://{HOST}:{port}"

    @contextmanager
    def connected(self) -> Iterator[None]:
        """Have every request of urllib3 go through this wire; one to anywhere else raises."""
        wire = self

        def urlopen(pool: HTTPConnectionPool, method: str, url: str, *args: Any, **options: Any) -> HTTPResponse:
            return wire._open(pool, method, url, *args, **options)

        with mock.patch.object(HTTPConnectionPool, "urlopen", urlopen):
            yield

    def _open(
        self,
        pool: HTTPConnectionPool,
        method: str,
        url: str,
        body: Any = None,
        headers: Mapping[str, Any] | None = None,
        timeout: Any = None,
        **_: Any,
    ) -> HTTPResponse:
        cloud = self._clouds.get(pool.port or 0)
        if cloud is None or self.carrier is None:
            raise ProtocolError(f"nothing of a simulation leaves this process: {pool.host}:{pool.port}")
        exchange = Exchange(cloud, _environ(pool, method, url, body, headers or {}), _patience(timeout, pool.timeout))
        self.carrier.carry(exchange)
        answer = exchange.answer
        if answer is None:
            raise ReadTimeoutError(pool, url, f"Read timed out. (read timeout={exchange.patience})")
        if not answer.status:
            raise ProtocolError("Connection aborted.", RemoteDisconnected("Remote end closed connection"))
        return HTTPResponse(
            body=BytesIO(answer.body),
            headers=HTTPHeaderDict(answer.headers),
            status=answer.status,
            preload_content=False,
            request_method=method,
            request_url=url,
        )


def answered(app: WSGIApplication, environ: WSGIEnvironment) -> Answer:
    """What an application answers, now."""
    head: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> Callable[[bytes], object]:
        head.append((status, headers))
        return lambda _: None

    try:
        body: Iterable[bytes] = app(environ, start_response)
        content = b"".join(body)
    except DropConnection:
        return Answer(0)
    status, headers = head[0]
    return Answer(int(status.split()[0]), tuple(headers), content)


def _patience(*candidates: object) -> float:
    for timeout in candidates:
        value = timeout.read_timeout if isinstance(timeout, Timeout) else timeout
        if isinstance(value, int | float):
            return float(value)
    return READ_TIMEOUT


def _environ(pool: HTTPConnectionPool, method: str, url: str, body: Any, headers: Mapping[str, Any]) -> WSGIEnvironment:
    target = urlsplit(url)
    content = body.encode() if isinstance(body, str) else bytes(body or b"")
    path = target.path or "/"
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": target.query,
        "RAW_URI": f"{path}?{target.query}" if target.query else path,
        "SERVER_NAME": HOST,
        "SERVER_PORT": str(pool.port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": f"{HOST}:{pool.port}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(content),
        "wsgi.input_terminated": True,
        "wsgi.errors": None,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = text
    environ["CONTENT_LENGTH"] = str(len(content))
    environ["REQUEST_URI"] = environ["RAW_URI"]
    return environ
