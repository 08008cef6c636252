"""The rows of Cost Management's query in FOCUS's columns.

What the query cannot tell, so that rows lack it or say less than FOCUS wants:

- list and contracted prices: ListCost and ContractedCost are what is billed, or amortized;
- the unit of a quantity, which is the meter's own: PricingUnit and ConsumedUnit are `Units`;
- who pays for a subscription: BillingAccountId is the subscription's;
- the hour of a charge, the SKU's price, and who publishes what is sold in the Marketplace.

FOCUS counts a refund among what it refunds: ChargeCategory, specification/columns/chargecategory.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Literal

from lambdas.azure.costs.services import service_category
from lambdas.core.billing.sources import CostQuery
from lambdas.core.errors import TerminalError
from lambdas.core.ports.costs import Row, Value

Dataset = Literal["ActualCost", "AmortizedCost"]

GROUPINGS: Final = (
    "ResourceId",
    "ResourceLocation",
    "SubscriptionName",
    "ServiceName",
    "MeterCategory",
    "MeterSubcategory",
    "Meter",
    "ResourceGuid",
    "ChargeType",
    "Frequency",
    "PricingModel",
    "PublisherType",
    "BillingMonth",
    "BenefitId",
    "ReservationId",
)
"""Fifteen, which is as many as there may be; `ResourceGuid` is what the meter is called elsewhere, MeterId."""

COMMITMENTS: Final = ("Reservation", "SavingsPlan")
"""The pricing models of what was committed to beforehand."""

_USAGE: Final = "Usage"
_PURCHASE: Final = "Purchase"
_CATEGORIES: Final = {
    "usage": _USAGE,
    "unusedreservation": _USAGE,
    "unusedsavingsplan": _USAGE,
    "purchase": _PURCHASE,
    "refund": _PURCHASE,
    "tax": "Tax",
    "credit": "Credit",
}
"""Of a ChargeType; any other, such as RoundingAdjustment, is an Adjustment."""

_FREQUENCIES: Final = {"onetime": "One-Time", "recurring": "Recurring", "usagebased": "Usage-Based"}
_PRICING: Final = {"ondemand": "Standard", "spot": "Dynamic", "reservation": "Committed", "savingsplan": "Committed"}
_PUBLISHERS: Final = {"azure": "Microsoft", "microsoft": "Microsoft", "aws": "Amazon Web Services"}

_MICROSOFT: Final = "Microsoft"
_NOTHING: Final = frozenset({"", "unassigned", "unassigned meter", "not available", "na", "n/a"})
_UNIT: Final = "Units"
_ZERO: Final = Decimal(0)


class QueryRows:
    """Makes rows of what one of the two datasets says of a subscription."""

    def __init__(self, source: CostQuery, dataset: Dataset) -> None:
        self._source = source
        self._dataset = dataset

    def of(self, answer: Mapping[str, Any]) -> Iterator[Row]:
        """The rows of an answer's `properties`, which are in no order; raises TerminalError for what is none."""
        names = [str(column.get("name", "")).lower() for column in answer.get("columns") or ()]
        for values in answer.get("rows") or ():
            group = _Group(dict(zip(names, values, strict=False)))
            if not self._told_by_the_other(group):
                yield {name: value for name, value in self._row(group).items() if value is not None}

    def _told_by_the_other(self, group: _Group) -> bool:
        """Whether the other dataset has the charge: usage that a commitment covers is billed with that, for nothing."""
        if self._dataset == "ActualCost":
            return group.committed and group.category == _USAGE and group.cost == 0
        return not group.committed or group.category != _USAGE

    def _row(self, group: _Group) -> dict[str, Value]:
        spread = self._dataset == "ActualCost" and group.committed and group.category in (_USAGE, _PURCHASE)
        return {
            **self._circumstances(group),
            **_kind(group),
            **_quantities(group),
            **_resource(group),
            **_commitment(group),
            "BilledCost": _ZERO if self._dataset == "AmortizedCost" else group.cost,
            "EffectiveCost": _ZERO if spread else group.cost,
            "ListCost": group.cost,
            "ContractedCost": group.cost,
            "BillingCurrency": group.required("Currency"),
            "Tags": group.tags or None,
        }

    def _circumstances(self, group: _Group) -> dict[str, Value]:
        charged = group.day
        billed = self._source.calendar.period_of(group.billing_month or charged)
        account = f"/subscriptions/{self._source.subscription}"
        name = group.text("SubscriptionName") or self._source.subscription
        return {
            "BillingAccountId": account,
            "BillingAccountName": name,
            "BillingAccountType": "Subscription",
            "BillingPeriodStart": billed.start,
            "BillingPeriodEnd": billed.end,
            "ChargePeriodStart": charged,
            "ChargePeriodEnd": charged + timedelta(days=1),
            "ChargeClass": "Correction" if billed.start > charged else None,
            "InvoiceIssuerName": _MICROSOFT,
            "ProviderName": _MICROSOFT,
            "PublisherName": _publisher(group),
            "SubAccountId": account,
            "SubAccountName": name,
            "SubAccountType": "Subscription",
        }


