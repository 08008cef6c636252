"""A row of Google's billing export as rows of FOCUS 1.2.

The schema: https://cloud.google.com/billing/docs/how-to/export-data-bigquery-tables/detailed-usage. The standard export
lacks `resource` and others, and either grows, so a row is read as a JSON document of which any part may be missing.

A discount (for commitments, sustained use, a contract, a free tier) is a lower price, which FOCUS wants in the billed
cost of what it is given for; the export has it as a credit beside the cost. Only what pays for charges without changing
a price, a promotion, is a charge of category Credit by itself. The sum is the same: cost and all credits.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Context, Decimal
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from lambdas.core.billing.spans import BillingCalendar, Span
from lambdas.core.errors import TerminalError
from lambdas.core.ports.costs import Row, Value
from lambdas.gcp.costs.services import category_of

PROVIDER: Final = "Google Cloud"

_CATEGORIES: Final = {"regular": "Usage", "tax": "Tax", "adjustment": "Adjustment", "rounding_error": "Adjustment"}
"""By `cost_type`."""

_DISCOUNTS: Final = frozenset(
    {
        "COMMITTED_USAGE_DISCOUNT",
        "COMMITTED_USAGE_DISCOUNT_DOLLAR_BASE",
        "DISCOUNT",
        "FEE_UTILIZATION_OFFSET",
        "FREE_TIER",
        "RESELLER_MARGIN",
        "SUBSCRIPTION_BENEFIT",
        "SUSTAINED_USAGE_DISCOUNT",
    }
)
"""Types of credits that lower a price; all others are credits."""

_COMMITTED: Final = ("COMMITTED_USAGE_DISCOUNT", "COMMITTED_USAGE_DISCOUNT_DOLLAR_BASE")
_COMMITMENT: Final = "Commitment"
"""How the SKU of a commitment's fee begins: `Commitment v1: Cpu in Americas for 1 Year`."""

_EXACT: Final = Context(prec=90)
_UNIT: Final = Decimal(1).scaleb(-20)
_ZERO: Final = Decimal(0)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, values: Any) -> Any:
        """What is null is what is missing."""
        return {key: it for key, it in values.items() if it is not None} if isinstance(values, dict) else values


class _Named(_Part):
    id: str = ""
    name: str = ""
    description: str = ""


class _Invoice(_Part):
    month: str = ""


class _Label(_Part):
    key: str = ""
    value: str = ""
    namespace: str = ""


class _Location(_Part):
    region: str = ""
    zone: str = ""


class _Resource(_Part):
    name: str = ""
    global_name: str = ""


class _Usage(_Part):
    amount: Decimal = _ZERO
    unit: str = ""
    amount_in_pricing_units: Decimal = _ZERO
    pricing_unit: str = ""


class _Credit(_Part):
    amount: Decimal = _ZERO
    type: str = ""
    name: str = ""
    full_name: str = ""


class _Subscription(_Part):
    instance_id: str = ""


class _Charge(_Part):
    """What we use of a row; amounts are exact, as the export prints them."""

    usage_start_time: AwareDatetime
    usage_end_time: AwareDatetime
    cost: Decimal
    currency: str
    billing_account_id: str = ""
    invoice: _Invoice = Field(default_factory=_Invoice)
    cost_type: str = "regular"
    service: _Named = Field(default_factory=_Named)
    sku: _Named = Field(default_factory=_Named)
    project: _Named = Field(default_factory=_Named)
    labels: tuple[_Label, ...] = ()
    system_labels: tuple[_Label, ...] = ()
    tags: tuple[_Label, ...] = ()
    location: _Location = Field(default_factory=_Location)
    resource: _Resource = Field(default_factory=_Resource)
    usage: _Usage = Field(default_factory=_Usage)
    credits: tuple[_Credit, ...] = ()
    adjustment_info: _Named = Field(default_factory=_Named)
    subscription: _Subscription = Field(default_factory=_Subscription)
    cost_at_list: Decimal | None = None
    seller_name: str = ""


