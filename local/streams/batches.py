"""What a function is told of a batch, what its answer says of it, and what is said of one that is given up.

Source: Lambda developer guide, "Using Lambda with Amazon DynamoDB", "Configuring partial batch response" and "Retain
discarded records for a DynamoDB event source".
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from local.streams.deployed import Mapping, Record, number

SHARD = "shardId-00000001541626099285-f35f62ef"


def event(mapping: Mapping, records: Sequence[Record]) -> bytes:
    """The event that hands `records` to the mapping's function."""
    return json.dumps({"Records": [{**it, "eventSourceARN": mapping.stream_arn} for it in records]}).encode()


def left(mapping: Mapping, records: Sequence[Record], answer: bytes) -> Sequence[Record]:
    """The records that a function which returned `answer` wants again: from the first that it says has failed on.

    An answer that cannot be understood, where failures are to be reported, wants all of them.
    """
    if not mapping.reports_item_failures:
        return []
    failed = _failed(answer)
    if failed is None or not failed <= {number(it) for it in records}:
        return records
    return [it for it in records if number(it) >= min(failed)] if failed else []


def given_up(mapping: Mapping, records: Sequence[Record], condition: str, attempts: int, now: float) -> str:
    """What a destination is told: where the records stand, and nothing of what is in them."""
    first, last = records[0], records[-1]
    document = {
        "requestContext": {
            "requestId": str(uuid.uuid4()),
            "functionArn": mapping.function_arn,
            "condition": condition,
            "approximateInvokeCount": attempts,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": _moment(now),
        "DDBStreamBatchInfo": {
            "shardId": SHARD,
            "startSequenceNumber": str(number(first)),
            "endSequenceNumber": str(number(last)),
            "approximateArrivalOfFirstRecord": _moment(_created(first)),
            "approximateArrivalOfLastRecord": _moment(_created(last)),
            "batchSize": len(records),
            "streamArn": mapping.stream_arn,
        },
    }
    return json.dumps(document)


def age(record: Record, now: float) -> float:
    """How long ago a record was written, in seconds."""
    return now - _created(record)


def _created(record: Record) -> float:
    return float(record["dynamodb"]["ApproximateCreationDateTime"])


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _failed(answer: bytes) -> set[int] | None:
    """The sequence numbers that are said to have failed; None when the answer is not one that Lambda understands."""
    try:
        response: Any = json.loads(answer or b"null")
        failures = [] if response is None else response.get("batchItemFailures") or []
        return {int(it["itemIdentifier"]) for it in failures}
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
