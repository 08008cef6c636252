"""Whose a request is, and what it asks for."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest

from bench.measured import Account, Asked, Counted, Spent

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

TRACE = "1-5759e988-bd862e3fe1be46a994272793"
SIGNED = "AWS4-HMAC-SHA256 Credential=local/20261126/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=0"


def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """What it was sent."""
    start_response("200 OK", [])
    return [environ["wsgi.input"].read()]


def ask(cloud: str, account: Account, **more: Any) -> bytes:
    environ = {
        "PATH_INFO": "/",
        "REQUEST_METHOD": "GET",
        "wsgi.input": BytesIO(more.pop("body", b"")),
        "HTTP_X_AMZN_TRACE_ID": f"Root={TRACE};Parent=53995c3f42cd8ad8;Sampled=0",
        **more,
    }
    return b"".join(Counted(answer, cloud, account)(environ, lambda *_: lambda _: None))


@pytest.mark.parametrize(("method", "asked"), [("GET", Asked.LOOK), ("PUT", Asked.CHANGE), ("DELETE", Asked.CHANGE)])
def test_what_a_cloud_is_asked_is_by_its_method(method: str, asked: Asked) -> None:
    account = Account()
    ask("azure", account, REQUEST_METHOD=method)
    assert [(it.service, it.asked) for it in account.requests[TRACE]] == [("azure", asked)]


@pytest.mark.parametrize(
    ("service", "body", "asked"),
    [
        ("ec2", b"Action=DescribeInstances&Version=2016-11-15", Asked.LOOK),
        ("ec2", b"Version=2016-11-15&Action=RunInstances", Asked.CHANGE),
        ("ssm", b"{}", Asked.OWN),
    ],
)
def test_of_aws_it_is_by_service_and_action_and_what_was_sent_arrives(service: str, body: bytes, asked: Asked) -> None:
    account = Account()
    sent = ask("aws", account, body=body, REQUEST_METHOD="POST", HTTP_AUTHORIZATION=SIGNED.format(service))
    assert sent == body
    assert [it.asked for it in account.requests[TRACE]] == [asked]


def test_what_no_function_asks_for_is_nobodys() -> None:
    account = Account()
    ask("azure", account, HTTP_X_AMZN_TRACE_ID="")
    ask("azure", account, PATH_INFO="/_identity/token")
    assert not account.requests


def test_the_time_of_another_process_is_what_it_says_itself() -> None:
    program = "import time\nwhile time.process_time() < 0.3: pass\nprint(time.process_time(), flush=True)\ninput()"
    with subprocess.Popen(  # noqa: S603 - ourselves
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        said = float(other.stdout.readline())
        assert said <= Spent.of(other.pid).processor < said + 0.1
        other.communicate("\n")
    assert Spent.of(os.getpid()).delayed >= 0
