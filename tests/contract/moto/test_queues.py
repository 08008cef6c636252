"""What is made of moto's queues and mappings, held to what the APIs say and to what many at once may expect."""

from __future__ import annotations

import inspect
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.sqs import models
from moto.sqs.models import Message, Queue, SQSBackend

from local.aws.account import create_app
from local.aws.clients import create_client
from local.clock import VirtualClock
from local.http_server import serve
from local.queues import Mapping
from local.queues.moto_source import MotoQueues
from tests.unit.local_aws.everything import code

ARN = "arn:aws:sqs:us-east-1:123456789012:work"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
Client = Callable[[str], Any]


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def client(clock: VirtualClock) -> Iterator[Client]:
    with serve(create_app(clock), name="account") as server:
        yield lambda service: create_client(service, server.url, "us-east-1")


@pytest.fixture
def sqs(client: Client) -> Any:
    return client("sqs")


@pytest.fixture
def url(sqs: Any) -> str:
    found: str = sqs.create_queue(QueueName="work", Attributes={"VisibilityTimeout": "60"})["QueueUrl"]
    return found


@pytest.fixture
def functions(client: Client) -> Any:
    role = {"AssumeRolePolicyDocument": "{}", "Path": "/"}
    arn = client("iam").create_role(RoleName="r", **role)["Role"]["Arn"]
    made = client("lambda")
    how = {"Runtime": "python3.11", "Handler": "index.handler", "Role": arn, "Code": {"ZipFile": code()}}
    made.create_function(FunctionName="f", Timeout=60, Publish=True, **how)
    made.update_function_configuration(FunctionName="f", Description="changed")
    made.publish_version(FunctionName="f")
    made.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    return made


def bodies(received: dict[str, Any]) -> list[str]:
    return [message["Body"] for message in received.get("Messages", [])]


def test_a_mapping_is_there_with_all_that_decides_how_it_is_polled(functions: Any, url: str) -> None:
    made = functions.create_event_source_mapping(
        EventSourceArn=ARN,
        FunctionName=f"{FUNCTION}:live",
        BatchSize=4,
        MaximumBatchingWindowInSeconds=2,
        ScalingConfig={"MaximumConcurrency": 3},
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    expected = Mapping(made["UUID"], ARN, f"{FUNCTION}:live", True, 4, 2.0, 3, True)
    assert MotoQueues().mappings() == [expected]
    functions.update_event_source_mapping(UUID=made["UUID"], Enabled=False, ScalingConfig={})
    (changed,) = MotoQueues().mappings()
    assert (changed.enabled, changed.limit) == (False, None)
    functions.delete_event_source_mapping(UUID=made["UUID"])
    assert MotoQueues().mappings() == []


def test_what_a_mapping_has_that_nobody_plays_is_named(functions: Any, url: str) -> None:
    filters = {"Filters": [{"Pattern": '{"body": {"kind": ["order"]}}'}]}
    functions.create_event_source_mapping(EventSourceArn=ARN, FunctionName="f", FilterCriteria=filters)
    assert MotoQueues().mappings()[0].unsupported == ("FilterCriteria",)


def test_a_mapping_goes_to_another_version_when_it_is_told(functions: Any, url: str) -> None:
    made = functions.create_event_source_mapping(EventSourceArn=ARN, FunctionName=f"{FUNCTION}:1")
    functions.update_event_source_mapping(UUID=made["UUID"], FunctionName=f"{FUNCTION}:2")
    assert MotoQueues().mappings()[0].function_arn == f"{FUNCTION}:2"
    functions.update_event_source_mapping(UUID=made["UUID"], FunctionName="f")
    assert MotoQueues().mappings()[0].function_arn == FUNCTION


def test_a_function_may_not_run_longer_than_its_queue_hides_a_message(functions: Any, sqs: Any, url: str) -> None:
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "59"})
    with pytest.raises(ClientError, match="59 seconds is less than Function timeout: 60 seconds") as refusal:
        functions.create_event_source_mapping(EventSourceArn=ARN, FunctionName="f")
    assert refusal.value.response["Error"]["Code"] == "InvalidParameterValueException"


