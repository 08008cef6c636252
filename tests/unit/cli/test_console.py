"""The console's server: whom it lets in, what it passes on, and what it says to browsers."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.exceptions import NoCredentialsError
from click.testing import CliRunner

from cli.__main__ import main
from cli.console.server import ConsoleServer
from cli.console.upstream import Upstream
from cli.endpoint import Deployment

KEY = "a-key-of-this-start"


class Renewed(Credentials):
    """Credentials that are others each time, as those that expire become."""

    def __init__(self) -> None:
        super().__init__("AKIDFIRST", "secret")
        self.asked = 0

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        self.asked += 1
        return ReadOnlyCredentials(f"AKID{self.asked}", "secret", f"session-{self.asked}")


class Api:
    """What stands behind the console: remembers every request, and answers it in a given time."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        self.seconds = 0.0
        self.status = 200
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                api.seen.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
                time.sleep(api.seconds)
                body = b"" if api.status == 304 else b'{"items": []}'
                self.send_response(api.status)
                for name, value in {"ETag": '"7"', "X-Inner": "kept back", "Content-Type": "application/json"}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - the standard library's names

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(name="api")
def _api() -> Iterator[Api]:
    api = Api()
    yield api
    api.close()


Serve = Callable[..., ConsoleServer]


@pytest.fixture(name="serve")
def _serve(api: Api) -> Iterator[Serve]:
    """Serves a console before the API; with a key unless told otherwise."""
    running: list[ConsoleServer] = []

    def serve(
        key: str | None = KEY, credentials: Credentials | None = None, address: str | None = None
    ) -> ConsoleServer:
        deployment = Deployment(address or api.url, credentials or Credentials("AKID", "secret"), "eu-west-1")
        running.append(ConsoleServer(Upstream(deployment), key=key))
        return running[-1]

    yield serve
    for server in running:
        server.close()


def entered(console: ConsoleServer) -> requests.Session:
    """A browser that has been at the address with the key."""
    session = requests.Session()
    assert session.get(console.entrance, timeout=5).status_code == 200
    return session


def test_the_key_in_the_address_becomes_a_cookie_that_scripts_and_other_sites_do_not_get(serve: Serve) -> None:
    console = serve()
    answer = requests.get(console.entrance, timeout=5, allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert entered(console).get(f"{console.url}/api/sagas", timeout=5).json() == {"items": []}


@pytest.mark.parametrize("cookie", [None, "wrong", ""])
def test_without_the_key_nothing_is_passed_on(serve: Serve, api: Api, cookie: str | None) -> None:
    console = serve()
    name = f"skysaga-console-{console.url.rpartition(':')[2]}"
    headers = {} if cookie is None else {"Cookie": f"{name}={cookie}"}
    answer = requests.get(f"{console.url}/api/sagas", headers=headers, timeout=5)
    assert (answer.status_code, answer.headers["Content-Type"]) == (401, "application/problem+json")
    assert "skysaga console" in answer.json()["detail"]
    assert api.seen == []


def test_a_wrong_key_is_exchanged_for_nothing(serve: Serve) -> None:
    answer = requests.get(f"{serve().url}/?token=guessed", timeout=5, allow_redirects=False)
    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/", "/main.js", "/api/sagas"])
@pytest.mark.parametrize("name", ["evil.example", "127.0.0.1", "localhost:1", "127.0.0.1.evil.example:{port}"])
def test_a_name_that_somebody_else_points_here_is_refused(serve: Serve, api: Api, name: str, path: str) -> None:
    console = serve(key=None)
    host = name.format(port=console.url.rpartition(":")[2])
    assert requests.get(console.url + path, headers={"Host": host}, timeout=5).status_code == 421
    assert api.seen == []


def test_it_answers_to_localhost_too(serve: Serve) -> None:
    console = serve(key=None)
    host = f"localhost:{console.url.rpartition(':')[2]}"
    assert requests.get(f"{console.url}/api/sagas", headers={"Host": host}, timeout=5).ok


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "{url}", "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_what_changes_something_must_come_from_the_page(serve: Serve, api: Api, headers: dict[str, str]) -> None:
    console = serve()
    sent = {name: value.format(url=console.url) for name, value in headers.items()}
    answer = entered(console).post(f"{console.url}/api/sagas/s1/cancel", headers=sent, timeout=5)
    assert answer.status_code == 403
    assert api.seen == []


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_other_sites_may_not_even_ask(serve: Serve, api: Api, site: str) -> None:
    answer = requests.get(f"{serve(key=None).url}/api/sagas", headers={"Sec-Fetch-Site": site}, timeout=5)
    assert answer.status_code == 403
    assert api.seen == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/sagas"),
        ("POST", "/plans"),
        ("PUT", "/clusters/vc-1/drain"),
        ("GET", "/sagas/../costs"),
        ("GET", "/sagas/s1/"),
        ("GET", "/sagas/s1%2Fevents"),
        ("DELETE", "/sagas"),
        ("GET", "//evil.example/sagas"),
    ],
)
def test_only_what_the_page_does_is_passed_on(serve: Serve, api: Api, method: str, path: str) -> None:
    console = serve(key=None)
    request = requests.Request(method, console.url, headers={"Origin": console.url}).prepare()
    request.url = f"{console.url}/api{path}"
    assert requests.Session().send(request, timeout=5).status_code in (404, 501)
    assert api.seen == []


