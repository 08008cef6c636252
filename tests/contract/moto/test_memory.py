"""That moto forgets what was made for a moment: a copy of a table for each transaction, a backend for each look."""

from __future__ import annotations

import gc
from typing import Any

import pytest
from moto.core.common_models import BaseModel
from moto.core.model_instances import model_data
from moto.dynamodb.models.table import Item, Table

from local.aws.moto_corrections import correct_moto
from tests.contract.moto.test_dynamodb import make_backend


@pytest.fixture(autouse=True)
def _corrected() -> None:
    correct_moto()


def _alive(kind: type) -> int:
    gc.collect()
    return sum(isinstance(it, kind) for it in gc.get_objects())


def _write(backend: Any, number: int) -> None:
    item = {"pk": {"S": "a"}, "sk": {"S": "x"}, "state": {"S": str(number)}}
    backend.transact_write_items([{"Put": {"TableName": "sorted", "Item": item}}])


def test_a_transaction_leaves_nothing_behind_but_what_it_wrote() -> None:
    backend = make_backend()
    _write(backend, 0)
    tables, items = _alive(Table), _alive(Item)
    for number in range(20):
        _write(backend, number)
    assert (_alive(Table), _alive(Item)) == (tables, items)


def test_models_are_made_where_moto_makes_and_would_track_them() -> None:
    assert issubclass(Table, BaseModel)
    before = len(model_data["dynamodb"]["Table"].instances_tracked)
    make_backend()
    assert len(model_data["dynamodb"]["Table"].instances_tracked) == before


def test_objects_of_s3_are_still_known_to_whoever_closes_their_files() -> None:
    key = model_data["s3"]["FakeKey"]
    before = len(key.instances_tracked)
    made = key(name="a", value=b"a", account_id="123456789012", region_name="eu-west-1")
    assert key.instances_tracked[before:] == [made]
    made.dispose()