def test_a_received_message_is_hidden_on_the_accounts_clock(sqs: Any, url: str, clock: VirtualClock) -> None:
    queues = MotoQueues()
    assert queues.next_visible(ARN) is None
    sqs.send_message(QueueUrl=url, MessageBody="m")
    (message,) = queues.receive(ARN, 10)
    assert queues.next_visible(ARN) == clock.now() + 60 == clock.now() + queues.visibility_timeout(ARN)
    assert bodies(sqs.receive_message(QueueUrl=url)) == []
    clock.advance(61)
    (again,) = sqs.receive_message(QueueUrl=url, AttributeNames=["All"])["Messages"]
    assert (again["MessageId"], again["Attributes"]["ApproximateReceiveCount"]) == (message.id, "2")
    queues.delete(ARN, [again["ReceiptHandle"], again["ReceiptHandle"], "unknown"])
    clock.advance(61)
    assert bodies(sqs.receive_message(QueueUrl=url)) == []


def test_a_message_that_has_outlived_its_retention_holds_up_no_other(sqs: Any, url: str, clock: VirtualClock) -> None:
    sqs.send_message(QueueUrl=url, MessageBody="old")
    clock.advance(4 * 86_400)
    sqs.send_message(QueueUrl=url, MessageBody="new")
    assert bodies(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)) == ["new"]


def test_a_message_received_too_often_is_moved_when_it_is_asked_for_again(
    sqs: Any, url: str, clock: VirtualClock
) -> None:
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    redrive = {"deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:dead", "maxReceiveCount": 2}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": json.dumps(redrive)})
    sqs.send_message(QueueUrl=url, MessageBody="m")
    received = []
    for _ in range(3):
        received.append(bodies(sqs.receive_message(QueueUrl=url)))
        clock.advance(61)
    assert received == [["m"], ["m"], []]
    assert bodies(sqs.receive_message(QueueUrl=dead)) == ["m"]


def test_whoever_waits_for_a_message_gets_it_when_it_comes(sqs: Any, url: str) -> None:
    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(sqs.receive_message, QueueUrl=url, WaitTimeSeconds=20)
        sqs.send_message(QueueUrl=url, MessageBody="m")
        assert bodies(waiting.result(timeout=5)) == ["m"]


def test_nothing_is_lost_or_handed_out_twice_when_many_send_receive_and_delete(sqs: Any, url: str) -> None:
    senders, receivers, each = 4, 4, 50
    backend = models.sqs_backends["123456789012"]["us-east-1"]
    sending = threading.Barrier(senders + receivers)
    taken: Counter[str] = Counter()

    def send(sender: int) -> None:
        sending.wait()
        for number in range(each):
            backend.send_message("work", f"{sender}-{number}")

    def receive() -> list[str]:
        sending.wait()
        found: list[str] = []
        while messages := backend.receive_message("work", 3, 1, 60):
            for message in messages:
                found.append(message.body)
                backend.delete_message("work", message.receipt_handle)
        return found

    with ThreadPoolExecutor(senders + receivers) as threads:
        receiving = [threads.submit(receive) for _ in range(receivers)]
        for sender in range(senders):
            threads.submit(send, sender)
        for each_one in receiving:
            taken.update(each_one.result(timeout=20))
    assert taken == Counter(f"{sender}-{number}" for sender in range(senders) for number in range(each))


def test_the_corrections_stand_on_these_parts_of_moto() -> None:
    for method, names in {
        "receive_message": ["queue_name", "count", "wait_seconds_timeout", "visibility_timeout"],
        "delete_message": ["queue_name", "receipt_handle"],
        "change_message_visibility": ["queue_name", "receipt_handle", "visibility_timeout"],
        "purge_queue": ["queue_name"],
    }.items():
        assert list(inspect.signature(getattr(SQSBackend, method)).parameters)[1 : len(names) + 1] == names
    for batch, single in (("delete_message_batch", "delete_message"), ("send_message_batch", "send_message")):
        assert f"self.{single}(" in inspect.getsource(getattr(SQSBackend, batch))
    assert "unix_time_millis()" in inspect.getsource(Message)
    assert "self._messages: list[Message]" in inspect.getsource(Queue.__init__)
