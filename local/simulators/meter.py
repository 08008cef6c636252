"""What things cost by the hour, for as long as a simulated cloud has them: what exists becomes charges on a bill.

A meter sees what there is whenever it looks, so that what comes and goes between two looks costs nothing. The hour that
is running is charged so far, and stands with another amount at the next look.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Literal, NamedTuple
from urllib.request import urlopen

from local.clock import Clock
from local.simulators.bill import Bill, Charge

_HOUR: Final = timedelta(hours=1)
_SMALLEST: Final = Decimal("0.0000000001")
"""To which amounts are rounded, as AWS does."""


class Price(NamedTuple):
    """What an hour of something costs, or of a GB of it, and what the cloud calls it."""

    service: str
    sku: str
    hourly: Decimal
    unit: str = "Hours"


@dataclass(frozen=True)
class Tariff:
    """The prices of a cloud by type and size, `*` for all that are not named; `of` says when they were in force."""

    of: str
    currency: str
    prices: Mapping[tuple[str, str], Price]

    def price(self, type_: str, size: str) -> Price | None:
        """Return what something costs; None for what costs nothing."""
        return self.prices.get((type_, size)) or self.prices.get((type_, "*"))


_EC2: Final = "Amazon Elastic Compute Cloud - Compute"
_EC2_OTHER: Final = "EC2 - Other"
HOURS_A_MONTH: Final = 730


def _instance(size: str, hourly: str) -> tuple[tuple[str, str], Price]:
    return ("instance", size), Price(_EC2, f"BoxUsage:{size}", Decimal(hourly))


def _volume(kind: str, monthly: str) -> tuple[tuple[str, str], Price]:
    return ("volume", kind), Price(_EC2_OTHER, f"EBS:VolumeUsage.{kind}", Decimal(monthly) / HOURS_A_MONTH, "GB-Hours")


AWS_TARIFF: Final = Tariff(
    of="2024-06",
    currency="USD",
    prices=dict(
        [
            _instance("t3.nano", "0.0052"),
            _instance("t3.micro", "0.0104"),
            _instance("t3.small", "0.0208"),
            _instance("t3.medium", "0.0416"),
            _instance("t3.large", "0.0832"),
            _instance("m5.large", "0.096"),
            _instance("m5.xlarge", "0.192"),
            _instance("c5.large", "0.085"),
            _instance("*", "0.10"),
            _volume("gp2", "0.10"),
            _volume("gp3", "0.08"),
            _volume("*", "0.10"),
        ]
    ),
)
"""On-demand prices of Linux in us-east-1 as https://aws.amazon.com/ec2/pricing/ had them then, for every region."""

AZURE_TARIFF: Final = Tariff(
    of="2024-06",
    currency="USD",
    prices={
        ("virtualMachines", "*"): Price("Virtual Machines", "B1s", Decimal("0.0104")),
        ("disks", "*"): Price("Storage", "Standard SSD Managed Disks E4", Decimal("2.40") / HOURS_A_MONTH),
        ("publicIPAddresses", "*"): Price("Virtual Network", "Standard IPv4 Static Public IP", Decimal("0.005")),
    },
)
"""https://azure.microsoft.com/pricing/ for East US; one size stands for all, since the inventory does not name them."""

GCP_TARIFF: Final = Tariff(
    of="2024-06",
    currency="USD",
    prices={
        ("instance", "*"): Price("Compute Engine", "E2 small", Decimal("0.016751")),
        ("disk", "*"): Price("Compute Engine", "Balanced PD Capacity", Decimal("1.00") / HOURS_A_MONTH),
    },
)
"""https://cloud.google.com/compute/all-pricing for us-central1; one size stands for all, as above: disks of 10 GB."""


class Metered(NamedTuple):
    """A cloud that is metered: what it has (a simulator's `inventory`), for what price, and on whose account."""

    provider: Literal["aws", "azure", "gcp"]
    inventory: Callable[[], Iterable[Mapping[str, Any]]]
    tariff: Tariff
    account: Callable[[Mapping[str, Any]], str]


def inventory_at(url: str) -> Callable[[], list[dict[str, Any]]]:
    """What the simulator at a URL says that it has; the inventory raises OSError when it does not answer."""

    def inventory() -> list[dict[str, Any]]:
        with urlopen(f"{url}/_simulator/resources", timeout=10) as answer:  # noqa: S310 -- on loopback  # nosec B310
            found: list[dict[str, Any]] = json.load(answer)
            return found

    return inventory