class _Group:
    """One row of an answer, by the names of its columns in lower case."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def text(self, name: str) -> str | None:
        """What a column says, if it says anything."""
        value = self._values.get(name.lower())
        text = "" if value is None else str(value).strip()
        return None if text.lower() in _NOTHING else text

    def required(self, name: str) -> str:
        """What a column says; raises TerminalError when it says nothing."""
        text = self.text(name)
        if text is None:
            raise TerminalError("UnknownAnswer", f"Cost Management's answer has a row without {name}")
        return text

    def number(self, name: str) -> Decimal:
        """A column's number; raises TerminalError for what is none."""
        value = self._values.get(name.lower())
        if not isinstance(value, Decimal):
            raise TerminalError("UnknownAnswer", f"Cost Management's answer has a row whose {name} is no number")
        return value

    @property
    def cost(self) -> Decimal:
        """What it costs, in the currency of the bill."""
        return self.number("Cost")

    @property
    def day(self) -> datetime:
        """The day it was used on."""
        return _day(self.required("UsageDate"))

    @property
    def billing_month(self) -> datetime | None:
        """The first of the month that it is billed in."""
        digits = re.sub(r"\D", "", self.text("BillingMonth") or "")
        return _day(f"{digits[:6]}01") if len(digits) >= 6 else None

    @property
    def category(self) -> str:
        """FOCUS's ChargeCategory."""
        return _CATEGORIES.get(_plain(self.text("ChargeType")), "Adjustment")

    @property
    def committed(self) -> bool:
        """Whether it has to do with a reservation or a savings plan."""
        return _PRICING.get(_plain(self.text("PricingModel"))) == "Committed"

    @property
    def unused(self) -> bool:
        """Whether it is the part of a commitment that nothing used."""
        return _plain(self.text("ChargeType")).startswith("unused")

    @property
    def tags(self) -> dict[str, str]:
        """Its tags; what is not written as one is none."""
        written = self._values.get("tags")
        pairs = [_pair(it) for it in written if isinstance(it, str)] if isinstance(written, list) else []
        return dict(pair for pair in pairs if pair is not None)


def _kind(group: _Group) -> dict[str, Value]:
    service = group.text("ServiceName") or group.text("MeterCategory")
    meter = group.text("Meter")
    described = [it for it in (service, group.text("MeterSubcategory"), meter) if it]
    taxed = group.category == "Tax"
    sku = None if taxed else group.text("ResourceGuid")
    return {
        "ChargeCategory": group.category,
        "ChargeDescription": " - ".join(dict.fromkeys(described)) or group.required("ChargeType"),
        "ChargeFrequency": _frequency(group),
        "ServiceCategory": service_category(service or ""),
        "ServiceName": service or group.required("ChargeType"),
        "SkuId": sku,
        "SkuMeter": meter if sku else None,
        "x_ChargeType": group.text("ChargeType"),
    }


