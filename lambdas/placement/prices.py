"""What machines on private clusters will cost: by the rate cards that the deployment declares."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from lambdas.core.billing.rates import hourly_cost
from lambdas.core.billing.sources import RateCard, Sources
from lambdas.core.clusters import needed
from lambdas.core.model import Intent
from lambdas.core.prices import Price
from lambdas.core.specs import PrivateInstance
from lambdas.core.targets import DEFAULT

_ELSEWHERE: Final = "; some clusters have rates of their own"


class RateCardPrices:
    """The prices of machines by the card of their provider and target, wherever they will be placed."""

    def __init__(self, declared: Callable[[], Sources]) -> None:
        self._declared = declared

    def prices(self, intents: Sequence[Intent]) -> list[Price]:
        """What an hour of each costs, where a card says so; raises Misconfigured or RetryableError."""
        cards: dict[tuple[str, str], RateCard] = {
            (it.provider, it.target): it for it in self._declared().values() if isinstance(it, RateCard)
        }
        return [price for intent in intents for price in _priced(intent, cards.get(_home(intent)))]


def _home(intent: Intent) -> tuple[str, str]:
    return intent.definition.provider, intent.target.name if intent.target else DEFAULT


def _priced(intent: Intent, card: RateCard | None) -> Iterator[Price]:
    if card is None or not isinstance(intent.definition, PrivateInstance):
        return
    yield Price(
        resource=intent.resource_id,
        hourly=hourly_cost(card.rates, needed(intent.definition.placement)),
        currency=card.currency,
        basis=f"the rate card {card.name}{_ELSEWHERE if card.cluster_rates else ''}",
    )
