"""What every local endpoint relies on from its HTTP server."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest

from local.http_server import DropConnection, HttpServer, serve

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


def describe(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    body = environ["wsgi.input"].read()
    line = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']} {environ['RAW_URI']} {environ.get('HTTP_X_TWICE')} "
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [line.encode("latin-1"), body]


def drop(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    raise DropConnection


def fail(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    raise ValueError("the secret is in here")


def stream(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
    start_response("200 OK", [])
    yield b"one,"
    yield b"two"


def nothing(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("204 No Content", [])
    return []


def connect(server: HttpServer) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(server.host, server.port, timeout=5)


def test_one_connection_carries_many_requests() -> None:
    with serve(describe) as server:
        connection = connect(server)
        for number in range(3):
            connection.request("POST", f"/n/{number}", body=b"payload")
            local_port = connection.sock.getsockname()[1]
            assert connection.getresponse().read().endswith(b"payload")
        assert connection.sock.getsockname()[1] == local_port


def test_the_application_sees_the_decoded_path_the_raw_target_and_repeated_headers_joined() -> None:
    with serve(describe) as server:
        connection = connect(server)
        connection.putrequest("GET", "/a%20b?x=%31")
        connection.putheader("X-Twice", "1")
        connection.putheader("X-Twice", "2")
        connection.endheaders()
        assert connection.getresponse().read() == b"GET /a b /a%20b?x=%31 1,2 "


def test_a_chunked_body_arrives_whole() -> None:
    with serve(describe) as server:
        connection = connect(server)
        connection.request("PUT", "/", body=iter([b"ab", b"cd"]), encode_chunked=True)
        assert connection.getresponse().read().endswith(b" abcd")


def test_a_generator_is_streamed_and_the_connection_stays_usable() -> None:
    with serve(stream) as server:
        connection = connect(server)
        for _ in range(2):
            connection.request("GET", "/")
            response = connection.getresponse()
            assert response.getheader("Transfer-Encoding") == "chunked"
            assert response.read() == b"one,two"


@pytest.mark.parametrize(("app", "method"), [(describe, "HEAD"), (stream, "HEAD"), (nothing, "GET")])
def test_an_answer_without_a_body_leaves_nothing_on_the_connection(app: WSGIApplication, method: str) -> None:
    with serve(app) as server:
        connection = connect(server)
        for _ in range(2):
            connection.request(method, "/")
            assert connection.getresponse().read() == b""


def test_drop_connection_sends_no_byte() -> None:
    with serve(drop) as server, socket.create_connection((server.host, server.port), timeout=5) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: local\r\n\r\n")
        assert connection.recv(1) == b""


def test_a_failing_application_answers_500_without_its_message() -> None:
    with serve(fail) as server:
        connection = connect(server)
        connection.request("GET", "/")
        response = connection.getresponse()
        assert response.status == 500
        assert b"secret" not in response.read()


def test_a_body_that_cannot_be_framed_is_refused() -> None:
    with serve(describe) as server, socket.create_connection((server.host, server.port), timeout=5) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: local\r\nContent-Length: many\r\n\r\n")
        assert connection.recv(12) == b"HTTP/1.1 400"


def test_requests_are_answered_at_the_same_time() -> None:
    both_inside = threading.Barrier(2, timeout=5)

    def meet(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        both_inside.wait()
        return describe(environ, start_response)

    with serve(meet) as server:
        connections = [connect(server), connect(server)]
        for connection in connections:
            connection.request("GET", "/")
        assert [connection.getresponse().status for connection in connections] == [200, 200]


def test_close_ends_idle_connections_and_frees_the_port() -> None:
    server = serve(describe)
    idle = connect(server)
    idle.request("GET", "/")
    idle.getresponse().read()
    server.close()
    assert idle.sock.recv(1) == b""
    with serve(describe, port=server.port) as again, urlopen(again.url + "/", timeout=5) as response:  # noqa: S310
        assert response.status == 200
