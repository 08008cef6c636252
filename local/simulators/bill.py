"""What simulated clouds charge: one bill that each cloud's own billing API reads in its own words.

A charge becomes known some time after it was incurred, and may be restated: from a moment on it stands with another
amount. Who asks at a moment sees what was known by then, so the bill is a function of the clock, as the clouds' are.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Literal

ChargeKind = Literal["usage", "purchase", "tax", "credit", "adjustment"]


@dataclass(frozen=True)
class Charge:
    """One line of a bill, for usage from `start` to `end`, known from `known_at` on.

    `account` is the account, subscription or project; `billing_month` (`2026-11`) the period it is billed in, which is
    that of its usage unless it corrects one that was invoiced before.
    """

    id: str
    provider: Literal["aws", "azure", "gcp"]
    account: str
    service: str
    sku: str
    region: str
    resource: str
    start: datetime
    end: datetime
    quantity: Decimal
    unit: str
    amount: Decimal
    currency: str
    known_at: datetime
    billing_month: str
    kind: ChargeKind = "usage"
    corrects: bool = False
    tags: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class _Restated:
    since: datetime
    amount: Decimal


class Bill:
    """Every charge of some accounts, and how they changed; safe to use from several threads."""

    def __init__(self) -> None:
        self._charges: dict[str, Charge] = {}
        self._places: dict[str, list[tuple[datetime, str]]] = {}
        self._restated: dict[str, list[_Restated]] = {}
        self._lock = threading.Lock()

    def add(self, charges: Iterable[Charge]) -> None:
        """Put charges on the bill, each under an id of its own."""
        with self._lock:
            for charge in charges:
                if charge.id in self._charges:
                    raise ValueError(f"the charge {charge.id} is on the bill already")
                self._put(charge)

    def put(self, charges: Iterable[Charge]) -> None:
        """Put charges on the bill in place of those that have their ids; where and when those begin does not change."""
        with self._lock:
            for charge in charges:
                self._put(charge)

    def restate(self, charge: str, amount: Decimal, since: datetime) -> None:
        """Let a charge stand with another amount from a moment on."""
        with self._lock:
            self._restated.setdefault(charge, []).append(_Restated(since, amount))

    def known(
        self, account: str, at: datetime, start: datetime | None = None, end: datetime | None = None
    ) -> list[Charge]:
        """What was known of an account's charges at a moment, with their amounts of then, by usage and id.

        Of those whose usage begins from `start` on and before `end`, where these are given.
        """
        with self._lock:
            places = self._places.get(account, [])
            first = bisect_left(places, (start, "")) if start else 0
            last = bisect_left(places, (end, "")) if end else len(places)
            charges = [self._charges[name] for _, name in places[first:last]]
            return [self._as_of(it, at) for it in charges if it.known_at <= at]

    def changed_at(self, account: str, at: datetime) -> datetime | None:
        """When that changed last."""
        with self._lock:
            ours = [it for it in self._charges.values() if it.account == account]
            moments = [it.known_at for it in ours]
            moments += [change.since for it in ours for change in self._restated.get(it.id, ())]
        return max((moment for moment in moments if moment <= at), default=None)

    def _put(self, charge: Charge) -> None:
        if charge.id not in self._charges:
            insort(self._places.setdefault(charge.account, []), (charge.start, charge.id))
        self._charges[charge.id] = charge

    def _as_of(self, charge: Charge, at: datetime) -> Charge:
        past = [it for it in self._restated.get(charge.id, ()) if it.since <= at]
        return replace(charge, amount=max(past, key=lambda it: it.since).amount) if past else charge