def focus_rows(document: str, calendar: BillingCalendar) -> list[Row]:
    """The charges that a row of the export stands for; raises TerminalError for one that cannot be read."""
    try:
        charge = _Charge.model_validate(json.loads(document, parse_float=Decimal, parse_int=Decimal))
    except (ValueError, ValidationError) as error:
        raise TerminalError("UnreadableCharge", f"a row of the billing export lacks {_wrong(error)}") from error
    period = _billing_period(charge, calendar)
    credits = [it for it in charge.credits if it.type not in _DISCOUNTS]
    rows = [_credit_row(charge, it, period) for it in credits]
    if credits and not charge.cost and not charge.usage.amount:  # it only carries its credits
        return rows
    return [_charge_row(charge, period), *rows]


def _charge_row(charge: _Charge, period: Span) -> Row:
    category = _category(charge)
    discounts = [it.amount for it in charge.credits if it.type in _DISCOUNTS]
    billed = _rounded(_sum([charge.cost, *discounts]))
    contracted = _rounded(charge.cost)
    listed = contracted if charge.cost_at_list is None else _rounded(charge.cost_at_list)
    return _present(
        {
            **_common(charge, period),
            "BilledCost": billed,
            "ChargeCategory": category,
            "ChargeDescription": charge.adjustment_info.description or charge.sku.description or charge.cost_type,
            "ChargeFrequency": _frequency(category),
            "ContractedCost": contracted,
            "EffectiveCost": billed,
            "ListCost": listed,
            **(_sku(charge) if category != "Tax" else {}),
            **(_pricing(charge, contracted, listed) if category in ("Usage", "Purchase") else {}),
            **(_consumption(charge) if category == "Usage" else {}),
        }
    )


def _credit_row(charge: _Charge, credit: _Credit, period: Span) -> Row:
    amount = _rounded(credit.amount)
    return _present(
        {
            **_common(charge, period),
            **dict.fromkeys(("BilledCost", "ContractedCost", "EffectiveCost", "ListCost"), amount),
            "ChargeCategory": "Credit",
            "ChargeDescription": credit.full_name or credit.name or credit.type or "Credit",
            "ChargeFrequency": "Usage-Based",
            **_sku(charge),
        }
    )


def _common(charge: _Charge, period: Span) -> Mapping[str, Value]:
    category, subcategory = category_of(charge.service.description)
    return {
        "AvailabilityZone": charge.location.zone,
        "BillingAccountId": charge.billing_account_id,
        "BillingAccountType": "Billing Account" if charge.billing_account_id else None,
        "BillingCurrency": charge.currency,
        "BillingPeriodStart": period.start,
        "BillingPeriodEnd": period.end,
        # A correction, to FOCUS, is one of a period that was invoiced before, whatever `adjustment_info` says.
        "ChargeClass": "Correction" if charge.usage_start_time < period.start else None,
        "ChargePeriodStart": charge.usage_start_time,
        "ChargePeriodEnd": charge.usage_end_time,
        "InvoiceIssuerName": PROVIDER,
        "ProviderName": PROVIDER,
        "PublisherName": charge.seller_name or PROVIDER,
        "RegionId": charge.location.region,
        "RegionName": charge.location.region,
        **_resource(charge),
        "ServiceCategory": category,
        "ServiceName": charge.service.description or charge.service.id or "Invoice",
        "ServiceSubcategory": subcategory,
        "SubAccountId": charge.project.id,
        "SubAccountName": charge.project.name or charge.project.id,
        "SubAccountType": "Project" if charge.project.id else None,
        "Tags": _tags(charge),
    }


def _resource(charge: _Charge) -> Mapping[str, Value]:
    """`//compute.googleapis.com/projects/P/zones/Z/instance/1` is of type `instance`."""
    path = charge.resource.global_name.split("/")
    kind = path[-2] if len(path) > 4 else charge.service.description
    known = charge.resource.global_name or charge.resource.name
    return {"ResourceId": known, "ResourceName": charge.resource.name, "ResourceType": kind if known else None}


