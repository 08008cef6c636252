"""What a machine on private clusters will cost."""

from __future__ import annotations

import json
from decimal import Decimal

from lambdas.core.billing.sources import Sources, parse_sources
from lambdas.core.model import Intent
from lambdas.core.prices import Price, totals
from lambdas.core.request import parse_request
from lambdas.placement.prices import RateCardPrices
from tests.fakes.documents import request_document

MACHINE = {
    "id": "web",
    "provider": "vsphere",
    "kind": "instance",
    "placement": {"cpu": 2, "memory_gb": 8, "disk_gb": 40},
    "spec": {"image": "ubuntu-24.04"},
}


def sources(**changes: object) -> Sources:
    card = {
        "kind": "rate-card",
        "since": "2026-11-01T00:00:00Z",
        "provider": "vsphere",
        "currency": "EUR",
        "rates": {"cpu_hour": "0.02", "memory_gb_hour": "0.005", "disk_gb_hour": "0.0001"},
        **changes,
    }
    return parse_sources(json.dumps({"vcenter": card}))


def machine() -> Intent:
    [definition] = parse_request(request_document(MACHINE)).resources
    return Intent(saga_id="splan", definition=definition)


def test_a_machine_costs_what_its_card_says_of_what_it_needs() -> None:
    assert RateCardPrices(sources).prices([machine()]) == [
        Price(resource="web", hourly=Decimal("0.084"), currency="EUR", basis="the rate card vcenter")
    ]


def test_clusters_with_rates_of_their_own_are_mentioned() -> None:
    rates = {"berlin-1": {"cpu_hour": "1", "memory_gb_hour": "1", "disk_gb_hour": "1"}}
    [price] = RateCardPrices(lambda: sources(cluster_rates=rates)).prices([machine()])

    assert price.basis == "the rate card vcenter; some clusters have rates of their own"


def test_a_machine_without_a_card_has_no_price() -> None:
    assert RateCardPrices(lambda: sources(provider="scvmm")).prices([machine()]) == []


def test_different_currencies_are_never_added_up() -> None:
    listed = [("EUR", "0.1"), ("USD", "0.2"), ("EUR", "0.3")]
    prices = [Price(resource="a", hourly=Decimal(it), currency=currency, basis="") for currency, it in listed]

    assert totals(prices) == {"EUR": Decimal("0.4"), "USD": Decimal("0.2")}
