"""EC2's errors in the saga's three words: one test per code of the tables, through a real client."""

from __future__ import annotations

import inspect
import socket
from collections.abc import Iterator
from typing import Any

import boto3
import botocore.exceptions
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.parsers import ResponseParserError
from botocore.stub import Stubber

from lambdas.aws.clients import AwsClients
from lambdas.aws.errors import CAPACITY_CODES, RETRYABLE_CODES, failed_afterwards, translate, translated
from lambdas.aws.settings import AwsSettings
from lambdas.core.errors import CapacityError, RetryableError, StepError, TerminalError

TERMINAL_CODES = [
    "AuthFailure",
    "IdempotentParameterMismatch",
    "InvalidAMIID.Malformed",
    "InvalidAMIID.NotFound",
    "InvalidGroup.NotFound",
    "InvalidParameterValue",
    "InvalidSubnetID.NotFound",
    "InvalidVolume.ZoneMismatch",
    "MissingParameter",
    "OptInRequired",
    "UnauthorizedOperation",
    "Unsupported",
    "SomethingNew",
]

NO_ANSWER = [
    botocore.exceptions.ConnectTimeoutError(endpoint_url="https://ec2"),
    botocore.exceptions.ConnectionClosedError(endpoint_url="https://ec2"),
    botocore.exceptions.ConnectionError(error=OSError("reset")),
    botocore.exceptions.EndpointConnectionError(endpoint_url="https://ec2"),
    botocore.exceptions.HTTPClientError(error="broken pipe"),
    botocore.exceptions.IncompleteReadError(actual_bytes=1, expected_bytes=2),
    botocore.exceptions.ProxyConnectionError(proxy_url="https://proxy"),
    botocore.exceptions.ReadTimeoutError(endpoint_url="https://ec2"),
    botocore.exceptions.ResponseStreamingError(error="cut off"),
    botocore.exceptions.SSLError(endpoint_url="https://ec2", error=OSError("handshake")),
    ResponseParserError("not XML"),
]


@pytest.fixture(autouse=True)
def aws_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)


@pytest.fixture(scope="module")
def ec2() -> Any:
    return boto3.client(
        "ec2",
        region_name="eu-west-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.fixture
def stubber(ec2: Any) -> Iterator[Stubber]:
    with Stubber(ec2) as stubber:
        yield stubber


def refused(ec2: Any, stubber: Stubber, code: str, status: int) -> StepError:
    """What a step sees when EC2 answers a real client with that code."""
    stubber.add_client_error("describe_instances", code, "its message", status)
    with pytest.raises(StepError) as raised, translated():
        ec2.describe_instances()
    return raised.value


@pytest.mark.parametrize("code", sorted(RETRYABLE_CODES))
def test_a_code_that_passes_by_itself_is_retryable(ec2: Any, stubber: Stubber, code: str) -> None:
    error = refused(ec2, stubber, code, 400)
    assert type(error) is RetryableError
    assert (error.code, str(error)) == (code, f"{code}: its message")


@pytest.mark.parametrize("code", sorted(CAPACITY_CODES))
@pytest.mark.parametrize("status", [400, 500], ids=["4xx", "5xx"])
def test_a_code_that_says_full_is_capacity_whatever_its_status(
    ec2: Any, stubber: Stubber, code: str, status: int
) -> None:
    error = refused(ec2, stubber, code, status)
    assert type(error) is CapacityError
    assert (error.code, str(error)) == (code, f"{code}: its message")


@pytest.mark.parametrize("code", TERMINAL_CODES)
def test_every_other_refusal_is_terminal(ec2: Any, stubber: Stubber, code: str) -> None:
    error = refused(ec2, stubber, code, 400)
    assert type(error) is TerminalError
    assert (error.code, str(error)) == (code, f"{code}: its message")


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_an_unknown_code_with_a_status_that_says_later_is_retryable(ec2: Any, stubber: Stubber, status: int) -> None:
    assert type(refused(ec2, stubber, "SomethingNew", status)) is RetryableError


def test_no_code_is_in_both_tables() -> None:
    assert not RETRYABLE_CODES & CAPACITY_CODES


@pytest.mark.parametrize("error", NO_ANSWER, ids=lambda error: type(error).__name__)
def test_no_answer_is_retryable_since_nobody_knows(error: Any) -> None:
    with pytest.raises(RetryableError, match=f"^{type(error).__name__}: .*nobody knows") as raised, translated():
        raise error
    assert raised.value.__cause__ is error


def test_every_connection_error_that_botocore_has_is_tested_above() -> None:
    kinds = (botocore.exceptions.ConnectionError, botocore.exceptions.HTTPClientError)
    known = {
        kind
        for _, kind in inspect.getmembers(botocore.exceptions, inspect.isclass)
        if issubclass(kind, kinds) and kind.__module__ == "botocore.exceptions"
    }
    assert known <= {type(error) for error in NO_ANSWER}


@pytest.mark.parametrize(
    "error",
    [
        botocore.exceptions.NoCredentialsError(),
        botocore.exceptions.ParamValidationError(report="wrong"),
        botocore.exceptions.UnknownServiceError(service_name="ec3", known_service_names="ec2"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_is_wrong_on_our_side_is_terminal(error: Any) -> None:
    translation = translate(error)
    assert type(translation) is TerminalError
    assert translation.code == type(error).__name__


def test_what_is_no_error_of_boto3_is_left_alone() -> None:
    with pytest.raises(KeyError), translated():
        raise KeyError("ours")
    with pytest.raises(CapacityError), translated():
        raise CapacityError("Full", "already translated")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("Server.InsufficientInstanceCapacity", CapacityError),
        ("Client.VolumeLimitExceeded", CapacityError),
        ("Client.InstanceInitiatedShutdown", TerminalError),
        ("Client.InvalidSnapshot.NotFound", TerminalError),
        ("Server.InternalError", TerminalError),
        ("InternalError", TerminalError),
    ],
)
def test_what_ec2_gave_up_afterwards_is_capacity_or_terminal_never_retried(code: str, kind: type[StepError]) -> None:
    assert type(failed_afterwards(code, "its message")) is kind


def test_a_real_client_that_nobody_answers_asks_once_and_is_retryable(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{nobody.getsockname()[1]}")
        client = AwsClients(AwsSettings()).ec2("eu-west-1")
        with pytest.raises(RetryableError, match="EndpointConnectionError"), translated():
            client.describe_instances()


def test_a_real_client_asks_once_so_that_the_state_machine_decides_on_retries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = AwsClients(AwsSettings()).ec2("eu-west-1")
    sent: list[str] = []

    def unavailable(request: Any, **_: Any) -> Any:
        sent.append(request.url)
        return AWSResponse(request.url, 503, HTTPHeaders(), Body(UNAVAILABLE))

    client.meta.events.register("before-send.ec2.DescribeInstances", unavailable)
    with pytest.raises(RetryableError, match="Unavailable"), translated():
        client.describe_instances()
    assert len(sent) == 1


def test_there_is_one_client_per_region() -> None:
    clients = AwsClients(AwsSettings())
    assert clients.ec2("eu-west-1") is clients.ec2("eu-west-1")
    assert clients.ec2("us-east-1").meta.region_name == "us-east-1"


UNAVAILABLE = (
    b"<Response><Errors><Error><Code>Unavailable</Code><Message>later</Message></Error></Errors>"
    b"<RequestID>1</RequestID></Response>"
)


class Body:
    """The raw answer that a botocore response reads from."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self._content
