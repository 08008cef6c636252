"""What Cost Explorer calls a record type (a charge type, in its console), and what FOCUS calls it.

Cost Explorer writes some of them as line item types (`SavingsPlanCoveredUsage`) and some as in the console (`Savings
Plan Covered Usage`); both are meant. Sources: "Charge type" in the Cost Management user guide, and the line item types
in the Data Exports user guide.
"""

from __future__ import annotations

from typing import Final, NamedTuple

USAGE_TYPES: Final = (
    "Usage",
    "DiscountedUsage",
    "Reservation applied usage",
    "SavingsPlanCoveredUsage",
    "Savings Plan Covered Usage",
)
"""Charges for what resources used, which are the ones with the resources' tags."""


class ChargeKind(NamedTuple):
    """FOCUS's ChargeCategory, and its ChargeClass where there is one."""

    category: str
    charge_class: str | None = None


_USAGE: Final = ChargeKind("Usage")
_PURCHASE: Final = ChargeKind("Purchase")
_CREDIT: Final = ChargeKind("Credit")
_ADJUSTMENT: Final = ChargeKind("Adjustment")

_KINDS: Final = {
    "usage": _USAGE,
    "discountedusage": _USAGE,
    "reservationappliedusage": _USAGE,
    "savingsplancoveredusage": _USAGE,
    "savingsplannegation": _USAGE,
    "fee": _PURCHASE,
    "rifee": _PURCHASE,
    "recurringreservationfee": _PURCHASE,
    "upfrontreservationfee": _PURCHASE,
    "savingsplanrecurringfee": _PURCHASE,
    "savingsplanupfrontfee": _PURCHASE,
    "supportfee": _PURCHASE,
    "otheroutofcyclecharges": _PURCHASE,
    "tax": ChargeKind("Tax"),
    "credit": _CREDIT,
    "bundleddiscount": _CREDIT,
    "discount": _CREDIT,
    "edpdiscount": _CREDIT,
    "enterprisediscountprogramdiscount": _CREDIT,
    "privateratecarddiscount": _CREDIT,
    "privateratediscount": _CREDIT,
    "rivolumediscount": _CREDIT,
    "solutionproviderprogramdiscount": _CREDIT,
    "sppdiscount": _CREDIT,
    "refund": ChargeKind("Adjustment", "Correction"),
}


def charge_kind(record_type: str) -> ChargeKind:
    """What a record type is to FOCUS; one that nobody knows is an adjustment, so that it is counted all the same."""
    return _KINDS.get(record_type.casefold().replace(" ", "").replace("-", ""), _ADJUSTMENT)
