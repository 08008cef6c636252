"""Where moto's DynamoDB does work that grows with the table: the answers stay the same, and take less time.

For every item of a transaction moto copies the whole table, to have it back if the transaction is cancelled; for every
query it sorts all items of the table before it chooses among them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from copy import copy, deepcopy
from functools import wraps
from inspect import signature
from typing import Any, NamedTuple

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table

from local.aws.ordered_items import OrderedItems, Span

_Key = tuple[DynamoType, DynamoType | None]
"""A hash key with its range key, if the table has any."""

_make = Table.__init__
_transact = DynamoDBBackend.transact_write_items
_query = Table.query
_asked = signature(_query).bind


def correct_dynamodb() -> None:
    """Let transactions keep what they touch only, and queries look only at what they may find."""
    Table.__init__ = _make_table
    DynamoDBBackend.transact_write_items = _transact_write_items
    Table.query = _query_what_fits


@wraps(_make)
def _make_table(table: Any, *positional: Any, **named: Any) -> None:
    """Make a table that keeps its items in order."""
    _make(table, *positional, **named)
    if table.range_key_attr is not None:
        table.items = defaultdict(OrderedItems)


def _transact_write_items(backend: Any, transact_items: list[dict[str, Any]]) -> None:
    tables = backend.tables
    touched = [_Before.of(tables[name], keys) for name, keys in _touched(tables, transact_items).items()]
    for before in touched:
        before.table.__deepcopy__ = before.given  # `copy.deepcopy` asks the object itself first
    try:
        _transact(backend, transact_items)
    except BaseException:
        for before in touched:
            before.restore()
        raise
    finally:
        for before in touched:
            del before.table.__deepcopy__


class _Before(NamedTuple):
    """A table of which only the items with some keys may change, and what these were; None where nothing was."""

    table: Any
    items: Mapping[_Key, Any]
    shard: Any

    @classmethod
    def of(cls, table: Any, keys: Iterable[_Key]) -> _Before:
        """What is there now."""
        memo = {id(table): table}
        return cls(table, {key: deepcopy(_held(table, key), memo) for key in keys}, deepcopy(table.stream_shard, memo))

    def given(self, _memo: dict[int, Any]) -> Any:
        """The table itself, where moto takes a copy to go back to."""
        return self.table

    def restore(self) -> None:
        """Put the items back as they were."""
        self.table.stream_shard = self.shard
        for (hash_key, range_key), item in self.items.items():
            held, key = (self.table.items, hash_key) if range_key is None else (self.table.items[hash_key], range_key)
            if item is None:
                held.pop(key, None)
            else:
                held[key] = item


def _held(table: Any, key: _Key) -> Any:
    """The item with a key, if there is one."""
    hash_key, range_key = key
    below = table.items.get(hash_key)
    return below if range_key is None or below is None else below.get(range_key)


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


def _query_what_fits(table: Any, *positional: Any, **named: Any) -> Any:
    """Query a table that holds nothing but what has the keys asked for."""
    asked = _asked(table, *positional, **named).arguments
    fitting = copy(table)
    if asked.get("index_name") is not None:
        fitting.items = _having(table, dict(asked.get("hash_key_conditions") or ()))
    elif (hash_key := asked["hash_key"]) in table.items:
        below = table.items[hash_key]
        fitting.items = {hash_key: _between(table, below, asked) if _in_order(table, asked) else below}
    else:
        fitting.items = {}
    return _query(fitting, *positional, **named)


def _in_order(table: Any, asked: Mapping[str, Any]) -> bool:
    """Whether what is asked for is a part of the order that a hash key's items have."""
    start = asked["exclusive_start_key"]
    same = not start or DynamoType(start[table.hash_key_attr]) == asked["hash_key"]
    return table.range_key_attr is not None and same


def _between(table: Any, items: OrderedItems, asked: Mapping[str, Any]) -> dict[DynamoType, Any]:
    """The items of a hash key that are asked for; with a limit, no more than so many and the next one beyond them.

    That there is a next one is what moto makes a page of, whether it is asked for or not.
    """
    span = items.span(asked["range_comparison"], asked["range_objs"])
    start, limit, backward = _start(table, asked), asked["limit"], asked["scan_index_forward"] is False
    if start is not None:
        after = items.span("<" if backward else ">", [start])
        span = Span(max(span.first, after.first), min(span.end, after.end))
    if limit is None or asked.get("filter_kwargs"):  # a filter's limit counts what passes it
        return items.within(span)
    if backward:
        return items.within(Span(max(span.first, span.end - limit) - 1, span.end))
    return items.within(Span(span.first, min(span.end, span.first + limit) + 1))


def _start(table: Any, asked: Mapping[str, Any]) -> DynamoType | None:
    """The range key after which a query goes on."""
    start = asked["exclusive_start_key"]
    return DynamoType(start[table.range_key_attr]) if start else None


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
