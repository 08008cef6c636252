"""Where moto's DynamoDB does work that grows with the table: the answers stay the same, and take less time.

For every item of a transaction moto copies the whole table, to have it back if the transaction is cancelled; for every
query it sorts all items of the table before it chooses among them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from copy import copy, deepcopy
from functools import partial
from typing import Any

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table

_INDEX_NAME = 6
"""Its place among the arguments of `Table.query` behind the hash key."""

_transact = DynamoDBBackend.transact_write_items
_query = Table.query


def correct_dynamodb() -> None:
    """Let transactions keep what they touch only, and queries look only at what they may find."""
    DynamoDBBackend.transact_write_items = _transact_write_items
    Table.query = _query_what_fits


def _transact_write_items(backend: Any, transact_items: list[dict[str, Any]]) -> None:
    tables = _touched(backend.tables, transact_items)
    for name, hash_keys in tables.items():
        table = backend.tables[name]
        table.__deepcopy__ = partial(_kept, table, hash_keys)  # `copy.deepcopy` asks the object itself first
    copied = [backend.tables[name] for name in tables]
    try:
        _transact(backend, transact_items)
    finally:
        for table in copied:
            del table.__deepcopy__


def _touched(tables: Mapping[str, Any], transact_items: Iterable[Mapping[str, Any]]) -> dict[str, set[DynamoType]]:
    """The hash keys that a transaction may write below, by table; what is malformed is moto's to refuse."""
    touched: dict[str, set[DynamoType]] = defaultdict(set)
    for action in transact_items:
        for operation in action.values():
            if (table := tables.get(operation.get("TableName", ""))) is not None:
                hash_key = operation.get("Key", operation.get("Item", {})).get(table.hash_key_attr)
                touched[table.name] |= {DynamoType(hash_key)} if hash_key else set()
    return touched


def _kept(table: Any, hash_keys: Iterable[DynamoType], memo: dict[int, Any]) -> Any:
    """The table as it is now, of which only what is below those keys may change: the rest is shared."""
    kept = copy(table)
    del kept.__deepcopy__
    memo[id(table)] = kept
    kept.items = copy(table.items)
    for key in hash_keys:
        if key in table.items:
            kept.items[key] = deepcopy(table.items[key], memo)
    kept.stream_shard = deepcopy(table.stream_shard, memo)
    return kept


def _query_what_fits(table: Any, hash_key: DynamoType | None, *positional: Any, **named: Any) -> Any:
    """Query a table that holds nothing but what has the hash key asked for."""
    index = named["index_name"] if "index_name" in named else next(iter(positional[_INDEX_NAME:]), None)
    fitting = copy(table)
    if index is None:
        fitting.items = {hash_key: table.items[hash_key]} if hash_key in table.items else {}
    else:
        fitting.items = _having(table, dict(named.get("hash_key_conditions") or ()))
    return _query(fitting, hash_key, *positional, **named)


def _having(table: Any, attributes: Mapping[str, DynamoType]) -> dict[DynamoType, Any]:
    """The items with those attributes, as a table keeps them."""

    def fits(item: Any) -> bool:
        return all(name in item.attrs and item.attrs[name] == value for name, value in attributes.items())

    if table.range_key_attr is None:
        return {key: item for key, item in table.items.items() if fits(item)}
    below = ((key, {sort: item for sort, item in items.items() if fits(item)}) for key, items in table.items.items())
    return {key: items for key, items in below if items}
