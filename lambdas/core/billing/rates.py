"""What machines on private clusters cost by a rate card: one charge for each machine, hour and component, in FOCUS 1.2.

A machine costs from the moment it was ready until it was gone, whatever it does meanwhile: it keeps its cluster's room
from others. Building it costs nothing, nor does what never became ready.

Every charge is computed exactly, of the part of the hour that the machine was there, and rounded once, to the 20
decimals that costs are kept with, half to even.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Context, Decimal
from fractions import Fraction
from typing import Final, NamedTuple

from lambdas.core.billing.sources import RateCard, Rates
from lambdas.core.billing.spans import HOUR, Span, window_of
from lambdas.core.clusters import Amounts

Columns = Mapping[str, str | Decimal | datetime | Mapping[str, str] | None]
"""A row of FOCUS, as `ports.costs` has it."""

PROVIDERS: Final = {"vsphere": "vSphere", "scvmm": "System Center VMM"}
ISSUER: Final = "skysaga"
"""Nobody sends an invoice for machines of one's own: the deployment says what they cost."""

COMPONENTS: Final = ("cpu", "memory", "disk")

_UNITS: Final = {"cpu": "vCPU-Hours", "memory": "GiB-Hours", "disk": "GiB-Hours"}
_METERS: Final = {"cpu": "Virtual processors", "memory": "Memory", "disk": "Disk"}
_DECIMALS: Final = 20
_ENOUGH: Final = Context(prec=60)
_MIB_PER_GIB: Final = 1024
_MICROSECOND: Final = timedelta(microseconds=1)


class Machine(NamedTuple):
    """A machine on a cluster, from `since` until `until`, or to this day; `tags` are its labels and marks."""

    id: str
    name: str
    cluster: str
    amounts: Amounts
    tags: Mapping[str, str]
    since: datetime
    until: datetime | None


def charges(card: RateCard, machines: Iterable[Machine], span: Span) -> Iterator[Columns]:
    """What machines cost in a span: of each hour that a machine was there for some of, one row for each component."""
    for machine in machines:
        since = max(machine.since, span.start)
        until = min(machine.until or span.end, span.end)
        at = window_of(since)
        while since < until and at < until:
            lived = Span(max(at, since), min(at + HOUR, until))
            yield from _hour(card, machine, at, lived)
            at += HOUR


def hourly_cost(rates: Rates, amounts: Amounts) -> Decimal:
    """What a machine costs in a whole hour, rounded as a charge is."""
    return sum((_rounded(Fraction(_rate(rates, it)) * _amount(amounts, it)) for it in COMPONENTS), Decimal())


def _hour(card: RateCard, machine: Machine, at: datetime, lived: Span) -> Iterator[Columns]:
    rates = card.cluster_rates.get(machine.cluster, card.rates)
    hours = Fraction((lived.end - lived.start) // _MICROSECOND, HOUR // _MICROSECOND)
    period = card.calendar.period_of(at)
    for component in COMPONENTS:
        amount = _amount(machine.amounts, component)
        rate = _rate(rates, component)
        yield {
            **_machine_columns(card, machine),
            **_sku(card, machine, component),
            **_cost(rate, amount * hours),
            "BillingCurrency": card.currency,
            "BillingPeriodStart": period.start,
            "BillingPeriodEnd": period.end,
            "ChargeCategory": "Usage",
            "ChargeFrequency": "Usage-Based",
            "ChargePeriodStart": at,
            "ChargePeriodEnd": at + HOUR,
            "ConsumedUnit": _UNITS[component],
            "PricingCategory": "Standard",
            "PricingUnit": _UNITS[component],
        }


def _cost(rate: Decimal, quantity: Fraction) -> Columns:
    """The cost is that of the exact quantity, and not of the rounded one that stands beside it."""
    cost = _rounded(Fraction(rate) * quantity)
    consumed = _rounded(quantity)
    return {
        **dict.fromkeys(("BilledCost", "ContractedCost", "EffectiveCost", "ListCost"), cost),
        **dict.fromkeys(("ContractedUnitPrice", "ListUnitPrice"), rate),
        **dict.fromkeys(("ConsumedQuantity", "PricingQuantity"), consumed),
    }


def _machine_columns(card: RateCard, machine: Machine) -> Columns:
    provider = PROVIDERS[card.provider]
    return {
        "BillingAccountId": f"{card.provider}/{card.target}",
        "BillingAccountName": card.target,
        "BillingAccountType": "Target",
        "InvoiceIssuerName": ISSUER,
        "ProviderName": provider,
        "PublisherName": provider,
        "ResourceId": machine.id,
        "ResourceName": machine.name,
        "ResourceType": "Virtual Machine",
        "ServiceCategory": "Compute",
        "ServiceName": "Virtual machines",
        "ServiceSubcategory": "Virtual Machines",
        "SubAccountId": machine.cluster,
        "SubAccountName": machine.cluster,
        "SubAccountType": "Cluster",
        "Tags": machine.tags,
    }


def _sku(card: RateCard, machine: Machine, component: str) -> Columns:
    """A cluster that costs something else has prices of its own for the same SKUs."""
    sku = f"{card.provider}-{component}"
    return {
        "ChargeDescription": f"{_METERS[component]} of a machine on {machine.cluster}",
        "SkuId": sku,
        "SkuMeter": _METERS[component],
        "SkuPriceId": f"{sku}-{machine.cluster}" if machine.cluster in card.cluster_rates else sku,
    }


def _amount(amounts: Amounts, component: str) -> Fraction:
    match component:
        case "cpu":
            return Fraction(amounts.cpu)
        case "memory":
            return Fraction(amounts.memory_mb, _MIB_PER_GIB)
        case _:
            return Fraction(amounts.disk_gb)


def _rate(rates: Rates, component: str) -> Decimal:
    return {"cpu": rates.cpu_hour, "memory": rates.memory_gb_hour, "disk": rates.disk_gb_hour}[component]


def _rounded(exact: Fraction) -> Decimal:
    """To 20 decimals, half to even, as `round` does."""
    return Decimal(round(exact * 10**_DECIMALS)).scaleb(-_DECIMALS, _ENOUGH)
