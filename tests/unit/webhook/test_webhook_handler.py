"""The webhooks' function: posts what is signed, and has what was not taken come back when it should."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from standardwebhooks import Webhook
from werkzeug.wrappers import Request, Response

from lambdas.adapters.webhooks import HttpReceivers, RetryQueues, WebhookSecrets
from lambdas.webhook.handler import Webhooks, webhook_handler
from local.http_server import serve
from tests.fakes.clock import FakeClock
from tests.fakes.context import Context
from tests.unit.adapters.conftest import log_text
from tests.unit.core.test_webhooks import OTHER, SECRET, event

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

__all__ = ["log_text"]

NAME = "skysaga/webhooks/chat"
SAYING = "what a receiver answers is its own"


@dataclass
class SecretsManager:
    """Values by version stage, or an error for all of them."""

    values: dict[str, str]
    error: Exception | None = None
    reads: int = 0

    def get_secret_value(self, SecretId: str, VersionStage: str) -> Mapping[str, str]:  # noqa: N803 -- boto3's names
        self.reads += 1
        if self.error is not None:
            raise self.error
        if SecretId != NAME or VersionStage not in self.values:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": ""}}, "GetSecretValue")
        return {"SecretString": self.values[VersionStage]}


@dataclass
class Sqs:
    """Remembers for how long each message is hidden."""

    hidden: dict[str, int] = field(default_factory=dict)

    def get_queue_url(self, QueueName: str) -> Mapping[str, str]:  # noqa: N803 -- boto3's name
        return {"QueueUrl": f"https://sqs.example/{QueueName}"}

    def change_message_visibility(self, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int) -> None:  # noqa: N803
        assert QueueUrl == "https://sqs.example/skysaga-webhook-chat"
        self.hidden[ReceiptHandle] = VisibilityTimeout


@dataclass
class Scene:
    """A receiver that gives one answer after some seconds, and all that is known of what it got."""

    answer: Response = field(default_factory=Response)
    delay: float = 0.0
    secrets: SecretsManager = field(default_factory=lambda: SecretsManager({"AWSCURRENT": SECRET}))
    sqs: Sqs = field(default_factory=Sqs)
    got: list[tuple[Mapping[str, str], bytes]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        request = Request(environ)
        self.got.append(({name.lower(): it for name, it in request.headers.items()}, request.get_data()))
        self.paths.append(request.path)
        time.sleep(self.delay)
        return self.answer(environ, start_response)

    @contextmanager
    def delivering(self, url: str | None = None, seconds: float = 5.0) -> Iterator[Any]:
        with serve(self, name="receiver") as server:
            webhooks = Webhooks(
                {"chat": url or f"{server.url}/hook?key=KeptToThemselves"},
                WebhookSecrets(self.secrets),
                HttpReceivers(seconds),
                RetryQueues(self.sqs),  # type: ignore[arg-type]
                FakeClock(),
            )
            yield lambda attempt=1: webhook_handler(lambda: webhooks)({"Records": [message(attempt)]}, Context())


def message(attempt: int = 1, queue: str = "skysaga-webhook-chat") -> dict[str, Any]:
    return {
        "messageId": "m-1",
        "receiptHandle": "r-1",
        "body": json.dumps(event()),
        "attributes": {"ApproximateReceiveCount": str(attempt)},
        "eventSourceARN": f"arn:aws:sqs:eu-west-1:123456789012:{queue}",
    }


TAKEN: Mapping[str, Any] = {"batchItemFailures": []}
AGAIN: Mapping[str, Any] = {"batchItemFailures": [{"itemIdentifier": "m-1"}]}


def test_what_is_taken_is_done_with() -> None:
    scene = Scene(Response(status=202))
    with scene.delivering() as deliver:
        assert deliver() == TAKEN
    [(headers, body)] = scene.got
    assert headers["content-type"] == "application/json"
    assert json.loads(body)["data"]["saga"] == "s-1"
    assert scene.sqs.hidden == {}


def test_it_is_signed_with_the_current_and_the_previous_secret() -> None:
    scene = Scene(secrets=SecretsManager({"AWSCURRENT": f"whsec_{OTHER}", "AWSPREVIOUS": SECRET}))
    with scene.delivering() as deliver:
        deliver()
    [(headers, _)] = scene.got
    assert len(headers["webhook-signature"].split()) == 2


def test_a_secret_is_read_again_after_a_minute() -> None:
    now, manager = [1000.0], SecretsManager({"AWSCURRENT": SECRET})
    secrets = WebhookSecrets(manager, lambda: now[0])
    assert list(secrets.of(NAME)) == [SECRET]
    manager.values = {"AWSCURRENT": OTHER, "AWSPREVIOUS": SECRET}
    now[0] += 59
    assert list(secrets.of(NAME)) == [SECRET]
    now[0] += 1
    assert list(secrets.of(NAME)) == [OTHER, SECRET]


def test_what_is_refused_comes_back_later_each_time() -> None:
    scene = Scene(Response(SAYING, status=500))
    with scene.delivering() as deliver:
        assert deliver() == AGAIN
        assert 2 <= scene.sqs.hidden["r-1"] <= 5
        assert deliver(attempt=6) == AGAIN
        assert 80 <= scene.sqs.hidden["r-1"] <= 160


def test_a_receiver_that_is_busy_says_when() -> None:
    scene = Scene(Response(status=429, headers={"Retry-After": "90"}))
    with scene.delivering() as deliver:
        assert deliver() == AGAIN
    assert scene.sqs.hidden == {"r-1": 90}


def test_it_may_say_so_by_a_date() -> None:
    later = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 120))
    scene = Scene(Response(status=503, headers={"Retry-After": later}))
    with scene.delivering() as deliver:
        assert deliver() == AGAIN
    assert 110 <= scene.sqs.hidden["r-1"] <= 120


def test_one_that_is_gone_for_good_is_given_up() -> None:
    scene = Scene(Response(status=410))
    with scene.delivering() as deliver:
        assert deliver() == TAKEN
    assert scene.sqs.hidden == {}


def test_a_redirect_is_not_followed() -> None:
    scene = Scene(Response(status=307, headers={"Location": "/elsewhere"}))
    with scene.delivering() as deliver:
        assert deliver() == AGAIN
    assert scene.paths == ["/hook"]


def test_one_that_does_not_answer_in_time_is_asked_again() -> None:
    scene = Scene(delay=0.5)
    with scene.delivering(seconds=0.1) as deliver:
        assert deliver() == AGAIN
    assert scene.sqs.hidden["r-1"] <= 5


def test_one_that_nobody_listens_at_is_asked_again() -> None:
    scene = Scene()
    with scene.delivering(url="http://127.0.0.1:1/hook") as deliver:
        assert deliver() == AGAIN


@pytest.mark.parametrize(
    "secrets",
    [
        SecretsManager({}),
        SecretsManager({"AWSCURRENT": "too-short"}),
        SecretsManager({}, EndpointConnectionError(endpoint_url="https://secretsmanager.example")),
    ],
    ids=["missing", "no secret", "unreachable"],
)
def test_nothing_is_posted_without_a_signature(secrets: SecretsManager) -> None:
    scene = Scene(secrets=secrets)
    with scene.delivering() as deliver:
        assert deliver() == AGAIN
    assert scene.got == []
    assert "r-1" in scene.sqs.hidden


def test_what_is_for_a_webhook_that_is_not_declared_any_more_ends_in_the_dead_letter_queue() -> None:
    scene = Scene()
    with scene.delivering() as _:
        webhooks = Webhooks({}, WebhookSecrets(scene.secrets), HttpReceivers(), RetryQueues(scene.sqs), FakeClock())  # type: ignore[arg-type]
        assert webhook_handler(lambda: webhooks)({"Records": [message()]}, Context()) == AGAIN
    assert scene.secrets.reads == 0


def test_neither_url_nor_secret_nor_answer_is_logged(log_text: io.StringIO) -> None:
    for answer in (Response(SAYING, status=500), Response(SAYING), Response(SAYING, status=410)):
        scene = Scene(answer)
        with scene.delivering() as deliver:
            deliver()
    output = log_text.getvalue()
    assert '"status":500' in output
    assert '"correlation_id":"s-1"' in output
    for telltale in ("KeptToThemselves", SECRET.removeprefix("whsec_"), SAYING, "127.0.0.1"):
        assert telltale not in output


def test_another_implementation_accepts_what_arrives() -> None:
    scene = Scene()
    clock = FakeClock()
    with scene.delivering() as deliver:
        deliver()
    [(headers, body)] = scene.got
    signed = Webhook(SECRET).sign(headers["webhook-id"], clock.now(), body.decode())
    assert headers["webhook-signature"] == signed
