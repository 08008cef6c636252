"""What a step tells OpenTelemetry, and that it never suffers from it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.adapters import clients, spans
from lambdas.adapters.correlation import trace_of
from lambdas.adapters.observability import cloud_answered, observed
from lambdas.core.errors import RetryableError
from tests.fakes.otlp import Receiver, otlp_receiver

SAGA = "s0mfq2zk41aaaaaa"
EVENT = {"saga_id": SAGA, "resource_id": "web"}


class Context(LambdaContext):
    def __init__(self) -> None:
        self._function_name = "skysaga-aws-create"
        self._memory_limit_in_mb = 256
        self._invoked_function_arn = "arn"
        self._aws_request_id = "request-1"


@pytest.fixture(name="receiver")
def _receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with otlp_receiver() as receiver:
        monkeypatch.setenv(spans.ENDPOINT, receiver.url)
        monkeypatch.setattr(spans, "_export", spans.Sending().send)
        yield receiver


@observed("create")
def create(event: dict[str, Any], _: object) -> Any:
    cloud_answered("aws", "RunInstances", request_id="r-1", status=200, error=None)
    if event["resource_id"] == "broken":
        raise RetryableError("RequestLimitExceeded", "slow down")
    return {"next": "WAIT", "delay": 3}


def test_a_step_is_a_span_of_its_sagas_trace_under_the_span_of_the_saga(receiver: Receiver) -> None:
    create(EVENT, Context())

    (step,) = receiver.spans
    digest = sha256(SAGA.encode()).digest()
    assert (step.span.trace_id, step.span.parent_span_id) == (digest[:16], digest[16:24])
    assert step.span.name == "create"
    assert step.resource["service.name"]
    assert step.attributes == {
        "skysaga.saga_id": SAGA,
        "skysaga.resource_id": "web",
        "skysaga.provider": "aws",
        "skysaga.next": "WAIT",
        "skysaga.delay": 3,
        "faas.invocation_id": "request-1",
    }
    assert step.events == [("RunInstances", {"request_id": "r-1", "status": 200})]
    assert step.span.start_time_unix_nano <= step.span.end_time_unix_nano
    assert not step.failed


def test_a_step_that_fails_tells_the_clouds_code_and_not_what_was_said(receiver: Receiver) -> None:
    with pytest.raises(RetryableError):
        create({**EVENT, "resource_id": "broken"}, Context())

    (step,) = receiver.spans
    assert step.failed
    assert step.attributes["error.type"] == "RequestLimitExceeded"
    assert "slow down" not in str(step.span)


def test_a_saga_is_the_span_that_covers_its_steps(receiver: Receiver) -> None:
    began = datetime(2026, 11, 26, 9, 0, 0, 250_000, tzinfo=UTC)
    create(EVENT, Context())
    spans.export_saga(SAGA, began, began + timedelta(seconds=90), "COMMITTED", well=True)

    step, saga = receiver.spans
    assert (saga.trace_id, saga.span_id, saga.parent_id) == (step.trace_id, step.parent_id, 0)
    assert (saga.span.start_time_unix_nano, saga.span.end_time_unix_nano) == (
        1_795_683_600_250_000_000,
        1_795_683_690_250_000_000,
    )
    assert (saga.attributes["skysaga.status"], saga.failed) == ("COMMITTED", False)


def test_a_saga_that_leaves_something_behind_has_failed(receiver: Receiver) -> None:
    now = datetime.now(UTC)
    spans.export_saga(SAGA, now, now, "NEEDS_ATTENTION", well=False)

    assert receiver.spans[0].failed


def test_headers_come_from_the_secret(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    class Secrets:
        def get_secret_value(self, **named: str) -> dict[str, str]:
            assert named == {"SecretId": "skysaga/otlp"}
            return {"SecretString": "authorization=Bearer%20abc, x-tenant=ops"}

    monkeypatch.setenv(spans.HEADERS_SECRET, "skysaga/otlp")
    monkeypatch.setattr(clients, "secrets", Secrets)
    create(EVENT, Context())

    assert receiver.headers[0]["authorization"] == "Bearer abc"
    assert receiver.headers[0]["x-tenant"] == "ops"


@pytest.mark.parametrize("status", [400, 401, 500])
def test_a_receiver_that_refuses_fails_no_step_and_is_left_alone_for_a_while(receiver: Receiver, status: int) -> None:
    receiver.status = status

    assert create(EVENT, Context()) == {"next": "WAIT", "delay": 3}
    asked = len(receiver.headers)
    assert create(EVENT, Context()) == {"next": "WAIT", "delay": 3}
    assert len(receiver.headers) == asked > 0


def test_a_receiver_that_is_not_there_fails_no_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(spans.ENDPOINT, "http://127.0.0.1:9")
    monkeypatch.setattr(spans, "_export", spans.Sending().send)

    assert create(EVENT, Context()) == {"next": "WAIT", "delay": 3}


def test_where_nothing_is_exported_nothing_of_it_is_imported() -> None:
    program = (
        "import sys; import lambdas.saga.handler, lambdas.api.handler; from lambdas.adapters import spans\n"
        "with spans.span('create', spans.Kind.INTERNAL, 's'): assert spans.current() is None\n"
        "print([it for it in sys.modules if it.startswith(('opentelemetry', 'google.protobuf', 'requests'))])"
    )
    command = [sys.executable, "-c", program]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own interpreter

    assert answer.stdout.strip() == "[]"


def test_the_traces_number_is_what_clouds_are_told_to_correlate_with() -> None:
    trace = trace_of(SAGA)

    assert trace.uuid.hex == sha256(SAGA.encode()).hexdigest()[:32]
    assert trace != trace_of("another")
    assert trace.root_span_id != 0