def test_calls_are_signed_and_keep_their_conditions(serve: Serve, api: Api) -> None:
    console = serve()
    sent = {"Origin": console.url, "If-Match": '"6"', "X-Mine": "kept back", "Authorization": "mine"}
    answer = entered(console).delete(f"{console.url}/api/sagas/s1?x=a%20b", headers=sent, timeout=5)
    method, path, headers = api.seen[-1]
    assert (method, path) == ("DELETE", "/sagas/s1?x=a%20b")
    assert headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKID/")
    assert headers["if-match"] == '"6"'
    assert {"x-mine", "cookie", "origin"} & set(headers) == set()
    assert answer.headers["ETag"] == '"7"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert "X-Inner" not in answer.headers


def test_credentials_that_expire_are_asked_for_again(serve: Serve, api: Api) -> None:
    console = serve(key=None, credentials=Renewed())
    for _ in range(2):
        requests.get(f"{console.url}/api/sagas", timeout=5)
    assert [headers["x-amz-security-token"] for _, _, headers in api.seen] == ["session-1", "session-2"]


def test_what_has_not_changed_is_passed_back_as_such(serve: Serve, api: Api) -> None:
    api.status = 304
    answer = requests.get(f"{serve(key=None).url}/api/sagas/s1", headers={"If-None-Match": '"7"'}, timeout=5)
    assert (answer.status_code, answer.content, api.seen[-1][2]["if-none-match"]) == (304, b"", '"7"')


def test_long_polls_do_not_wait_for_each_other(serve: Serve, api: Api) -> None:
    api.seconds = 0.5
    console = serve(key=None)
    began = time.monotonic()
    with ThreadPoolExecutor(12) as threads:
        polls = [threads.submit(requests.get, f"{console.url}/api/sagas/s{n}/events", timeout=5) for n in range(12)]
        assert all(poll.result().ok for poll in polls)
    assert time.monotonic() - began < 2


def test_an_api_that_does_not_answer_is_said_to(serve: Serve) -> None:
    answer = requests.get(f"{serve(key=None, address='http://127.0.0.1:9').url}/api/sagas", timeout=5)
    assert (answer.status_code, answer.json()["title"]) == (502, "The API does not answer")


def test_credentials_that_cannot_be_renewed_are_the_operators_to_mend(serve: Serve) -> None:
    class Gone(Renewed):
        def get_frozen_credentials(self) -> ReadOnlyCredentials:
            raise NoCredentialsError

    answer = requests.get(f"{serve(key=None, credentials=Gone()).url}/api/sagas", timeout=5)
    assert answer.status_code == 502
    assert "Sign in again" in answer.json()["detail"]


def test_every_answer_tells_browsers_how_little_the_page_may_do(serve: Serve) -> None:
    console = serve()
    for path in ("/", "/style.css", "/api/sagas", "/nothing"):
        headers = requests.get(console.url + path, timeout=5).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"]) == ("nosniff", "no-referrer")


def test_only_the_files_of_the_page_are_served(serve: Serve) -> None:
    console = serve()
    page = requests.get(console.url, timeout=5)
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    again = requests.get(console.url, headers={"If-None-Match": page.headers["ETag"]}, timeout=5)
    assert again.status_code == 304
    assert requests.get(f"{console.url}/config.json", timeout=5).json() == {"api": "api/", "signin": None}
    for path in ("/../pyproject.toml", "/%2e%2e/pyproject.toml", "//etc/passwd", "/views/"):
        request = requests.Request("GET", console.url).prepare()
        request.url = console.url + path
        assert requests.Session().send(request, timeout=5).status_code == 404


def test_documents_are_not_taken(serve: Serve) -> None:
    console = serve(key=None)
    answer = requests.post(
        f"{console.url}/api/sagas/s1/cancel", data="x" * 100, headers={"Origin": console.url}, timeout=5
    )
    assert (answer.status_code, answer.headers["Connection"]) == (413, "close")


def test_the_command_needs_a_deployment(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["console", "--no-browser"])
    assert result.exit_code == 4
    assert "make up" in result.output


def test_the_command_prints_an_address_that_lets_in_and_says_which_port_is_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, api: Api
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".local").mkdir()
    (tmp_path / ".local" / "endpoints.json").write_text(json.dumps({"api": api.url}))
    told: list[str] = []

    def visit() -> None:
        told.append(requests.get(opened[0], timeout=5).url)

    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setattr("cli.console.command._wait_for_interrupt", visit)
    result = CliRunner().invoke(main, ["console"])
    assert (result.exit_code, opened[0] in result.output) == (0, True)
    assert "token=" not in told[0]
    taken = api.url.rpartition(":")[2]
    result = CliRunner().invoke(main, ["console", "--port", taken])
    assert result.exit_code == 1
    assert "another --port" in result.output
