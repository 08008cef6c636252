"""The meter: an hour that something existed is charged once, to the second, whenever it was looked at."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from local.clock import VirtualClock
from local.simulators.bill import Bill, Charge
from local.simulators.meter import AWS_TARIFF, Meter, Metered, Metering, metered

START = datetime(2026, 11, 30, 22, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
MICRO = Decimal("0.0104")


class Cloud:
    """What exists can be set, and who looks at it when."""

    def __init__(self) -> None:
        self.clock = VirtualClock(START.timestamp())
        self.bill = Bill()
        self.there: dict[str, dict[str, Any]] = {}
        metered = Metered("aws", lambda: list(self.there.values()), AWS_TARIFF, lambda it: str(it["account"]))
        self.meter = Meter(self.clock, self.bill, [metered])

    def has(self, key: str, type_: str = "instance", size: str = "t3.micro", **fields: Any) -> None:
        self.there[key] = {
            "id": key,
            "type": type_,
            "size": size,
            "location": "us-east-1",
            "account": "1",
            "marks": {"skysaga-saga": "saga-1"},
            **fields,
        }

    def look_after(self, *steps: timedelta) -> None:
        for step in steps:
            self.clock.advance(step.total_seconds())
            self.meter.look()

    @property
    def charges(self) -> list[Charge]:
        return self.bill.known("1", datetime.fromtimestamp(self.clock.now(), UTC))


def total(charges: Iterable[Charge]) -> Decimal:
    return sum((it.amount for it in charges), Decimal())


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.mark.parametrize(
    "steps", [[3 * HOUR], [HOUR / 4] * 12, [HOUR / 7] * 21, [timedelta(), 2 * HOUR, timedelta(), HOUR]]
)
def test_what_exists_is_charged_by_the_hour_however_often_it_is_looked_at(cloud: Cloud, steps: list[timedelta]) -> None:
    cloud.has("i-1")
    cloud.meter.look()
    cloud.look_after(*steps)

    assert [it.start.hour for it in cloud.charges] == [22, 23, 0, 1]
    assert abs(total(cloud.charges) - 3 * MICRO) < Decimal("0.00000001")
    assert {it.billing_month for it in cloud.charges} == {"2026-11", "2026-12"}
    assert {it.tags["skysaga-saga"] for it in cloud.charges} == {"saga-1"}


def test_the_hour_that_is_running_is_charged_so_far(cloud: Cloud) -> None:
    cloud.has("i-1")
    cloud.meter.look()
    cloud.look_after(HOUR / 4)
    assert total(cloud.charges) == MICRO / 4
    cloud.look_after(HOUR / 4)
    assert total(cloud.charges) == MICRO / 2


def test_what_has_gone_is_charged_no_longer(cloud: Cloud) -> None:
    cloud.has("i-1")
    cloud.meter.look()
    cloud.look_after(HOUR)
    cloud.there.clear()
    cloud.look_after(HOUR / 60, 5 * HOUR)

    assert MICRO < total(cloud.charges) < MICRO * Decimal("1.02")


def test_a_volume_is_charged_by_its_size_and_an_interface_not_at_all(cloud: Cloud) -> None:
    cloud.has("vol-1", "volume", "gp3", gb=73)
    cloud.has("eni-1", "network-interface", "")
    cloud.meter.look()
    cloud.look_after(HOUR / 2, HOUR / 2)

    assert {it.resource for it in cloud.charges} == {"vol-1"}
    assert total(cloud.charges) == Decimal("0.008")


def test_what_says_when_it_was_made_is_charged_from_then_on(cloud: Cloud) -> None:
    cloud.has("i-1", created_at=(START - HOUR / 2).timestamp())
    cloud.look_after(timedelta())

    assert total(cloud.charges) == MICRO / 2


@pytest.mark.parametrize(
    ("provider", "key", "account"),
    [
        ("aws", "i-1", "123456789012"),
        ("azure", "/subscriptions/0-1/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/web", "0-1"),
        ("gcp", "projects/skysaga-local/zones/us-central1-a/instances/web", "skysaga-local"),
    ],
)
def test_each_cloud_is_charged_to_the_account_that_its_ids_name(provider: str, key: str, account: str) -> None:
    nowhere = "http://127.0.0.1:1"
    (cloud,) = [it for it in metered(nowhere, nowhere, nowhere, "123456789012") if it.provider == provider]

    assert cloud.account({"id": key}) == account


@pytest.mark.parametrize("count", [1, 2])
def test_two_of_a_kind_are_two_charges(cloud: Cloud, count: int) -> None:
    for number in range(count):
        cloud.has(f"i-{number}")
    cloud.meter.look()
    cloud.look_after(HOUR / 2)

    assert total(cloud.charges) == count * MICRO / 2


class SlowMeter(Meter):
    """One that takes long for its first look."""

    def __init__(self, seconds: float) -> None:
        self.looks: list[float] = []
        self._takes = seconds

    def look(self) -> None:
        self.looks.append(time.monotonic())
        time.sleep(self._takes if len(self.looks) == 1 else 0)


def test_a_meter_that_has_much_to_look_at_looks_more_rarely() -> None:
    meter = SlowMeter(0.05)
    metering = Metering(meter, seconds=0.01)
    deadline = time.monotonic() + 10
    while len(meter.looks) < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    metering.close()
    first, second, third, fourth, *_ = meter.looks
    assert second - first > 0.05 / 0.05
    assert fourth - third < 0.5
