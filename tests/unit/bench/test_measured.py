"""Whose a request is, and what it asks for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from bench.measured import Account, Asked, Counted, Spent
from bench.request_units import Units
from local.aws.account import create_app
from local.clock import WallClock
from tests.contract.test_ledger_contract import TABLE, create_table

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

TRACE = "1-5759e988-bd862e3fe1be46a994272793"
NOBODY: Any = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
SIGNED = "AWS4-HMAC-SHA256 Credential=local/20261126/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=0"


def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """What it was sent."""
    start_response("200 OK", [])
    return [environ["wsgi.input"].read()]


def ask(cloud: str, account: Account, app: WSGIApplication = answer, **more: Any) -> bytes:
    body = more.pop("body", b"")
    environ = {
        "PATH_INFO": "/",
        "REQUEST_METHOD": "GET",
        "wsgi.input": BytesIO(body),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_X_AMZN_TRACE_ID": f"Root={TRACE};Parent=53995c3f42cd8ad8;Sampled=0",
        **more,
    }
    return b"".join(Counted(app, cloud, account)(environ, lambda *_: lambda _: None))


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


def test_what_dynamodb_charges_is_by_the_items_before_and_after() -> None:
    with mock_aws():
        account, app = Account(), create_app(WallClock())
        create_table(boto3.client("dynamodb", region_name="us-east-1", **NOBODY))
        small, large = ({"pk": {"S": "saga"}, "sk": {"S": "A"}, "x": {"S": "x" * length}} for length in (10, 3000))
        other = {"pk": {"S": "saga"}, "sk": {"S": "B"}}
        for items in ([large, other], [small]):
            body = {"TransactItems": [{"Put": {"TableName": TABLE, "Item": it}} for it in items]}
            ask("aws", account, app, body=json.dumps(body).encode(), **dynamodb("TransactWriteItems"))
        query = {"TableName": TABLE, "Key": {name: small[name] for name in ("pk", "sk")}, "ConsistentRead": True}
        ask("aws", account, app, body=json.dumps(query).encode(), **dynamodb("GetItem"))
    assert [it.units for it in account.requests[TRACE]] == [Units(write=2 * 3 + 2), Units(write=2 * 3), Units(read=1)]


def dynamodb(operation: str) -> dict[str, str]:
    """How the SDK asks DynamoDB."""
    return {
        "REQUEST_METHOD": "POST",
        "RAW_URI": "/",
        "HTTP_HOST": "localhost",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "QUERY_STRING": "",
        "wsgi.url_scheme": "http",
        "CONTENT_TYPE": "application/x-amz-json-1.0",
        "HTTP_X_AMZ_TARGET": f"DynamoDB_20120810.{operation}",
        "HTTP_AUTHORIZATION": SIGNED.format("dynamodb"),
    }


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
