"""What something that does not exist yet would cost, by its cloud's list: a look, and no promise."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from decimal import Decimal
from typing import Final, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

_HOURS_A_MONTH: Final = 730
"""By which clouds turn a price by the month into one by the hour."""

_STEP: Final = Decimal("1e-8")


MOST_LOOKED_UP: Final = 50
"""Different prices that a list is asked for in one check: somebody waits for the answer, for twenty seconds at most."""

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Lookups(Generic[K, V]):
    """What was looked up in one check: each thing once, and of those that are not `known` yet the first `most`."""

    def __init__(self, known: dict[K, V | None], most: int = MOST_LOOKED_UP) -> None:
        self._known = known
        self._left = most

    def get(self, key: K, look: Callable[[], V | None]) -> V | None:
        """What is known by a key, or found by looking; None where there is nothing, or too much was looked up."""
        if key not in self._known:
            if not self._left:
                return None
            self._left -= 1
            self._known[key] = look()
        return self._known[key]


class Price(BaseModel):
    """What a resource costs in an hour, in a currency; `basis` says by which price, and so what is not in it."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    resource: str
    hourly: Decimal
    currency: str
    basis: str


def by_the_hour(monthly: Decimal) -> Decimal:
    """A price by the month as one by the hour, to as many places as anybody can make use of."""
    return (monthly / _HOURS_A_MONTH).quantize(_STEP)


def totals(prices: Iterable[Price]) -> Mapping[str, Decimal]:
    """What everything that has a price costs in an hour, by currency: different ones are never added up."""
    sums: dict[str, Decimal] = {}
    for price in prices:
        sums[price.currency] = sums.get(price.currency, Decimal()) + price.hourly
    return sums