def _sku(charge: _Charge) -> Mapping[str, Value]:
    """Google's price list has one entry for each SKU."""
    return {"SkuId": charge.sku.id, "SkuMeter": charge.sku.description, "SkuPriceId": charge.sku.id}


def _pricing(charge: _Charge, contracted: Decimal, listed: Decimal) -> Mapping[str, Value]:
    committed = any(it.type in _COMMITTED for it in charge.credits)
    quantity = _rounded(charge.usage.amount_in_pricing_units)
    return {
        "ContractedUnitPrice": _unit_price(contracted, quantity),
        "ListUnitPrice": _unit_price(listed, quantity),
        "PricingCategory": "Committed" if committed else "Standard",
        "PricingQuantity": quantity,
        "PricingUnit": charge.usage.pricing_unit or charge.usage.unit or "count",
    }


def _consumption(charge: _Charge) -> Mapping[str, Value]:
    return {"ConsumedQuantity": _rounded(charge.usage.amount), "ConsumedUnit": charge.usage.unit or "count"}


def _unit_price(cost: Decimal, quantity: Decimal) -> Decimal | None:
    """The export's own prices are those of one tier, and rounded, so that they do not always give the cost."""
    if not quantity:
        return _ZERO if not cost else None
    price = _rounded(_EXACT.divide(cost, quantity))
    return price if price >= 0 else None


def _category(charge: _Charge) -> str:
    category = _CATEGORIES.get(charge.cost_type, "Adjustment")
    return "Purchase" if category == "Usage" and charge.sku.description.startswith(_COMMITMENT) else category


def _frequency(category: str) -> str:
    return {"Usage": "Usage-Based", "Purchase": "Recurring"}.get(category, "One-Time")


def _tags(charge: _Charge) -> Mapping[str, str]:
    """Labels, then Google's own, whose keys begin with the service's domain, and tags by namespace; the first counts.

    No label of ours may be hidden by another of that name.
    """
    found: dict[str, str] = {}
    named = [(it.key, it.value) for it in (*charge.labels, *charge.system_labels)]
    named += [(f"{it.namespace}/{it.key}" if it.namespace else it.key, it.value) for it in charge.tags]
    for key, value in named:
        if key:
            found.setdefault(key, value)
    return found


def _billing_period(charge: _Charge, calendar: BillingCalendar) -> Span:
    """The month of its invoice; until it says which, that of the usage."""
    month = charge.invoice.month
    return _invoiced(month, calendar) if month else calendar.period_of(charge.usage_start_time)


@lru_cache(maxsize=100)
def _invoiced(month: str, calendar: BillingCalendar) -> Span:
    """The month `202611`, in Google's time; raises TerminalError."""
    try:
        within = datetime.strptime(month, "%Y%m").replace(day=2, tzinfo=ZoneInfo(calendar.timezone))
    except ValueError as error:
        raise TerminalError("UnreadableCharge", "a row of the billing export has an unknown invoice.month") from error
    return calendar.period_of(within)


def _sum(amounts: Sequence[Decimal]) -> Decimal:
    total = _ZERO
    for amount in amounts:
        total = _EXACT.add(total, amount)
    return total


def _rounded(amount: Decimal) -> Decimal:
    """To what costs are kept with: 20 decimals, half to even, once for each amount."""
    rounded = _EXACT.quantize(amount, _UNIT)
    return amount if rounded == amount else rounded


def _present(columns: Mapping[str, Value]) -> Row:
    return {name: value for name, value in columns.items() if value is not None and value != ""}


def _wrong(error: Exception) -> str:
    """The fields that are missing or malformed, and never what they hold."""
    if not isinstance(error, ValidationError):
        return "the form of a JSON document"
    wrong = {".".join(map(str, it["loc"])) for it in error.errors(include_url=False, include_input=False)}
    return f"a usable {', '.join(sorted(wrong))}"
