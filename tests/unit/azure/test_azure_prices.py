"""What Azure's machines and disks cost at retail, asked of a simulated list."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from lambdas.azure.prices import AzurePrices, tier_of
from lambdas.core.errors import RetryableError
from lambdas.core.model import Intent
from lambdas.core.prices import MOST_LOOKED_UP, Price
from tests.contract.azure_cloud import azure_definition as definition
from tests.unit.azure.simulated import SUBSCRIPTION, SimulatedAzure


def intent(kind: str = "instance", **spec: Any) -> Intent:
    return Intent(saga_id="splan", definition=definition(kind, **spec))


def prices_at(url: str) -> AzurePrices:
    return AzurePrices.from_environment({"AZURE_SUBSCRIPTION_ID": SUBSCRIPTION, "AZURE_RETAIL_PRICES_ENDPOINT": url})


def test_a_machine_costs_what_its_size_is_listed_at_without_spot_and_windows(azure: SimulatedAzure) -> None:
    [price] = prices_at(azure.url).prices([intent(size="Standard_B1s")])

    assert price == Price(
        resource="web", hourly=Decimal("0.0104"), currency="USD", basis="Standard_B1s with Linux, pay as you go"
    )


def test_a_disk_costs_the_tier_that_it_is_billed_as(azure: SimulatedAzure) -> None:
    [price] = prices_at(azure.url).prices([intent("disk", size_gb=50)])

    assert price.hourly == Decimal("0.00657534")  # of 4.80 a month
    assert price.basis == "a disk billed as E6, without operations"


def test_what_is_not_listed_or_may_be_licensed_has_no_price(azure: SimulatedAzure) -> None:
    windows = intent(image="MicrosoftWindowsServer:WindowsServer:2025:latest")

    assert prices_at(azure.url).prices([intent(size="Standard_X'1"), windows, intent("disk", size_gb=16_000)]) == []


def test_a_price_is_looked_up_once_and_of_too_many_the_first(azure: SimulatedAzure) -> None:
    many = [intent(size=f"Standard_X{number}") for number in range(MOST_LOOKED_UP - 1)]
    prices = prices_at(azure.url)

    assert len(prices.prices([*[intent()] * 100, *many, intent("disk", size_gb=50)])) == 100
    assert len(prices.prices([intent("disk", size_gb=50)])) == 1


def test_a_list_that_does_not_answer_is_to_be_asked_again() -> None:
    with pytest.raises(RetryableError):
        prices_at("http://127.0.0.1:9").prices([intent()])


@pytest.mark.parametrize(
    ("type_", "size_gb", "tier"),
    [
        ("StandardSSD_LRS", 1, "E1"),
        ("StandardSSD_LRS", 4, "E1"),
        ("StandardSSD_LRS", 5, "E2"),
        ("Standard_LRS", 1, "S4"),
        ("Premium_LRS", 128, "P10"),
        ("Premium_LRS", 32_767, "P80"),
        ("Premium_LRS", 32_768, None),
    ],
)
def test_disks_are_billed_by_the_next_larger_tier(type_: str, size_gb: int, tier: str | None) -> None:
    assert tier_of(type_, size_gb) == tier