def metered(aws: str, azure: str, gcp: str, account: str) -> list[Metered]:
    """The three public clouds at their URLs; `account` is the AWS account of what names none."""
    return [
        Metered("aws", inventory_at(aws), AWS_TARIFF, lambda it: str(it.get("account", account))),
        Metered("azure", inventory_at(azure), AZURE_TARIFF, lambda it: _after("subscriptions", it)),
        Metered("gcp", inventory_at(gcp), GCP_TARIFF, lambda it: _after("projects", it)),
    ]


def _after(kind: str, found: Mapping[str, Any]) -> str:
    """What an id names after the word for it: `/subscriptions/NAME/...`."""
    parts = str(found["id"]).split("/")
    return parts[parts.index(kind) + 1]


class _Thing(NamedTuple):
    charge: Charge
    """Of its next hour, or part of one."""
    hourly: Decimal
    quantity: Decimal


class Meter:
    """Looks at clouds and puts what they have on a bill; safe to use from several threads."""

    def __init__(self, clock: Clock, bill: Bill, clouds: Iterable[Metered]) -> None:
        self._clock = clock
        self._bill = bill
        self._clouds = tuple(clouds)
        self._things: dict[str, _Thing] = {}
        self._lock = threading.Lock()

    def look(self) -> None:
        """Charge everything up to now: what is there, and for the last time what no longer is."""
        with self._lock:
            now = datetime.fromtimestamp(self._clock.now(), UTC)
            there = set()
            for cloud in self._clouds:
                for found in cloud.inventory():
                    key = f"{cloud.provider}/{found['id']}"
                    there.add(key)
                    if key not in self._things and (thing := _thing(cloud, key, found, now)):
                        self._things[key] = thing
            for key, thing in list(self._things.items()):
                self._things[key] = self._charged(thing, now)
                if key not in there:
                    del self._things[key]

    def _charged(self, thing: _Thing, now: datetime) -> _Thing:
        """Put the hours up to now on the bill, and return the thing as it is charged next."""
        charges = list(_charges(thing, now))
        self._bill.put(charges)
        if not charges:
            return thing
        last = charges[-1]
        start = last.end if last.end == _hour_after(last.start) else last.start
        return thing._replace(charge=replace(last, start=start))


def _thing(cloud: Metered, key: str, found: Mapping[str, Any], now: datetime) -> _Thing | None:
    price = cloud.tariff.price(found["type"], str(found.get("size", "")))
    if price is None:
        return None
    since = datetime.fromtimestamp(found["created_at"], UTC) if "created_at" in found else now
    charge = Charge(
        id=key,
        provider=cloud.provider,
        account=cloud.account(found),
        service=price.service,
        sku=price.sku,
        region=str(found.get("location", "")),
        resource=str(found["id"]),
        start=since,
        end=since,
        quantity=Decimal(),
        unit=price.unit,
        amount=Decimal(),
        currency=cloud.tariff.currency,
        known_at=now,
        billing_month=since.strftime("%Y-%m"),
        tags=dict(found["marks"]),
    )
    return _Thing(charge, price.hourly, Decimal(str(found.get("gb", 1))))


def _charges(thing: _Thing, now: datetime) -> Iterator[Charge]:
    """One for each hour since it was charged last, the running one so far."""
    key = f"{thing.charge.provider}/{thing.charge.resource}"
    start = thing.charge.start
    while start < now:
        end = min(_hour_after(start), now)
        quantity = thing.quantity * Decimal((end - start) // timedelta(milliseconds=1)) / 3_600_000
        yield replace(
            thing.charge,
            id=f"{key}/{start:%Y-%m-%dT%H}",
            start=start,
            end=end,
            quantity=quantity.quantize(_SMALLEST),
            amount=(quantity * thing.hourly).quantize(_SMALLEST),
            known_at=now,
            billing_month=start.strftime("%Y-%m"),
        )
        start = end


def _hour_after(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0) + _HOUR


_MOST_OF_THE_TIME: Final = 0.05
"""What looking may take of all time: how long a look takes grows with what there is."""


class Metering:
    """A meter that looks by itself every few seconds, more rarely when a look takes long, until it is closed."""

    def __init__(self, meter: Meter, seconds: float = 5.0) -> None:
        self._meter = meter
        self._seconds = seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="meter", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Look no more."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        pause = self._seconds
        while not self._over.wait(pause):
            began = time.monotonic()
            with suppress(OSError):  # it is looked at again
                self._meter.look()
            pause = max(self._seconds, (time.monotonic() - began) / _MOST_OF_THE_TIME)
