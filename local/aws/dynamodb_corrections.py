"""Where moto's DynamoDB does work that grows with the table: the answers stay the same, and take less time.

For every item of a transaction moto copies the whole table, to have it back if the transaction is cancelled; for every
query it sorts all items of the table before it chooses among them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from copy import copy, deepcopy
from functools import partial
from inspect import signature
from typing import Any

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table

_Key = tuple[DynamoType, DynamoType | None]
"""A hash key with its range key, if the table has any."""

_transact = DynamoDBBackend.transact_write_items
_query = Table.query
_asked = signature(_query).bind


def correct_dynamodb() -> None:
    """Let transactions keep what they touch only, and queries look only at what they may find."""
    DynamoDBBackend.transact_write_items = _transact_write_items
    Table.query = _query_what_fits


def _transact_write_items(backend: Any, transact_items: list[dict[str, Any]]) -> None:
    touched = [(backend.tables[name], keys) for name, keys in _touched(backend.tables, transact_items).items()]
    for table, keys in touched:
        table.__deepcopy__ = partial(_given, _kept(table, keys))  # `copy.deepcopy` asks the object itself first
    try:
        _transact(backend, transact_items)
    finally:
        for table, _ in touched:
            del table.__deepcopy__


def _given(kept: Any, _memo: dict[int, Any]) -> Any:
    return kept


def _touched(tables: Mapping[str, Any], transact_items: Iterable[Mapping[str, Any]]) -> dict[str, set[_Key]]:
    """The keys that a transaction may write, by table; what is malformed is moto's to refuse."""
    touched: dict[str, set[_Key]] = defaultdict(set)
    for action in transact_items:
        for operation in action.values():
            if (table := tables.get(operation.get("TableName", ""))) is not None:
                given = operation.get("Key", operation.get("Item", {}))
                hash_key, range_key = given.get(table.hash_key_attr), given.get(table.range_key_attr)
                key = DynamoType(hash_key), DynamoType(range_key) if range_key else None
                touched[table.name] |= {key} if hash_key else set()
    return touched


def _kept(table: Any, keys: Iterable[_Key]) -> Any:
    """The table as it is now, of which only the items with those keys may change: the rest is shared."""
    kept = copy(table)
    memo = {id(table): kept}
    kept.items = copy(table.items)
    for hash_key, range_key in keys:
        if hash_key not in table.items:
            continue
        if table.range_key_attr is None:
            kept.items[hash_key] = deepcopy(table.items[hash_key], memo)
            continue
        if kept.items[hash_key] is table.items[hash_key]:
            kept.items[hash_key] = copy(table.items[hash_key])
        if range_key in table.items[hash_key]:
            kept.items[hash_key][range_key] = deepcopy(table.items[hash_key][range_key], memo)
    kept.stream_shard = deepcopy(table.stream_shard, memo)
    return kept


def _query_what_fits(table: Any, *positional: Any, **named: Any) -> Any:
    """Query a table that holds nothing but what has the keys asked for."""
    asked = _asked(table, *positional, **named).arguments
    fitting = copy(table)
    if asked.get("index_name") is not None:
        fitting.items = _having(table, dict(asked.get("hash_key_conditions") or ()))
    elif (hash_key := asked["hash_key"]) in table.items:
        fitting.items = {hash_key: _between(table.items[hash_key], asked)}
    else:
        fitting.items = {}
    return _query(fitting, *positional, **named)


def _between(items: Any, asked: Mapping[str, Any]) -> Any:
    """The items of a hash key whose range key is asked for; all where a limit makes what comes after them matter."""
    comparison, bounds = asked["range_comparison"], asked["range_objs"]
    if not comparison or asked["limit"] is not None:
        return items
    return {key: item for key, item in items.items() if key.compare(comparison, bounds)}


def _having(table: Any, attributes: Mapping[str, DynamoType]) -> dict[DynamoType, Any]:
    """The items with those attributes, as a table keeps them."""
    if table.range_key_attr is None:
        return _fitting(table.items, attributes)
    below = ((key, _fitting(items, attributes)) for key, items in table.items.items())
    return {key: items for key, items in below if items}


def _fitting(items: Mapping[Any, Any], attributes: Mapping[str, DynamoType]) -> dict[Any, Any]:
    """Those with the attributes: all of a table are looked at, and most have not even the first."""
    first = next(iter(attributes), None)
    having = [(key, item) for key, item in items.items() if first is None or first in item.attrs]
    return {
        key: item
        for key, item in having
        if all(name in item.attrs and item.attrs[name] == value for name, value in attributes.items())
    }
