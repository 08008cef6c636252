"""The items below one hash key in the order of their range keys: a query looks only at what it is about.

moto keeps them in a dictionary, and sorts all of them for every query.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from moto.dynamodb.models.dynamo_type import DynamoType


class Span(NamedTuple):
    """Places in the order, from the first to before the end."""

    first: int
    end: int


_Place = Callable[[Sequence[Any], Any], int]
"""Where in an order a value's place is."""


def _beginning(values: Sequence[Any], _: Any) -> int:
    return 0


def _all(values: Sequence[Any], _: Any) -> int:
    return len(values)


def _after_prefix(values: Sequence[Any], prefix: Any) -> int:
    first = bisect_left(values, prefix)
    return bisect_left(values, True, first, key=lambda value: not value.startswith(prefix))


_ENDS: Final[Mapping[str | None, tuple[_Place, _Place]]] = {
    "=": (bisect_left, bisect_right),
    "<": (_beginning, bisect_left),
    "<=": (_beginning, bisect_right),
    ">": (bisect_right, _all),
    ">=": (bisect_left, _all),
    "BETWEEN": (bisect_left, bisect_right),
    "BEGINS_WITH": (bisect_left, _after_prefix),
}
"""Where a comparison's span begins, by its first bound, and ends, by its last."""


class OrderedItems(dict[DynamoType, Any]):
    """Items by range key, as moto writes, takes and removes them, and in order."""

    def __init__(self) -> None:
        super().__init__()
        self._values: Final[list[Any]] = []
        self._keys: Final[list[DynamoType]] = []

    def __setitem__(self, key: DynamoType, item: Any) -> None:
        if key not in self:
            value = key.cast_value
            place = bisect_left(self._values, value)
            self._values.insert(place, value)
            self._keys.insert(place, key)
        super().__setitem__(key, item)

    def pop(self, key: DynamoType, *default: Any) -> Any:
        """Take an item out."""
        if key in self:
            place = bisect_left(self._values, key.cast_value)
            del self._values[place], self._keys[place]
        return super().pop(key, *default)

    def __deepcopy__(self, memo: dict[int, Any]) -> OrderedItems:
        """Items of their own, as a backup has them."""
        copied = OrderedItems()
        for key, item in self.items():
            copied[key] = item.__deepcopy__(memo)
        return copied

    def span(self, comparison: str | None, bounds: Sequence[DynamoType]) -> Span:
        """Where the items are whose range key compares so; everything for what is no span."""
        values = [bound.cast_value for bound in bounds]
        if comparison not in _ENDS:
            return Span(0, len(self))
        first, end = _ENDS[comparison]
        return Span(first(self._values, values[0]), end(self._values, values[-1]))

    def within(self, span: Span) -> dict[DynamoType, Any]:
        """The items of a span; what is beyond the order has none."""
        return {key: self[key] for key in self._keys[max(0, span.first) : max(0, span.end)]}
