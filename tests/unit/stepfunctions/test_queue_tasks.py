"""Tasks that are sent to a queue with their token and ended by whoever takes them: the route to a cluster's worker."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from moto.server import ThreadedMotoServer

from local.clock import VirtualClock, WallClock
from local.stepfunctions import Endpoints, Engine
from local.stepfunctions.runtime.execution import Execution
from tests.unit.stepfunctions.machines import chain


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def sqs(aws: str) -> Any:
    return boto3.client(
        "sqs", endpoint_url=aws, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )


@pytest.fixture
def url(sqs: Any) -> Iterator[str]:
    found: str = sqs.create_queue(QueueName="cluster")["QueueUrl"]
    yield found
    sqs.delete_queue(QueueUrl=found)


@pytest.fixture
def engine(aws: str) -> Engine:
    return Engine(clock=VirtualClock(), endpoints=Endpoints(aws))


def machine(resource: str = "sqs:sendMessage.waitForTaskToken", **fields: Any) -> dict[str, Any]:
    body = {"task": "PROVISION", "saga_id.$": "$.saga", "token.$": "$$.Task.Token"}
    parameters = {"QueueUrl.$": "$.queue", "MessageBody": body}
    state = {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "Parameters": parameters, **fields}
    missed = [{"ErrorEquals": ["States.HeartbeatTimeout"], "ResultPath": "$.error", "Next": "Missed"}]
    definition = chain(Work={"Catch": missed, "ResultPath": "$.result", "Next": "Done", **state})
    definition["States"] |= {"Missed": {"Type": "Succeed"}, "Done": {"Type": "Succeed"}}
    return definition


def start(engine: Engine, queue: str, definition: dict[str, Any], **more: Any) -> Execution:
    arn = engine.create_state_machine("m", definition)
    return engine.execution(engine.start_execution(arn, {"queue": queue, "saga": "s1", **more}))


def call(engine: Engine, operation: str, **request: Any) -> None:
    engine.api.answer(operation, request, engine)


def taken(sqs: Any, url: str) -> dict[str, str]:
    """The only task in the queue; one that a call is just bringing is waited for."""
    for _ in range(100):
        if messages := sqs.receive_message(QueueUrl=url).get("Messages"):
            task: dict[str, str] = json.loads(messages[0]["Body"])
            return task
        time.sleep(0.01)
    raise AssertionError("no task has come")


def succeed(engine: Engine, token: str) -> None:
    call(engine, "SendTaskSuccess", taskToken=token, output='{"status": "READY"}')


def fail(engine: Engine, token: str) -> None:
    call(engine, "SendTaskFailure", taskToken=token, error="CapacityError", cause="no room")


ENDS: list[tuple[Callable[[Engine, str], None], str, str | None]] = [
    (succeed, "SUCCEEDED", None),
    (fail, "FAILED", "CapacityError"),
]


@pytest.mark.parametrize(("end", "status", "error"), ENDS)
def test_whoever_takes_the_message_ends_the_task_in_virtual_time(
    engine: Engine, sqs: Any, url: str, end: Callable[[Engine, str], None], status: str, error: str | None
) -> None:
    execution = start(engine, url, machine(HeartbeatSeconds=60, TimeoutSeconds=3600))
    engine.advance(30)
    task = taken(sqs, url)
    assert (task["task"], task["saga_id"], execution.status) == ("PROVISION", "s1", "RUNNING")
    end(engine, task["token"])
    engine.run()
    assert (execution.status, execution.error) == (status, error)
    if error is None:
        assert json.loads(execution.output_text or "")["result"] == {"status": "READY"}


@pytest.mark.parametrize(("end", "status", "error"), ENDS)
def test_whoever_takes_the_message_ends_the_task_in_real_time(
    aws: str, sqs: Any, url: str, end: Callable[[Engine, str], None], status: str, error: str | None
) -> None:
    engine = Engine(clock=WallClock(), endpoints=Endpoints(aws))
    execution = start(engine, url, machine(HeartbeatSeconds=60, TimeoutSeconds=3600))
    token = taken(sqs, url)["token"]
    call(engine, "SendTaskHeartbeat", taskToken=token)
    end(engine, token)
    engine.wait(lambda: not execution.running, 5)
    assert (execution.status, execution.error) == (status, error)
    engine.close()


def test_heartbeats_keep_a_task_alive_for_as_long_as_the_input_says(engine: Engine, sqs: Any, url: str) -> None:
    execution = start(engine, url, machine(HeartbeatSecondsPath="$.beat", TimeoutSeconds=3600), beat=40)
    engine.advance(0)
    token = taken(sqs, url)["token"]
    for _ in range(10):
        engine.advance(39)
        call(engine, "SendTaskHeartbeat", taskToken=token)
    assert execution.status == "RUNNING"
    engine.advance(40)
    caught = json.loads(execution.output_text or "")["error"]
    assert caught == {"Error": "States.Timeout", "Cause": ""}  # recorded: the name it is caught by is another


def test_a_task_that_lasts_too_long_times_out_however_often_it_beats(engine: Engine, sqs: Any, url: str) -> None:
    execution = start(engine, url, machine(HeartbeatSeconds=40, TimeoutSecondsPath="$.longest"), longest=100)
    engine.advance(0)
    token = taken(sqs, url)["token"]
    for _ in range(4):
        engine.advance(24)
        call(engine, "SendTaskHeartbeat", taskToken=token)
    engine.advance(4)
    assert (execution.status, execution.error) == ("FAILED", "States.Timeout")


def test_a_queue_can_be_named_by_the_address_it_would_have_on_aws(engine: Engine, sqs: Any, url: str) -> None:
    start(engine, "https://sqs.us-east-1.amazonaws.com/123456789012/cluster", machine(TimeoutSeconds=60))
    engine.advance(0)
    assert taken(sqs, url)["saga_id"] == "s1"


def test_a_queue_can_be_at_an_endpoint_whose_host_has_no_dot(aws: str, sqs: Any, url: str) -> None:
    nameless = f"http://2130706433:{urlsplit(aws).port}"  # 127.0.0.1, as one number
    engine = Engine(clock=VirtualClock(), endpoints=Endpoints(nameless))
    start(engine, f"{nameless}/123456789012/cluster", machine(TimeoutSeconds=60))
    engine.advance(0)
    assert taken(sqs, url)["saga_id"] == "s1"


def test_an_engine_may_learn_after_its_start_where_the_queues_are(aws: str, sqs: Any, url: str) -> None:
    engine = Engine(clock=VirtualClock())
    engine.connect(Endpoints(aws))
    start(engine, url, machine(TimeoutSeconds=60))
    engine.advance(0)
    assert taken(sqs, url)["saga_id"] == "s1"


@pytest.mark.parametrize(
    ("resource", "error"),
    [
        ("sqs:sendMessage", "SQS.QueueDoesNotExistException"),
        ("sqs:sendMessage.waitForTaskToken", "SQS.QueueDoesNotExistException"),
        ("aws-sdk:sqs:sendMessage", "Sqs.QueueDoesNotExistException"),
    ],
)
def test_a_queue_that_is_not_there_fails_the_task_by_its_name(
    engine: Engine, url: str, resource: str, error: str
) -> None:
    body = {"Type": "Task", "Resource": f"arn:aws:states:::{resource}"}
    parameters = {"QueueUrl.$": "$.queue", "MessageBody": "m"}
    execution = start(engine, f"{url}-gone", chain(A={**body, "Parameters": parameters, "TimeoutSeconds": 60}))
    engine.run()
    assert (execution.status, execution.error) == ("FAILED", error)
    assert (execution.cause or "").startswith("The specified queue does not exist. (Service: ")


def test_a_queue_whose_host_nobody_knows_fails_the_task_as_recorded(engine: Engine) -> None:
    execution = start(engine, "http://no-such-queue", machine(TimeoutSeconds=60))
    engine.run()
    assert execution.error == "SQS.SdkClientException"
    assert execution.cause == "Unable to execute HTTP request: no-such-queue: Name or service not known"
