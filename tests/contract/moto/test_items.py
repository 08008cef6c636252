"""What is answered of DynamoDB's items without moto's own way there: the same answers, to the letter."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from moto.dynamodb.responses import DynamoHandler
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Response

from local.aws import dynamodb
from local.aws.account import create_app
from local.aws.dynamodb_items import OPERATIONS
from local.clock import VirtualClock

TABLE = {
    "TableName": "t",
    "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "state")],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "by-state",
            "KeySchema": [{"AttributeName": "state", "KeyType": "HASH"}, {"AttributeName": "pk", "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "ALL"},
        }
    ],
    "BillingMode": "PAY_PER_REQUEST",
}
KEY = {"pk": {"S": "a"}, "sk": {"S": "1"}}
ANOTHER = {"pk": {"S": "a"}, "sk": {"S": "2"}}
ABSENT = {"pk": {"S": "z"}, "sk": {"S": "1"}}
EVERY_TYPE: dict[str, Any] = {
    "string": {"S": "é\u2028'\"\\"},
    "empty": {"S": ""},
    "number": {"N": "12.50"},
    "bytes": {"B": "AP+A"},
    "yes": {"BOOL": True},
    "nothing": {"NULL": True},
    "strings": {"SS": ["x", "y"]},
    "numbers": {"NS": ["1", "2"]},
    "blobs": {"BS": ["AP+A", "AQ=="]},
    "list": {"L": [{"S": "x"}, {"N": "0"}, {"B": "AP+A"}, {"L": []}, {"M": {}}, {"NULL": True}]},
    "map": {"M": {"none": {"NULL": True}, "deep": {"M": {"no": {"BOOL": False}, "bytes": {"B": "AA=="}}}}},
}
ITEM = {**KEY, "state": {"S": "new"}, **EVERY_TYPE}
REFUSED = {"ConditionExpression": "attribute_not_exists(pk)"}
QUERY = {"KeyConditionExpression": "pk = :a", "ExpressionAttributeValues": {":a": {"S": "a"}}}

ASKED: list[tuple[str, dict[str, Any]]] = [
    ("PutItem", {"Item": ITEM}),
    ("PutItem", {"Item": {**ANOTHER, "state": {"S": "new"}}, "ReturnConsumedCapacity": "TOTAL"}),
    ("PutItem", {"Item": ITEM, "ReturnValues": "ALL_OLD"}),
    ("PutItem", {"Item": ITEM, **REFUSED}),
    ("PutItem", {"Item": ITEM, **REFUSED, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}),
    ("PutItem", {"Item": {"pk": {"S": "a"}}}),
    ("GetItem", {"Key": KEY}),
    ("GetItem", {"Key": KEY, "ReturnConsumedCapacity": "INDEXES"}),
    ("GetItem", {"Key": KEY, "ProjectionExpression": "#m.deep", "ExpressionAttributeNames": {"#m": "map"}}),
    ("GetItem", {"Key": ABSENT}),
    ("GetItem", {"Key": {"pk": {"S": "a"}}}),
    ("GetItem", {"Key": KEY, "TableName": "no-such-table"}),
    ("Query", QUERY),
    ("Query", {**QUERY, "Limit": 1}),
    ("Query", {**QUERY, "Select": "COUNT"}),
    ("Query", {**QUERY, "KeyConditionExpression": "pk = :a AND sk > :a"}),
    ("Query", {**QUERY, "KeyConditionExpression": "nonsense"}),
    ("Query", {**QUERY, "KeyConditionExpression": "#s = :a", "ExpressionAttributeNames": {"#s": "state"}}),
    (
        "Query",
        {
            "IndexName": "by-state",
            "KeyConditionExpression": "#s = :s",
            "ExpressionAttributeNames": {"#s": "state"},
            "ExpressionAttributeValues": {":s": {"S": "new"}},
            "Limit": 1,
            "ScanIndexForward": False,
        },
    ),
    ("Scan", {}),
    ("Scan", {"Limit": 1}),
    ("BatchGetItem", {"RequestItems": {"t": {"Keys": [KEY, ABSENT]}}}),
    ("BatchGetItem", {"RequestItems": {"t": {"Keys": [KEY, KEY]}}}),
    ("BatchWriteItem", {"RequestItems": {"t": [{"PutRequest": {"Item": {**ABSENT, "n": {"N": "1"}}}}]}}),
    ("UpdateItem", {"Key": ABSENT, "UpdateExpression": "SET n = :n", "ExpressionAttributeValues": {":n": {"N": "2"}}}),
    (
        "UpdateItem",
        {
            "Key": ABSENT,
            "UpdateExpression": "ADD n :n",
            "ExpressionAttributeValues": {":n": {"N": "2"}},
            "ReturnValues": "UPDATED_NEW",
        },
    ),
    ("UpdateItem", {"Key": ABSENT, "UpdateExpression": "SET"}),
    ("TransactGetItems", {"TransactItems": [{"Get": {"TableName": "t", "Key": it}} for it in (KEY, ABSENT)]}),
    ("TransactGetItems", {"TransactItems": [{"Get": {"TableName": "t", "Key": {**KEY, "pk": {"S": "no"}}}}]}),
    ("TransactWriteItems", {"TransactItems": [{"Delete": {"TableName": "t", "Key": ABSENT}}]}),
    ("TransactWriteItems", {"TransactItems": [{"Put": {"TableName": "t", "Item": ITEM, **REFUSED}}]}),
    ("TransactWriteItems", {"TransactItems": [{"Delete": {"TableName": "t", "Key": KEY}}] * 2}),
    ("DeleteItem", {"Key": KEY, "ReturnValues": "ALL_OLD"}),
    ("DeleteItem", {"Key": KEY, "ConditionExpression": "attribute_exists(pk)"}),
    ("Scan", {}),
]


def answers() -> list[tuple[int, str, dict[str, str], Any]]:
    """What an empty account with the table answers, in order; its ids and sums are left out."""
    app = create_app(VirtualClock())

    def call(operation: str, body: dict[str, Any]) -> tuple[int, str, dict[str, str], Any]:
        builder = EnvironBuilder(
            "/",
            method="POST",
            input_stream=io.BytesIO(json.dumps(body).encode()),
            headers=[
                ("X-Amz-Target", f"DynamoDB_20120810.{operation}"),
                ("Authorization", "AWS4-HMAC-SHA256 Credential=local/20260101/eu-west-1/dynamodb/aws4_request, Rest"),
            ],
            content_type="application/x-amz-json-1.0",
        )
        builder.content_length = len(json.dumps(body))
        response = Response.from_app(app, builder.get_environ(), buffered=True)
        wanted = ("Content-Type", "X-Amzn-Errortype", "server")
        headers = {name: response.headers[name] for name in wanted if name in response.headers}
        return response.status_code, operation, headers, json.loads(response.get_data())

    assert call("CreateTable", TABLE)[0] == 200
    return [call(operation, {"TableName": "t", **body}) for operation, body in ASKED]


def test_they_are_what_moto_answers_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = answers()
    monkeypatch.setattr(dynamodb, "concerns_items", lambda _: False)
    for mine, theirs in zip(ours, answers(), strict=True):
        assert mine == theirs


def test_every_operation_is_tried_and_does_both(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = answers()
    assert {operation for _, operation, _, _ in tried} == OPERATIONS
    assert {status for status, _, _, _ in tried} == {200, 400}


def test_they_are_answered_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the table is made in the way that moto leads every request."""
    operations: list[str] = []
    set_up = DynamoHandler.setup_class

    def noted(self: Any, *arguments: Any, **named: Any) -> None:
        set_up(self, *arguments, **named)
        operations.append(self._get_action())

    monkeypatch.setattr(DynamoHandler, "setup_class", noted)
    answers()
    assert operations == ["CreateTable"]
