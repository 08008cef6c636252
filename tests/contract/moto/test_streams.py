"""What is made of moto's streams, held to what the APIs say: transactions, beginnings, and what they cost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws import stream_corrections
from local.aws.account import create_app
from local.aws.clients import create_client
from local.clock import VirtualClock
from local.http_server import serve
from local.streams import Mapping
from local.streams.moto_source import MotoStreams
from tests.unit.local_aws.everything import code
from tests.unit.streams.stage import make_table

Client = Callable[[str], Any]
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"


@pytest.fixture
def client() -> Iterator[Client]:
    with serve(create_app(VirtualClock()), name="account") as server:
        yield lambda service: create_client(service, server.url, "us-east-1")


@pytest.fixture
def dynamodb(client: Client) -> Any:
    return client("dynamodb")


@pytest.fixture
def arn(dynamodb: Any) -> str:
    return make_table(dynamodb)


def put(key: str, **more: Any) -> dict[str, Any]:
    return {"Put": {"TableName": "t", "Item": {"pk": {"S": key}}, **more}}


def keys(arn: str) -> list[str]:
    return [it["dynamodb"]["Keys"]["pk"]["S"] for it in MotoStreams().read(arn, 0, 100_000)]


def test_a_mapping_is_there_with_all_that_decides_how_it_is_polled(client: Client, arn: str) -> None:
    role = client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}", Path="/")["Role"]["Arn"]
    functions = client("lambda")
    how = {"Runtime": "python3.11", "Handler": "index.handler", "Role": role, "Code": {"ZipFile": code()}}
    functions.create_function(FunctionName="f", Publish=True, **how)
    pattern = json.dumps({"eventName": ["INSERT"]})
    made = functions.create_event_source_mapping(
        EventSourceArn=arn,
        FunctionName=f"{FUNCTION}:1",
        StartingPosition="LATEST",
        BatchSize=7,
        MaximumBatchingWindowInSeconds=2,
        MaximumRetryAttempts=3,
        MaximumRecordAgeInSeconds=60,
        BisectBatchOnFunctionError=True,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        FilterCriteria={"Filters": [{"Pattern": pattern}]},
        DestinationConfig={"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:123456789012:lost"}},
    )
    lost = "arn:aws:sqs:us-east-1:123456789012:lost"
    expected = Mapping(made["UUID"], arn, f"{FUNCTION}:1", True, 7, 2.0, False, (pattern,), 3, 60, True, True, lost)
    assert MotoStreams().mappings() == [expected]
    functions.update_event_source_mapping(UUID=made["UUID"], MaximumRetryAttempts=-1, ParallelizationFactor=2)
    (changed,) = MotoStreams().mappings()
    assert (changed.retries, changed.unsupported) == (None, ("ParallelizationFactor",))


def test_a_transaction_that_is_cancelled_leaves_nothing_behind(dynamodb: Any, arn: str) -> None:
    dynamodb.transact_write_items(TransactItems=[put("a"), put("b")])
    impossible = put("a", ConditionExpression="attribute_not_exists(pk)")
    with pytest.raises(ClientError, match="TransactionCanceled"):
        dynamodb.transact_write_items(TransactItems=[put("c"), put("d"), impossible])
    assert keys(arn) == ["a", "b"]
    dynamodb.transact_write_items(TransactItems=[put("e"), put("f")])
    assert keys(arn) == ["a", "b", "e", "f"]


def test_reading_goes_on_behind_what_was_read(dynamodb: Any, arn: str) -> None:
    streams = MotoStreams()
    before = streams.last(arn)
    for key in "abc":
        dynamodb.put_item(TableName="t", Item={"pk": {"S": key}})
    first, second = streams.read(arn, before, 2)
    assert [it["dynamodb"]["Keys"]["pk"]["S"] for it in (first, second)] == ["a", "b"]
    (third,) = streams.read(arn, int(second["dynamodb"]["SequenceNumber"]), 2)
    assert int(third["dynamodb"]["SequenceNumber"]) == streams.last(arn)


def test_a_stream_forgets_its_beginning_and_not_its_numbers(
    dynamodb: Any, arn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_corrections, "BLOCK", 2)
    monkeypatch.setattr(stream_corrections, "MOST_KEPT", 3)
    for number in range(10):
        dynamodb.put_item(TableName="t", Item={"pk": {"S": str(number)}})
    found = keys(arn)
    assert 3 <= len(found) <= 6
    assert found == [str(number) for number in range(10)][-len(found) :]


def test_what_is_packed_is_read_like_what_is_not(dynamodb: Any, arn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_corrections, "BLOCK", 4)
    streams = MotoStreams()
    first, seen = streams.last(arn), list[Any]()
    for number in range(20):
        dynamodb.put_item(TableName="t", Item={"pk": {"S": str(number)}})
        seen += streams.read(arn, first + number, 1)
    for begin in range(20):
        for count in range(1, 22):
            assert streams.read(arn, first + begin, count) == seen[begin : begin + count]


def test_a_cancelled_transaction_leaves_nothing_behind_where_records_are_packed(
    dynamodb: Any, arn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_corrections, "BLOCK", 4)
    impossible = put("0", ConditionExpression="attribute_not_exists(pk)")
    for number in range(20):
        dynamodb.put_item(TableName="t", Item={"pk": {"S": str(number)}})
        with pytest.raises(ClientError, match="TransactionCanceled"):
            dynamodb.transact_write_items(TransactItems=[put("a"), put("b"), put("c"), impossible])
    assert keys(arn) == [str(number) for number in range(20)]


def test_a_stream_that_is_gone_is_an_empty_one(dynamodb: Any, arn: str) -> None:
    dynamodb.put_item(TableName="t", Item={"pk": {"S": "a"}})
    dynamodb.delete_table(TableName="t")
    assert keys(arn) == []
    assert MotoStreams().last(arn) == 0


def test_its_own_api_reads_the_same(client: Client, dynamodb: Any, arn: str) -> None:
    dynamodb.put_item(TableName="t", Item={"pk": {"S": "a"}})
    streams = client("dynamodbstreams")
    (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    at = streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")
    (record,) = streams.get_records(ShardIterator=at["ShardIterator"])["Records"]
    assert record["dynamodb"]["NewImage"] == {"pk": {"S": "a"}}
