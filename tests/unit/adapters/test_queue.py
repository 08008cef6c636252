"""The queue of a cluster, on SQS as moto plays it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ConnectTimeoutError
from moto import mock_aws

from lambdas.adapters.queue import SqsQueue
from lambdas.adapters.settings import HIDDEN_SECONDS
from lambdas.core.errors import RetryableError
from lambdas.core.ports.queue import Message
from lambdas.worker.patience import BEAT_SECONDS


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("sqs", config=Config(retries={"total_max_attempts": 1}))


@pytest.fixture
def url(client: Any) -> str:
    return str(client.create_queue(QueueName="skysaga-cluster-berlin-1")["QueueUrl"])


def hidden_for(client: Any, url: str) -> str:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    counts = client.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return f"{counts[names[0]]} visible, {counts[names[1]]} hidden"


def test_what_is_received_is_hidden_until_it_is_done(client: Any, url: str) -> None:
    client.send_message(QueueUrl=url, MessageBody="task")
    queue = SqsQueue(client, url)
    [message] = queue.receive(10, 0)
    assert message.body == "task"
    assert hidden_for(client, url) == "0 visible, 1 hidden"
    queue.done(message)
    assert hidden_for(client, url) == "0 visible, 0 hidden"


def test_what_is_put_back_shows_itself_at_once() -> None:
    asked: list[dict[str, Any]] = []

    class Recording:
        def change_message_visibility(self, **request: Any) -> None:
            asked.append(request)

    recording: Any = Recording()
    SqsQueue(recording, "https://sqs/queue").put_back(Message("task", "receipt-1"))
    assert asked == [{"QueueUrl": "https://sqs/queue", "ReceiptHandle": "receipt-1", "VisibilityTimeout": 0}]


def test_what_is_kept_stays_hidden(client: Any, url: str) -> None:
    client.send_message(QueueUrl=url, MessageBody="task")
    queue = SqsQueue(client, url)
    [message] = queue.receive(1, 0)
    queue.keep(message)
    assert hidden_for(client, url) == "0 visible, 1 hidden"


def test_no_more_than_sqs_allows_is_asked_for_at_once(client: Any, url: str) -> None:
    for number in range(12):
        client.send_message(QueueUrl=url, MessageBody=str(number))
    assert len(SqsQueue(client, url).receive(12, 0)) == 10


def test_a_message_at_work_is_kept_several_times_before_it_would_show_itself() -> None:
    assert 4 * BEAT_SECONDS < HIDDEN_SECONDS


def test_a_queue_that_refuses_is_asked_again(client: Any, url: str) -> None:
    client.delete_queue(QueueUrl=url)
    with pytest.raises(RetryableError, match="NonExistentQueue"):
        SqsQueue(client, url).receive(1, 0)


def test_a_queue_that_does_not_answer_is_asked_again() -> None:
    class Silent:
        def receive_message(self, **_: Any) -> Any:
            raise ConnectTimeoutError(endpoint_url="https://sqs")

    silent: Any = Silent()
    with pytest.raises(RetryableError, match="ConnectTimeoutError"):
        SqsQueue(silent, "https://sqs/queue").receive(1, 0)
