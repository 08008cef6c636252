"""What is made of moto's DynamoDB, held to moto's own answers, and to work that does not grow with the table."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import pytest
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table

from local.aws import dynamodb_corrections
from local.aws.moto_corrections import correct_moto

REGION, ACCOUNT = "eu-west-1", "123456789012"
PARTITIONS = tuple("abc")
SORTS = tuple("xyz")
STATES = ("new", "old")
ASKED: dict[str, Any] = {
    "range_comparison": None,
    "range_value_dicts": [],
    "limit": 2,
    "exclusive_start_key": None,
    "scan_index_forward": True,
    "projection_expressions": None,
}


@pytest.fixture(autouse=True)
def _corrected() -> None:
    correct_moto()


@pytest.fixture
def theirs(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Has moto work as it does by itself, until `undo`."""
    with monkeypatch.context() as patch:
        patch.setattr(Table, "__init__", dynamodb_corrections._make)
        patch.setattr(DynamoDBBackend, "transact_write_items", dynamodb_corrections._transact)
        patch.setattr(Table, "query", dynamodb_corrections._query)
        yield patch


def make_backend(sort_type: str = "S") -> Any:
    """Two tables, one with a sort key, an index and a stream, and one without any."""
    backend = DynamoDBBackend(REGION, ACCOUNT)
    key = {"AttributeName": "pk", "KeyType": "HASH"}
    sort = {"AttributeName": "sk", "KeyType": "RANGE"}
    state = {"AttributeName": "state", "KeyType": "HASH"}
    types = {"pk": "S", "sk": sort_type, "state": "S"}
    attributes = [{"AttributeName": name, "AttributeType": type_} for name, type_ in types.items()]
    usual: dict[str, Any] = {"throughput": None, "indexes": [], "sse_specification": None, "tags": []}
    usual |= {"billing_mode": "PAY_PER_REQUEST", "deletion_protection_enabled": False, "warm_throughput": None}
    index = {"IndexName": "by-state", "KeySchema": [state, sort], "Projection": {"ProjectionType": "ALL"}}
    for name, schema, indexes in (("sorted", [key, sort], [index]), ("plain", [key], [])):
        stream = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"} if name == "sorted" else None
        backend.create_table(name=name, schema=schema, attr=attributes, global_indexes=indexes, streams=stream, **usual)
    return backend


def transactions(seed: int) -> list[list[dict[str, Any]]]:
    """Some, one after the other, the same for the same seed; of their actions some may be refused."""
    random = Random(seed)  # noqa: S311 -- reproducible on purpose, nothing secret
    return [_transaction(random) for _ in range(15)]


def _transaction(random: Random) -> list[dict[str, Any]]:
    keys = [(table, pk, sk) for table in ("sorted", "plain") for pk in PARTITIONS for sk in SORTS]
    return [_action(random, *key) for key in random.sample(keys, random.randint(1, 4))]


def _action(random: Random, table: str, pk: str, sk: str) -> dict[str, Any]:
    key = {"pk": {"S": pk}, **({"sk": {"S": sk}} if table == "sorted" else {})}
    value = {"S": str(random.randint(0, 9))}
    state = {"state": {"S": random.choice(STATES)}} if random.random() < 0.8 else {}
    match random.randint(0, 4):
        case 0 | 1:
            return {"Put": {"TableName": table, "Item": {**key, "value": value, **state}}}
        case 2:
            condition = {"ConditionExpression": "attribute_exists(pk)"}
            return {"Delete": {"TableName": table, "Key": key, **(condition if random.random() < 0.7 else {})}}
        case 3:
            return {"ConditionCheck": {"TableName": table, "Key": key, "ConditionExpression": "attribute_exists(pk)"}}
        case _:
            named = {"ExpressionAttributeNames": {"#v": "value"}, "ExpressionAttributeValues": {":v": value}}
            return {"Update": {"TableName": table, "Key": key, "UpdateExpression": "SET #v = :v", **named}}


def apply(backend: Any, actions: list[dict[str, Any]]) -> str:
    """How a transaction ended."""
    try:
        backend.transact_write_items(copy.deepcopy(actions))
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "written"


def held(backend: Any) -> dict[str, Any]:
    """Everything in every table, in order, and how much its stream tells."""
    return {
        name: (
            [item.to_json() for item in table.all_items()],
            len(table.stream_shard.items) if table.stream_shard else 0,
        )
        for name, table in backend.tables.items()
    }


