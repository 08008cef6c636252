"""Asking the clouds for shortages and prices from outside of any saga."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from lambdas.core.preflight import Shortage
from lambdas.core.prices import Price
from lambdas.core.specs import ResourceDefinition
from lambdas.core.targets import Target


class Checked(NamedTuple):
    """What one cloud said; `failure` is why it said nothing at all, `unpriced` why it told no prices."""

    shortages: tuple[Shortage, ...] = ()
    failure: str | None = None
    prices: tuple[Price, ...] = ()
    unpriced: str | None = None


class Checks(Protocol):
    """Asks the functions that check clouds, all at the same time, and waits for no longer than a caller would."""

    def ask(
        self, clouds: Sequence[str], resources: Sequence[ResourceDefinition], targets: Mapping[str, Target]
    ) -> Mapping[str, Checked]:
        """What each of the clouds says of its part of `resources`, each in its target; never raises."""
        ...
