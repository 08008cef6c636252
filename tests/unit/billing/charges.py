"""Charges as a source delivers them, one of each kind, each as FOCUS 1.2 wants it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

HOUR: Final = datetime(2026, 11, 20, 9, tzinfo=UTC)
MONTH: Final = datetime(2026, 11, 1, tzinfo=UTC)
NEXT_MONTH: Final = datetime(2026, 12, 1, tzinfo=UTC)

Charge = dict[str, Any]


def usage(**changes: Any) -> Charge:
    """An hour of a machine."""
    start = changes.get("ChargePeriodStart", HOUR)
    charge: Charge = {
        "AvailabilityZone": "eu-west-1a",
        "BilledCost": Decimal("0.0832"),
        "BillingAccountId": "999999999999",
        "BillingAccountName": "payer",
        "BillingAccountType": "Payer",
        "BillingCurrency": "USD",
        "BillingPeriodEnd": NEXT_MONTH,
        "BillingPeriodStart": MONTH,
        "ChargeCategory": "Usage",
        "ChargeDescription": "t3.large in Ireland",
        "ChargeFrequency": "Usage-Based",
        "ChargePeriodEnd": start + timedelta(hours=1),
        "ChargePeriodStart": start,
        "ConsumedQuantity": Decimal(1),
        "ConsumedUnit": "Hours",
        "ContractedCost": Decimal("0.0832"),
        "ContractedUnitPrice": Decimal("0.0832"),
        "EffectiveCost": Decimal("0.0832"),
        "InvoiceIssuerName": "Amazon Web Services, Inc.",
        "ListCost": Decimal("0.0912"),
        "ListUnitPrice": Decimal("0.0912"),
        "PricingCategory": "Standard",
        "PricingQuantity": Decimal(1),
        "PricingUnit": "Hours",
        "ProviderName": "AWS",
        "PublisherName": "AWS",
        "RegionId": "eu-west-1",
        "RegionName": "EU (Ireland)",
        "ResourceId": "i-0abc",
        "ResourceType": "Instance",
        "ServiceCategory": "Compute",
        "ServiceName": "Amazon EC2",
        "ServiceSubcategory": "Virtual Machines",
        "SkuId": "ABC",
        "SkuMeter": "BoxUsage",
        "SkuPriceDetails": {"InstanceType": "t3.large"},
        "SkuPriceId": "ABC.JRTC",
        "SubAccountId": "123456789012",
        "SubAccountName": "checkout",
        "SubAccountType": "Linked",
        "Tags": {"skysaga-saga": "s1", "skysaga-resource": "web", "team": "payments"},
    }
    return _changed(charge, changes)


def committed(**changes: Any) -> Charge:
    """An hour of a machine that a commitment pays for."""
    charge = usage(
        BilledCost=Decimal(0),
        PricingCategory="Committed",
        CommitmentDiscountCategory="Spend",
        CommitmentDiscountId="sp-1",
        CommitmentDiscountName="three years",
        CommitmentDiscountQuantity=Decimal("0.05"),
        CommitmentDiscountStatus="Used",
        CommitmentDiscountType="Compute Savings Plan",
        CommitmentDiscountUnit="USD",
    )
    return _changed(charge, changes)


def unused(**changes: Any) -> Charge:
    """What of a commitment was not used in an hour."""
    charge = committed(
        CommitmentDiscountStatus="Unused", ConsumedQuantity=None, ConsumedUnit=None, ResourceId="sp-1", Tags=None
    )
    return _changed(charge, changes)


def purchase(**changes: Any) -> Charge:
    """A commitment that is bought."""
    charge = committed(
        BilledCost=Decimal(36),
        ChargeCategory="Purchase",
        ChargeFrequency="Recurring",
        CommitmentDiscountStatus=None,
        ConsumedQuantity=None,
        ConsumedUnit=None,
        EffectiveCost=Decimal(0),
        PricingCategory="Standard",
    )
    return _changed(charge, changes)


def tax(**changes: Any) -> Charge:
    """The tax on a month."""
    nothing = (
        "AvailabilityZone ConsumedQuantity ConsumedUnit ContractedUnitPrice ListUnitPrice PricingCategory "
        "PricingQuantity PricingUnit ResourceId ResourceType SkuId SkuMeter SkuPriceDetails SkuPriceId Tags"
    ).split()
    charge = usage(ChargeCategory="Tax", ChargeFrequency="Recurring", **dict.fromkeys(nothing))
    return _changed(charge, changes)


def credit(**changes: Any) -> Charge:
    """Money given back."""
    amount = Decimal("-5.5")
    charge = tax(ChargeCategory="Credit", BilledCost=amount, ContractedCost=amount, EffectiveCost=amount)
    return _changed({**charge, "ListCost": amount}, changes)


def adjustment(**changes: Any) -> Charge:
    """A rounding of an invoice."""
    return _changed(tax(ChargeCategory="Adjustment", ChargeFrequency="One-Time"), changes)


def correction(**changes: Any) -> Charge:
    """An hour of October that is corrected on November's invoice."""
    charge = usage(ChargeClass="Correction", ChargePeriodStart=datetime(2026, 10, 5, 3, tzinfo=UTC))
    return _changed({**charge, "BilledCost": Decimal("-0.01")}, changes)


EVERY_KIND: Final = (usage, committed, unused, purchase, tax, credit, adjustment, correction)


def _changed(charge: Charge, changes: dict[str, Any]) -> Charge:
    return {name: value for name, value in (charge | changes).items() if value is not None}
