"""An SDK's requests to what the same process serves are answered on the thread that asks, as a server would."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError

from local.aws.clients import create_client
from local.http_server import DropConnection, HttpServer, serve

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment


class Account:
    """Says what it was asked, and keeps the bodies; what a key is named after it does instead."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str, bytes]] = []
        self.threads: set[str] = set()
        self.closed = 0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.threads.add(threading.current_thread().name)
        body = environ["wsgi.input"].read()
        self.asked.append((environ["REQUEST_METHOD"], environ["RAW_URI"], environ["HTTP_HOST"], body))
        assert environ["CONTENT_LENGTH"] == str(len(body))
        if environ["PATH_INFO"].endswith("dropped"):
            raise DropConnection
        if environ["PATH_INFO"].endswith("broken"):
            raise RuntimeError("a fault of its own")
        start_response("200 OK", [("ETag", '"1"'), ("x-amz-meta-of", "it"), ("Content-Length", "5")])
        return self._pieces() if environ["REQUEST_METHOD"] == "GET" else []

    def _pieces(self) -> Iterator[bytes]:
        try:
            yield b"he"
            yield b"llo"
        finally:
            self.closed += 1


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def server(account: Account) -> Iterator[HttpServer]:
    with serve(account) as server:
        yield server


@pytest.fixture
def s3(server: HttpServer) -> Any:
    return create_client("s3", server.url, "eu-west-1")


def test_who_asks_answers(s3: Any, account: Account, server: HttpServer) -> None:
    answer = s3.get_object(Bucket="files", Key="a b/ü")

    assert (answer["ETag"], answer["Metadata"], answer["Body"].read()) == ('"1"', {"of": "it"}, b"hello")
    assert account.threads == {threading.current_thread().name}
    ((method, target, host, body),) = account.asked
    assert (method, target, body) == ("GET", "/files/a%20b/%C3%BC", b"")
    assert f"http://{host}" == server.url
    assert account.closed == 1


@pytest.mark.parametrize("body", [b"sent", "sent", io.BytesIO(b"sent")])
def test_a_body_arrives_whole(s3: Any, account: Account, body: Any) -> None:
    s3.put_object(Bucket="files", Key="a", Body=body)
    assert account.asked[0][3] == b"sent"


def test_a_head_has_no_body(s3: Any) -> None:
    assert s3.head_object(Bucket="files", Key="a")["ContentLength"] == 5


def test_an_answer_that_is_dropped_is_a_connection_that_closed(s3: Any) -> None:
    with pytest.raises(ConnectionClosedError):
        s3.get_object(Bucket="files", Key="dropped")


def test_a_fault_of_the_application_is_an_internal_error(s3: Any, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ClientError, match="500"):
        s3.get_object(Bucket="files", Key="broken")
    assert "a fault of its own" in caplog.text


def test_what_is_not_served_any_more_is_not_answered(s3: Any, server: HttpServer) -> None:
    server.close()
    for client in (s3, create_client("s3", server.url, "eu-west-1")):
        with pytest.raises(EndpointConnectionError):
            client.get_object(Bucket="files", Key="a")
