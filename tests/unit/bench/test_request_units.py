"""What DynamoDB charges for requests, by the examples of its own documentation and by the ledger's table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from bench.request_units import CountedClient, size
from tests.contract.test_ledger_contract import TABLE, create_table

KEY = {"pk": {"S": "SAGA"}, "sk": {"S": "HEADER"}}


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws():
        found = boto3.client("dynamodb", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
        create_table(found)
        yield CountedClient(found)


def an_item(kib: float, **more: str) -> dict[str, Any]:
    """An item that takes so much in all."""
    named = {**KEY, **{name: {"S": value} for name, value in more.items()}}
    return {**named, "x": {"S": "x" * (int(kib * 1024) - size(named) - 1)}}


def put(client: Any, item: dict[str, Any]) -> int:
    """Put an item in a transaction; the units of writing that it takes."""
    before: int = client.write_units
    client.transact_write_items(TransactItems=[{"Put": {"TableName": TABLE, "Item": item}}])
    after: int = client.write_units
    return after - before


def test_an_item_is_its_names_and_its_values() -> None:
    assert size({"id": {"S": "four"}, "ä": {"BOOL": True}}) == 2 + 4 + 2 + 1
    assert size({"m": {"M": {"a": {"S": "b"}}}, "l": {"L": [{"NULL": True}]}}) == (1 + 3 + 1 + 2) + (1 + 3 + 1 + 1)
    assert size({"n": {"N": "1"}, "s": {"NS": ["1", "2"]}}) == (1 + 21) + (1 + 42)


def test_a_write_in_a_transaction_is_two_units_for_each_kibibyte(client: Any) -> None:
    assert put(client, an_item(1)) == 2
    assert put(client, an_item(1.5)) == 4


def test_an_index_takes_one_more_write_and_two_where_the_item_moves_in_it(client: Any) -> None:
    assert put(client, an_item(1, status="PENDING", id="a")) == 2 + 1
    assert put(client, an_item(1, status="PENDING", id="b")) == 2 + 1
    assert put(client, an_item(1, status="COMMITTED", id="b")) == 2 + 2


def test_what_is_cancelled_is_paid_for_without_its_indexes(client: Any) -> None:
    put(client, an_item(1, status="PENDING", id="a"))
    before = client.write_units
    refused = {
        "TableName": TABLE,
        "Item": an_item(1, status="X", id="a"),
        "ConditionExpression": "attribute_not_exists(pk)",
    }
    with pytest.raises(client.exceptions.TransactionCanceledException):
        client.transact_write_items(TransactItems=[{"Put": refused}])
    assert client.write_units - before == 2


def test_reads_are_by_four_kibibytes_and_half_where_they_may_be_late(client: Any) -> None:
    put(client, an_item(5))
    of_it = {"TableName": TABLE, "KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": KEY["pk"]}}
    client.get_item(TableName=TABLE, Key=KEY, ConsistentRead=True)
    assert client.read_units == 2
    client.query(**of_it)
    assert client.read_units == 2 + 1
    client.get_item(TableName=TABLE, Key={**KEY, "sk": {"S": "NONE"}}, ConsistentRead=True)
    assert client.read_units == 2 + 1 + 1
    assert client.requests == 4