def asked(backend: Any) -> list[Any]:
    """What queries of the table and of its index find, a page of two each."""
    of_table = [backend.query(table, {"S": pk}, **ASKED) for table in ("sorted", "plain") for pk in PARTITIONS]
    of_index = [
        backend.query("sorted", None, **ASKED, index_name="by-state", hash_key_conditions=[("state", {"S": state})])
        for state in STATES
    ]
    return [([item.to_json() for item in found], count, last) for found, count, last in of_table + of_index]


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch, method: str) -> Iterator[list[object]]:
    """The values of DynamoDB's whose method is called meanwhile."""
    calls: list[object] = []
    known = getattr(DynamoType, method)

    def call(value: object, *arguments: object) -> object:
        calls.append(value)
        return known(value, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(DynamoType, method, call)
        yield calls


@pytest.mark.parametrize("seed", range(20))
def test_a_transaction_ends_and_leaves_behind_what_it_does_by_itself(seed: int, theirs: pytest.MonkeyPatch) -> None:
    tried = transactions(seed)
    expected = make_backend()
    endings = [(apply(expected, it), held(expected), asked(expected)) for it in tried]
    theirs.undo()
    ours = make_backend()
    assert [(apply(ours, it), held(ours), asked(ours)) for it in tried] == endings


def test_the_transactions_tried_are_written_and_cancelled() -> None:
    backend = make_backend()
    ends = [apply(backend, it) for seed in range(20) for it in transactions(seed)]
    assert 50 < ends.count("written") < 250
    assert sum("TransactionCanceled" in end for end in ends) > 50


@pytest.mark.parametrize(("partitions", "items"), [(300, 3), (3, 300)])
def test_what_a_transaction_copies_does_not_grow_with_the_table(
    partitions: int, items: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def copies(partitions: int, items: int) -> int:
        backend = make_backend()
        for pk in range(partitions):
            for sk in range(items):
                backend.put_item("sorted", {"pk": {"S": str(pk)}, "sk": {"S": str(sk)}})
        written = [{"pk": {"S": "0"}, "sk": {"S": str(sk)}, "state": {"S": "new"}} for sk in range(3)]
        with counted(monkeypatch, "__deepcopy__") as calls:
            backend.transact_write_items([{"Put": {"TableName": "sorted", "Item": item}} for item in written])
        return len(calls)

    assert 0 < copies(partitions, items) == copies(3, 3)


@pytest.mark.parametrize("index", [None, "by-state"])
def test_what_a_query_sorts_does_not_grow_with_the_table(index: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    def comparisons(others: int) -> int:
        backend = make_backend()
        for pk in ("new", *(str(number) for number in range(others))):
            for sk in SORTS:
                state = {"S": "new" if pk == "new" else "old"}
                backend.put_item("sorted", {"pk": {"S": pk}, "sk": {"S": sk}, "state": state})
        of_index = {"index_name": index, "hash_key_conditions": [("state", {"S": "new"})]} if index else {}
        with counted(monkeypatch, "__lt__") as calls:
            backend.query("sorted", {"S": "new"}, **{**ASKED, "limit": 10}, **of_index)
        return len(calls)

    assert 0 < comparisons(300) == comparisons(3)


@pytest.mark.parametrize("forward", [True, False])
@pytest.mark.parametrize("limit", [None, 1, 2, 3])
@pytest.mark.parametrize("start", [None, "ar", "ax", "az", "bx", "9y"])
@pytest.mark.parametrize(
    ("comparison", "bounds"),
    [
        (None, ""),
        ("=", "y"),
        ("=", "w"),
        ("<", "y"),
        ("<=", "y"),
        (">", "x"),
        (">=", "y"),
        ("BETWEEN", "xy"),
        ("BETWEEN", "yx"),
        ("BEGINS_WITH", "z"),
    ],
)
def test_a_query_by_range_finds_what_it_does_by_itself(
    comparison: str | None, bounds: str, start: str | None, limit: int | None, forward: bool, theirs: pytest.MonkeyPatch
) -> None:
    def found() -> Any:
        backend = make_backend()
        for pk in PARTITIONS:
            for sk in (*"zyxwv", "zz"):
                backend.put_item("sorted", {"pk": {"S": pk}, "sk": {"S": sk}})
            backend.delete_item("sorted", {"pk": {"S": pk}, "sk": {"S": "v"}})
        asked: dict[str, Any] = {
            "range_comparison": comparison,
            "range_value_dicts": [{"S": it} for it in bounds],
            "exclusive_start_key": start and {"pk": {"S": start[0]}, "sk": {"S": start[1]}},
            "scan_index_forward": forward,
            "limit": limit,
        }
        items, scanned, last = backend.query("sorted", {"S": "a"}, **{**ASKED, **asked})
        return [it.to_json() for it in items], scanned, last

    expected = found()
    theirs.undo()
    assert found() == expected


@pytest.mark.parametrize("limit", [None, 2])
def test_a_query_by_a_number_finds_what_it_does_by_itself(limit: int | None, theirs: pytest.MonkeyPatch) -> None:
    def found() -> Any:
        backend = make_backend(sort_type="N")
        for number in ("10", "9", "-1", "2.5"):
            backend.put_item("sorted", {"pk": {"S": "a"}, "sk": {"N": number}})
        asked = {"range_comparison": ">", "range_value_dicts": [{"N": "2"}], "limit": limit}
        items, scanned, last = backend.query("sorted", {"S": "a"}, **{**ASKED, **asked})
        return [it.to_json() for it in items], scanned, last

    expected = found()
    theirs.undo()
    assert found() == expected


def test_a_table_that_is_restored_is_queried_like_the_one_it_was() -> None:
    backend = make_backend()
    for sk in SORTS:
        backend.put_item("sorted", {"pk": {"S": "a"}, "sk": {"S": sk}})
    backup = backend.create_backup("sorted", "backup")
    backend.delete_item("sorted", {"pk": {"S": "a"}, "sk": {"S": "x"}})
    backend.restore_table_from_backup("restored", backup.arn)
    backend.put_item("restored", {"pk": {"S": "a"}, "sk": {"S": "w"}})
    assert held(backend)["restored"][0] == [{"Attributes": {"pk": {"S": "a"}, "sk": {"S": it}}} for it in "wxyz"]
    found, _, _ = backend.query("restored", {"S": "a"}, **ASKED)
    assert [it.range_key.value for it in found] == ["w", "x"]


def test_what_a_query_by_range_weighs_does_not_grow_with_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    def weighed(others: int) -> int:
        backend = make_backend()
        for sk in ("r1", "r2", *(f"e{number}" for number in range(others))):
            backend.put_item("sorted", {"pk": {"S": "a"}, "sk": {"S": sk}})
        asked = {"range_comparison": "BEGINS_WITH", "range_value_dicts": [{"S": "r"}], "limit": None}
        with counted(monkeypatch, "size") as calls:
            assert len(backend.query("sorted", {"S": "a"}, **{**ASKED, **asked})[0]) == 2
        return len(calls)

    assert 0 < weighed(300) == weighed(3)


@pytest.mark.parametrize("limit", [None, 2])
@pytest.mark.parametrize("forward", [True, False])
def test_what_a_query_by_range_compares_does_not_grow_with_the_rest(
    limit: int | None, forward: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compared(others: int) -> int:
        backend = make_backend()
        for sk in ("r1", "r2", *(f"{first}{number}" for number in range(others) for first in "es")):
            backend.put_item("sorted", {"pk": {"S": "a"}, "sk": {"S": sk}})
        named = {"range_comparison": "BEGINS_WITH", "range_value_dicts": [{"S": "r"}], "scan_index_forward": forward}
        with counted(monkeypatch, "__lt__") as ordered, counted(monkeypatch, "compare") as weighed:
            assert len(backend.query("sorted", {"S": "a"}, **{**ASKED, **named, "limit": limit})[0]) == 2
        return len(ordered) + len(weighed)

    assert 0 < compared(300) == compared(3)


def test_a_page_costs_what_is_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def weighed(others: int) -> int:
        backend = make_backend()
        for number in range(others):
            backend.put_item("sorted", {"pk": {"S": "a"}, "sk": {"S": f"{number:04}"}})
        with counted(monkeypatch, "__lt__") as calls:
            backend.query("sorted", {"S": "a"}, **ASKED)
        return len(calls)

    assert 0 < weighed(300) == weighed(5)


def test_what_a_query_asks_for_is_named_as_it_is_looked_for() -> None:
    named = {"hash_key", "range_comparison", "range_objs", "limit", "index_name", "hash_key_conditions"}
    named |= {"exclusive_start_key", "scan_index_forward", "filter_kwargs"}
    assert named < set(inspect.signature(dynamodb_corrections._query).parameters)
