"""What DynamoDB charges for requests that pass through, by the sizes of the items that they are about.

Rules: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html, and of indexes
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html. A unit of reading is 4 KiB, one of writing
1 KiB, each item rounded up; in a transaction it is two, and for a read that need not be of this moment half.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import ceil
from typing import Any, Final, NamedTuple

Item = Mapping[str, Mapping[str, Any]]
Place = tuple[str, Item]
"""A table and a key in it."""

Look = Callable[[Sequence[Place]], Sequence[Item]]
"""A look at what there is at some places, in their order; nothing where there is no item."""

INDEXED_BY: Final = ("status", "caller", "home")
"""The partition keys of the ledger's indexes (infra/constructs/ledger.py), each of which holds whole items."""

_IN_A_TRANSACTION: Final = 2
_NUMBER_BYTES: Final = 21


class Units(NamedTuple):
    """What one request takes."""

    read: float = 0.0
    write: int = 0


class Requests:
    """Says what requests take; `indexes` are the partition keys of the table's indexes, which hold whole items."""

    def __init__(self, look: Look, indexes: Sequence[str]) -> None:
        self._look = look
        self._indexes = indexes

    def passing(self, operation: str, asked: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], Units]:
        """Begin with a request that is about to be made; what is returned is given its answer, and says the units."""
        places = [(it["TableName"], _key(it)) for it in _writes(operation, asked)]
        before = self._look(places) if places else ()
        times = _IN_A_TRANSACTION if operation.startswith("Transact") else 1

        def answered(answer: Mapping[str, Any]) -> Units:
            after = self._look(places) if places else ()
            write = sum(self._written(old, new, times) for old, new in zip(before, after, strict=True))
            return Units(_read(operation, asked, answer), write)

        return answered

    def _written(self, old: Item, new: Item, times: int) -> int:
        """The larger of an item before and after, and each index that holds it: twice where it moves in there."""
        units = times * max(write_units(old), write_units(new))
        for partition in self._indexes:
            held, holds = old.get(partition), new.get(partition)
            if new != old:
                units += write_units(old) * (held is not None and held != holds)
                units += write_units(new) * (holds is not None)
        return units


class CountedClient:
    """A DynamoDB client that adds up what passes through it."""

    def __init__(self, client: Any, indexes: Sequence[str] = INDEXED_BY) -> None:
        self._client = client
        self._requests = Requests(self._look, indexes)
        self.exceptions = client.exceptions
        self.requests = 0
        self.read_units = 0.0
        self.write_units = 0

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """The client's method of that name, counted."""

        def counted(**asked: Any) -> Any:
            answered = self._requests.passing("".join(it.title() for it in name.split("_")), asked)
            answer: Any = {}
            try:
                answer = getattr(self._client, name)(**asked)
            finally:  # what is cancelled is paid for, too
                units = answered(answer)
                self.requests += 1
                self.read_units += units.read
                self.write_units += units.write
            return answer

        return counted

    def _look(self, places: Sequence[Place]) -> list[Item]:
        asked = ({"TableName": table, "Key": key, "ConsistentRead": True} for table, key in places)
        return [self._client.get_item(**it).get("Item", {}) for it in asked]


def _writes(operation: str, asked: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The single writes in a request; a condition that is only checked is paid for like a write."""
    if operation == "TransactWriteItems":
        yield from (write for action in asked["TransactItems"] for write in action.values())
    elif operation in ("PutItem", "UpdateItem", "DeleteItem"):
        yield asked


def _key(write: Mapping[str, Any]) -> Item:
    if "Key" in write:
        key: Item = write["Key"]
        return key
    return {name: write["Item"][name] for name in ("pk", "sk")}


def _read(operation: str, asked: Mapping[str, Any], answer: Mapping[str, Any]) -> float:
    now = 1.0 if asked.get("ConsistentRead") else 0.5
    match operation:
        case "GetItem":
            return now * read_units([answer.get("Item", {})])
        case "Query" | "Scan":
            return now * read_units([_together(answer.get("Items", []))])
        case "TransactGetItems":
            return _IN_A_TRANSACTION * read_units(it.get("Item", {}) for it in answer.get("Responses", []))
        case "BatchGetItem":
            return sum(_of_batch(of, answer.get("Responses", {}).get(table, [])) for table, of in _tables(asked))
        case _:
            return 0.0


def _tables(asked: Mapping[str, Any]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    items: Mapping[str, Mapping[str, Any]] = asked["RequestItems"]
    return items.items()


def _of_batch(asked: Mapping[str, Any], found: Sequence[Item]) -> float:
    """Each is paid for, whether there is an item or not."""
    missing = len(asked["Keys"]) - len(found)
    return (1.0 if asked.get("ConsistentRead") else 0.5) * (read_units(found) + missing)


def _together(items: Iterable[Item]) -> Item:
    """One item as large as some: a query is charged by what it found in all."""
    return {"": {"S": "x" * sum(map(size, items))}}


def size(item: Item) -> int:
    """An item's bytes: names and values in UTF-8, 3 for a list or map and 1 for each thing in it, 21 for a number.

    That is the most that a number takes. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    return sum(len(name.encode()) + _value(value) for name, value in item.items())


def _value(typed: Mapping[str, Any]) -> int:
    ((kind, value),) = typed.items()
    match kind:
        case "S" | "B":
            return len(str(value).encode())
        case "N":
            return _NUMBER_BYTES
        case "SS" | "BS" | "NS":
            return sum(_value({kind[0]: it}) for it in value)
        case "L":
            return 3 + sum(1 + _value(it) for it in value)
        case "M":
            return 3 + sum(1 + size({name: it}) for name, it in value.items())
        case _:  # true, false and null
            return 1


def read_units(items: Iterable[Item]) -> int:
    """Units for strongly consistent reads of some items, each by itself."""
    return sum(max(1, ceil(size(it) / 4096)) for it in items)


def write_units(item: Item) -> int:
    """Units for writing an item outside of a transaction."""
    return max(1, ceil(size(item) / 1024))
