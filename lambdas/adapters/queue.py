"""The queue of a cluster, on SQS."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Final

from lambdas.adapters.refusals import retryable
from lambdas.adapters.settings import HIDDEN_SECONDS
from lambdas.core.ports.queue import Depth, Message

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


_WAITING: Final = "ApproximateNumberOfMessages"
_TAKEN: Final = "ApproximateNumberOfMessagesNotVisible"


class SqsQueue:
    """The queue at a URL."""

    def __init__(self, client: SQSClient, url: str, hidden_seconds: int = HIDDEN_SECONDS) -> None:
        self._client = client
        self._url = url
        self._hidden_seconds = hidden_seconds

    def receive(self, most: int, wait: int) -> list[Message]:
        """At most so many messages, waiting for the first for so many seconds."""
        with _retryable():
            answer = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=min(most, 10),
                WaitTimeSeconds=wait,
                VisibilityTimeout=self._hidden_seconds,
            )
        return [Message(it["Body"], it["ReceiptHandle"]) for it in answer.get("Messages", [])]

    def keep(self, message: Message) -> None:
        """Hide a message for a while longer."""
        self._hide(message, self._hidden_seconds)

    def done(self, message: Message) -> None:
        """Delete a message."""
        with _retryable():
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=message.receipt)

    def put_back(self, message: Message) -> None:
        """Let everybody see a message again at once."""
        self._hide(message, 0)

    def _hide(self, message: Message, seconds: int) -> None:
        with _retryable():
            self._client.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=message.receipt, VisibilityTimeout=seconds
            )


class SqsDepths:
    """How full queues are."""

    def __init__(self, client: SQSClient) -> None:
        self._client = client

    def depth(self, url: str) -> Depth:
        """How full the queue at a URL is."""
        with _retryable():
            answer = self._client.get_queue_attributes(QueueUrl=url, AttributeNames=[_WAITING, _TAKEN])
        return Depth(int(answer["Attributes"][_WAITING]), int(answer["Attributes"][_TAKEN]))


def _retryable() -> AbstractContextManager[None]:
    """A queue that refuses is asked again; what it holds is not lost."""
    return retryable("the queue refused", "the queue did not answer")
