"""The columns of FOCUS 1.2's Cost and Usage dataset, in its order, and ours behind them.

https://focus.finops.org/focus-specification/v1-2/#columns
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from lambdas.core.billing.focus.services import SERVICES

SPECIFICATION: Final = "https://focus.finops.org/focus-specification/v1-2/"


class Kind(StrEnum):
    """FOCUS's data types; a key-value is a JSON object whose values are strings, numbers, booleans or null."""

    STRING = "String"
    DATE_TIME = "Date/Time"
    DECIMAL = "Decimal"
    KEY_VALUE = "Key-Value"


class Level(StrEnum):
    """Whether a dataset has a column at all: a conditional one it has where the provider has what it tells of."""

    MANDATORY = "Mandatory"
    CONDITIONAL = "Conditional"
    RECOMMENDED = "Recommended"


class Column(NamedTuple):
    """One column; `values` are all that it may hold, () where that is open.

    `since` is the version of FOCUS that it came with, `formerly` what older versions and the clouds' exports of them
    call it: Microsoft's of 1.0 had some of 1.2's columns with its own prefix
    (https://learn.microsoft.com/azure/cost-management-billing/dataset-schema/cost-usage-details-focus). Conditional
    columns that tell of the same thing, such as commitment discounts, a dataset has all or none of.
    """

    name: str
    kind: Kind
    level: Level
    nullable: bool
    values: tuple[str, ...] = ()
    since: str = "1.0"
    formerly: tuple[str, ...] = ()
    tells_of: str = ""

    @property
    def source(self) -> str:
        """Where the specification tells of it."""
        return f"{SPECIFICATION}#{self.name.lower()}"


_S, _T, _D, _K = Kind.STRING, Kind.DATE_TIME, Kind.DECIMAL, Kind.KEY_VALUE
_M, _C, _R = Level.MANDATORY, Level.CONDITIONAL, Level.RECOMMENDED

CHARGE_CATEGORIES: Final = ("Usage", "Purchase", "Tax", "Credit", "Adjustment")

COLUMNS: Final = (
    Column("AvailabilityZone", _S, _R, True),
    Column("BilledCost", _D, _M, False),
    Column("BillingAccountId", _S, _M, False),
    Column("BillingAccountName", _S, _M, True),
    Column("BillingAccountType", _S, _C, True, since="1.2", formerly=("x_BillingAccountType",)),
    Column("BillingCurrency", _S, _M, False),
    Column("BillingPeriodEnd", _T, _M, False),
    Column("BillingPeriodStart", _T, _M, False),
    Column("CapacityReservationId", _S, _C, True, since="1.1", tells_of="capacity reservations"),
    Column(
        "CapacityReservationStatus", _S, _C, True, ("Used", "Unused"), since="1.1", tells_of="capacity reservations"
    ),
    Column("ChargeCategory", _S, _M, False, CHARGE_CATEGORIES),
    Column("ChargeClass", _S, _M, True, ("Correction",)),
    Column("ChargeDescription", _S, _M, True),
    Column("ChargeFrequency", _S, _R, False, ("One-Time", "Recurring", "Usage-Based")),
    Column("ChargePeriodEnd", _T, _M, False),
    Column("ChargePeriodStart", _T, _M, False),
    Column("CommitmentDiscountCategory", _S, _C, True, ("Spend", "Usage"), tells_of="commitment discounts"),
    Column("CommitmentDiscountId", _S, _C, True, tells_of="commitment discounts"),
    Column("CommitmentDiscountName", _S, _C, True, tells_of="commitment discounts"),
    Column("CommitmentDiscountQuantity", _D, _C, True, since="1.1", tells_of="commitment discounts"),
    Column("CommitmentDiscountStatus", _S, _C, True, ("Used", "Unused"), tells_of="commitment discounts"),
    Column("CommitmentDiscountType", _S, _C, True, tells_of="commitment discounts"),
    Column("CommitmentDiscountUnit", _S, _C, True, since="1.1", tells_of="commitment discounts"),
    Column("ConsumedQuantity", _D, _C, True, formerly=("UsageQuantity",), tells_of="usage"),
    Column("ConsumedUnit", _S, _C, True, formerly=("UsageUnit",), tells_of="usage"),
    Column("ContractedCost", _D, _M, False),
    Column("ContractedUnitPrice", _D, _C, True),
    Column("EffectiveCost", _D, _M, False),
    Column("InvoiceId", _S, _R, True, since="1.2", formerly=("x_InvoiceId",)),
    Column("InvoiceIssuerName", _S, _M, False),
    Column("ListCost", _D, _M, False),
    Column("ListUnitPrice", _D, _C, True),
    Column("PricingCategory", _S, _C, True, ("Standard", "Dynamic", "Committed", "Other")),
    Column("PricingCurrency", _S, _C, False, since="1.2", formerly=("x_PricingCurrency",)),
    Column("PricingCurrencyContractedUnitPrice", _D, _C, True, since="1.2"),
    Column("PricingCurrencyEffectiveCost", _D, _C, False, since="1.2"),
    Column("PricingCurrencyListUnitPrice", _D, _C, True, since="1.2"),
    Column("PricingQuantity", _D, _M, True),
    Column("PricingUnit", _S, _M, True),
    Column("ProviderName", _S, _M, False),
    Column("PublisherName", _S, _M, False),
    Column("RegionId", _S, _C, True, tells_of="regions"),
    Column("RegionName", _S, _C, True, tells_of="regions"),
    Column("ResourceId", _S, _C, True, tells_of="resources"),
    Column("ResourceName", _S, _C, True, tells_of="resources"),
    Column("ResourceType", _S, _C, True),
    Column("ServiceCategory", _S, _M, False, tuple(SERVICES)),
    Column("ServiceName", _S, _M, False),
    Column(
        "ServiceSubcategory", _S, _R, False, tuple(name for names in SERVICES.values() for name in names), since="1.1"
    ),
    Column("SkuId", _S, _C, True, tells_of="unit pricing"),
    Column("SkuMeter", _S, _C, True, since="1.1", formerly=("x_SkuMeterName",), tells_of="unit pricing"),
    Column("SkuPriceDetails", _K, _C, True, since="1.1", formerly=("x_SkuDetails",), tells_of="unit pricing"),
    Column("SkuPriceId", _S, _C, True, tells_of="unit pricing"),
    Column("SubAccountId", _S, _C, True, tells_of="sub accounts"),
    Column("SubAccountName", _S, _C, True, tells_of="sub accounts"),
    Column("SubAccountType", _S, _C, True, since="1.2", formerly=("x_SubAccountType",)),
    Column("Tags", _K, _C, True),
)

NAMES: Final = tuple(column.name for column in COLUMNS)

BY_NAME: Final[Mapping[str, Column]] = MappingProxyType({column.name: column for column in COLUMNS})


def siblings(column: Column) -> tuple[Column, ...]:
    """The columns that a dataset has if it has this one: itself, and those that tell of the same."""
    return tuple(it for it in COLUMNS if it == column or (column.tells_of and it.tells_of == column.tells_of))


SAGA_ID: Final = "x_SagaId"
SAGA_RESOURCE_ID: Final = "x_SagaResourceId"
SOURCE: Final = "x_Source"

OURS: Final = (SAGA_ID, SAGA_RESOURCE_ID, SOURCE)
"""The columns that we add, strings: whose a charge is, and which source it came from."""
