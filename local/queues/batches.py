"""What a function is told of a batch, and what its answer says of the messages in it.

Source: Lambda developer guide, "Using Lambda with Amazon SQS" and "Implementing partial batch responses".
"""

from __future__ import annotations

import json
from collections.abc import Mapping as Dictionary
from collections.abc import Sequence
from typing import Any

from local.queues.deployed import Mapping, Message


def event(mapping: Mapping, messages: Sequence[Message]) -> bytes:
    """The event that hands `messages` to the mapping's function."""
    return json.dumps({"Records": [_record(mapping, message) for message in messages]}).encode()


def done(mapping: Mapping, messages: Sequence[Message], answer: bytes) -> Sequence[Message]:
    """The messages that a function which returned `answer` has dealt with: they are to be deleted.

    An answer that cannot be understood, where failures are to be reported, has dealt with none.
    """
    if not mapping.reports_item_failures:
        return messages
    failed = _failed_ids(answer)
    if failed is None or not failed <= {message.id for message in messages}:
        return []
    return [message for message in messages if message.id not in failed]


def _record(mapping: Mapping, message: Message) -> dict[str, Any]:
    return {
        "messageId": message.id,
        "receiptHandle": message.receipt,
        "body": message.body,
        "attributes": dict(message.attributes),
        "messageAttributes": {name: _attribute(value) for name, value in message.message_attributes.items()},
        "md5OfBody": message.body_md5,
        "eventSource": "aws:sqs",
        "eventSourceARN": mapping.queue_arn,
        "awsRegion": mapping.queue_arn.split(":")[3],
    }


def _attribute(value: Dictionary[str, Any]) -> dict[str, Any]:
    named = {name[0].lower() + name[1:]: each for name, each in value.items()}
    return {**named, "stringListValues": [], "binaryListValues": []}


def _failed_ids(answer: bytes) -> set[str] | None:
    """The identifiers of the messages that failed; None when the answer is not one that Lambda understands."""
    try:
        response = json.loads(answer or b"null")
    except ValueError:
        return None
    if response is None:
        return set()
    if not isinstance(response, dict):
        return None
    failures = response.get("batchItemFailures")
    if failures is None:
        return set()
    if not isinstance(failures, list):
        return None
    identifiers = [each.get("itemIdentifier") if isinstance(each, dict) else None for each in failures]
    return {str(each) for each in identifiers} if all(isinstance(each, str) for each in identifiers) else None