def _frequency(group: _Group) -> str:
    """How often it is charged; FOCUS buys nothing by usage, and wants to know of everything."""
    named = _FREQUENCIES.get(_plain(group.text("Frequency")))
    if group.category == _USAGE:
        return named or "Usage-Based"
    return named if named and named != "Usage-Based" else "One-Time"


def _quantities(group: _Group) -> dict[str, Value]:
    """How much, where FOCUS wants to know it: of what was used or bought, but of no commitment that nothing used."""
    if group.category not in (_USAGE, _PURCHASE):
        return {}
    quantity = group.number("UsageQuantity")
    consumed = group.category == _USAGE and not group.unused
    model = _plain(group.text("PricingModel")) if group.category == _USAGE else ""
    return {
        "PricingCategory": _PRICING.get(model, "Other") if model else "Standard",
        "PricingQuantity": quantity,
        "PricingUnit": _UNIT,
        "ConsumedQuantity": quantity if consumed else None,
        "ConsumedUnit": _UNIT if consumed else None,
    }


def _resource(group: _Group) -> dict[str, Value]:
    resource, region = group.text("ResourceId"), group.text("ResourceLocation")
    return {
        "ResourceId": resource,
        "ResourceName": resource.rstrip("/").rpartition("/")[2] if resource else None,
        "ResourceType": _resource_type(resource) if resource else None,
        "RegionId": region,
        "RegionName": region,
    }


def _commitment(group: _Group) -> dict[str, Value]:
    """Which commitment it has to do with, and whether it was used: usage of a reservation, spend of a savings plan."""
    identity = group.text("BenefitId") or group.text("ReservationId")
    if not (group.committed and identity and group.category in (_USAGE, _PURCHASE)):
        return {}
    reserved = _plain(group.text("PricingModel")) == "reservation"
    return {
        "CommitmentDiscountId": identity,
        "CommitmentDiscountCategory": "Usage" if reserved else "Spend",
        "CommitmentDiscountType": "Reservation" if reserved else "Savings Plan",
        "CommitmentDiscountStatus": ("Unused" if group.unused else "Used") if group.category == _USAGE else None,
        "CommitmentDiscountQuantity": (group.number("UsageQuantity") if reserved else group.cost).copy_abs(),
        "CommitmentDiscountUnit": _UNIT if reserved else group.required("Currency"),
    }


def _publisher(group: _Group) -> str:
    kind = group.text("PublisherType")
    return _PUBLISHERS.get(_plain(kind), kind or _MICROSOFT)


def _resource_type(resource: str) -> str:
    """The type in a resource's id: `Microsoft.Compute/virtualMachines`; of a group or subscription, what it is."""
    namespace, _, path = resource.rpartition("/providers/")[2].partition("/")
    parts = path.strip("/").split("/")
    if "/providers/" in resource and path:
        return "/".join((namespace, *parts[::2]))
    return "Microsoft.Resources/resourceGroups" if "/resourcegroups/" in resource.lower() else "Microsoft.Resources"


def _day(text: str) -> datetime:
    """A date, written in digits with or without anything between them; raises TerminalError."""
    try:
        return datetime.strptime(re.sub(r"\D", "", text)[:8], "%Y%m%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise TerminalError("UnknownAnswer", f"Cost Management's answer has a day that is none: {text[:40]}") from error


def _pair(written: str) -> tuple[str, str] | None:
    """A tag as the query writes it: `"name":"value"`."""
    try:
        read = json.loads(f"{{{written}}}")
    except ValueError:
        return None
    if not isinstance(read, dict) or len(read) != 1:
        return None
    name, value = next(iter(read.items()))
    return (name, value) if name and isinstance(value, str) else None


def _plain(text: str | None) -> str:
    """A value in the one spelling that its several ones have in common."""
    return re.sub(r"[^a-z]", "", (text or "").lower())
