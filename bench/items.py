"""What the account's DynamoDB takes for what the ledger asks of it, beside moto's own way to the same answers."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Response

from bench.figure import Figure, compared, least
from local.aws import dynamodb
from local.aws.account import create_app
from local.clock import WallClock

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

_CALLS: Final = 200
_EVENTS: Final = 30
_DOCUMENT: Final = {"document": {"S": "x" * 900}}
_KEYS: Final = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
_TABLE: Final = {
    "TableName": "ledger",
    "AttributeDefinitions": [{"AttributeName": it["AttributeName"], "AttributeType": "S"} for it in _KEYS],
    "KeySchema": _KEYS,
    "BillingMode": "PAY_PER_REQUEST",
}


def _key(sort: str) -> dict[str, dict[str, str]]:
    return {"pk": {"S": "saga"}, "sk": {"S": sort}}


_SAGA: Final = [
    *(_key(f"EVENT#{number:05}") for number in range(_EVENTS)),
    *(_key(sort) for sort in ("HEADER", "RESOURCE#a", "RESOURCE#b", "RESOURCE#c")),
]
_UPDATE: Final = {
    "UpdateExpression": "SET document = :document",
    "ConditionExpression": "attribute_exists(pk)",
    "ExpressionAttributeValues": {":document": _DOCUMENT["document"]},
}
_ASKED: Final[Mapping[str, dict[str, Any]]] = {
    "GetItem": {"Key": _key("HEADER")},
    "Query": {
        "KeyConditionExpression": "pk = :pk AND sk BETWEEN :low AND :high",
        "ExpressionAttributeValues": {":pk": {"S": "saga"}, ":low": {"S": "HEADER"}, ":high": {"S": "RESOURCE#~"}},
    },
    "TransactGetItems": {"TransactItems": [{"Get": {"TableName": "ledger", "Key": it}} for it in _SAGA[_EVENTS:]]},
    "TransactWriteItems": {
        "TransactItems": [
            {"Put": {"TableName": "ledger", "Item": {**_key("HEADER"), **_DOCUMENT}}},
            {"Put": {"TableName": "ledger", "Item": {**_key("EVENT#00000"), **_DOCUMENT}}},
            {"Update": {"TableName": "ledger", "Key": _key("RESOURCE#a"), **_UPDATE}},
        ]
    },
}


def _call(app: WSGIApplication, operation: str, body: Mapping[str, Any]) -> None:
    data = json.dumps({"TableName": "ledger", **body}).encode()
    headers = [
        ("X-Amz-Target", f"DynamoDB_20120810.{operation}"),
        ("Authorization", "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, Rest"),
    ]
    request = EnvironBuilder(
        method="POST", input_stream=io.BytesIO(data), headers=headers, content_type="application/x-amz-json-1.0"
    )
    request.content_length = len(data)
    response = Response.from_app(app, request.get_environ(), buffered=True)
    if response.status_code != 200:
        raise RuntimeError(f"{operation}: {response.get_data(as_text=True)}")


def measure(operation: str) -> float:
    """The processor time of one call in milliseconds, on a table with a saga of some events."""
    app = create_app(WallClock())
    _call(app, "CreateTable", _TABLE)
    for key in _SAGA:
        _call(app, "PutItem", {"Item": {**key, **_DOCUMENT}})
    body = _ASKED[operation]
    _call(app, operation, body)
    began = time.thread_time()
    for _ in range(_CALLS):
        _call(app, operation, body)
    return (time.thread_time() - began) / _CALLS * 1000


def figures() -> list[Figure]:
    """Calls a second of one core, each operation's beside moto's own way to it."""
    found = []
    for operation in _ASKED:
        ours = least(partial(measure, operation), 3)
        with patch.object(dynamodb, "concerns_items", return_value=False):
            theirs = least(partial(measure, operation), 3)
        method = f"processor time of {_CALLS} calls, the least of 3 runs; a saga of {_EVENTS} events and 3 resources"
        name = f"local DynamoDB, {operation} of a saga"
        found.append(compared(name, 1000 / ours, "calls/s", ("moto's way", 1000 / theirs), None, method))
    return found
