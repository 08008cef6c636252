"""The rules of FOCUS 1.2 that one row can break, each under its id in the requirements model of the specification.

Left out is what a row cannot tell (whether an identifier is unique, or a charge is related to a resource), what only
SHOULD be, and what our types rule out. Where the model of 1.2 contradicts the specification's own sentence, as it does
on CommitmentDiscountStatus, the sentence is followed and the id is the one that its place gives it.

https://focus.finops.org/focus-specification/v1-2/,
https://github.com/FinOps-Open-Cost-and-Usage-Spec/FOCUS_Spec/tree/v1.2/specification
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from lambdas.core.billing.focus.columns import BY_NAME, COLUMNS, SPECIFICATION, Kind

Relation = Literal[
    "is null",
    "is not null",
    "is one of",
    "is none of",
    "is not negative",
    "is zero",
    "is a currency code",
    "equals",
    "is after",
    "is the product of",
    "is a subcategory of",
]


class Test(NamedTuple):
    """What a column must be; `to` are the values, or the columns, that it is compared with."""

    column: str
    relation: Relation
    to: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join((self.column, self.relation, ", ".join(self.to))).strip()


class Rule(NamedTuple):
    """What must hold for a row for which everything in `when` holds.

    Rules of a column that a dataset need not have apply to a window only if anything in it has a value there, or in a
    column that tells of the same.
    """

    id: str
    must: Test
    when: tuple[Test, ...] = ()

    @property
    def column(self) -> str:
        """The column that it is a rule of."""
        return self.must.column

    @property
    def source(self) -> str:
        """Where the specification tells of it."""
        return BY_NAME[self.column].source if self.column in BY_NAME else SPECIFICATION

    def __str__(self) -> str:
        condition = f" when {' and '.join(map(str, self.when))}" if self.when else ""
        return f"{self.id}: {self.must}{condition}"


def null(column: str) -> Test:
    """It has no value."""
    return Test(column, "is null")


def given(column: str) -> Test:
    """It has a value."""
    return Test(column, "is not null")


def one_of(column: str, *values: str) -> Test:
    """It has one of these values."""
    return Test(column, "is one of", values)


def none_of(column: str, *values: str) -> Test:
    """It has another value than these, or none."""
    return Test(column, "is none of", values)


def allowed(column: str) -> Test:
    """It has one of the values that the specification allows."""
    return one_of(column, *BY_NAME[column].values)


_TAX: Final = (one_of("ChargeCategory", "Tax"),)
_USAGE: Final = one_of("ChargeCategory", "Usage")
_PURCHASE: Final = one_of("ChargeCategory", "Purchase")
_BOUGHT: Final = one_of("ChargeCategory", "Usage", "Purchase")
_REGULAR: Final = none_of("ChargeClass", "Correction")
_COMMITTED: Final = given("CommitmentDiscountId")
_UNCOMMITTED: Final = (null("CommitmentDiscountId"),)
_CREDIT: Final = one_of("ChargeCategory", "Credit")

RULES: Final = (
    Rule("BilledCost-C-001-M", given("BilledCost")),
    Rule("BillingAccountId-C-001-M", given("BillingAccountId")),
    Rule("BillingAccountType-C-004-C", null("BillingAccountType"), (null("BillingAccountId"),)),
    Rule("BillingAccountType-C-005-C", given("BillingAccountType"), (given("BillingAccountId"),)),
    Rule("BillingCurrency-C-003-M", Test("BillingCurrency", "is a currency code")),
    Rule("BillingCurrency-C-004-M", given("BillingCurrency")),
    Rule("BillingPeriodEnd-C-003-M", given("BillingPeriodEnd")),
    Rule(
        "BillingPeriodEnd-C-004-M",
        Test("BillingPeriodEnd", "is after", ("BillingPeriodStart",)),
        (given("BillingPeriodEnd"), given("BillingPeriodStart")),
    ),
    Rule("BillingPeriodStart-C-003-M", given("BillingPeriodStart")),
    Rule(
        "CapacityReservationId-C-005-C",
        given("CapacityReservationId"),
        (one_of("CapacityReservationStatus", "Unused"),),
    ),
    Rule("CapacityReservationStatus-C-003-C", null("CapacityReservationStatus"), (null("CapacityReservationId"),)),
    Rule(
        "CapacityReservationStatus-C-004-C",
        given("CapacityReservationStatus"),
        (given("CapacityReservationId"), _USAGE),
    ),
    Rule(
        "CapacityReservationStatus-C-006-M",
        allowed("CapacityReservationStatus"),
        (given("CapacityReservationStatus"),),
    ),
    Rule("ChargeCategory-C-002-M", given("ChargeCategory")),
    Rule("ChargeCategory-C-003-M", allowed("ChargeCategory"), (given("ChargeCategory"),)),
    Rule("ChargeClass-C-005-C", allowed("ChargeClass"), (given("ChargeClass"),)),
    Rule("ChargeFrequency-C-002-M", given("ChargeFrequency")),
    Rule("ChargeFrequency-C-003-M", allowed("ChargeFrequency"), (given("ChargeFrequency"),)),
    Rule("ChargeFrequency-C-004-C", none_of("ChargeFrequency", "Usage-Based"), (_PURCHASE,)),
    Rule("ChargePeriodEnd-C-003-M", given("ChargePeriodEnd")),
    Rule("ChargePeriodEnd-C-004-M", Test("ChargePeriodEnd", "is after", ("ChargePeriodStart",))),
    Rule("ChargePeriodStart-C-003-M", given("ChargePeriodStart")),
    Rule("CommitmentDiscountCategory-C-003-C", null("CommitmentDiscountCategory"), _UNCOMMITTED),
    Rule("CommitmentDiscountCategory-C-004-C", given("CommitmentDiscountCategory"), (_COMMITTED,)),
    Rule(
        "CommitmentDiscountCategory-C-005-M",
        allowed("CommitmentDiscountCategory"),
        (given("CommitmentDiscountCategory"),),
    ),
    Rule("CommitmentDiscountName-C-004-C", null("CommitmentDiscountName"), _UNCOMMITTED),
    Rule("CommitmentDiscountQuantity-C-006-C", given("CommitmentDiscountQuantity"), (_BOUGHT, _COMMITTED, _REGULAR)),
    Rule(
        "CommitmentDiscountQuantity-C-008-C",
        null("CommitmentDiscountQuantity"),
        (none_of("ChargeCategory", "Usage", "Purchase"),),
    ),
    Rule("CommitmentDiscountQuantity-C-008-C", null("CommitmentDiscountQuantity"), (_BOUGHT, *_UNCOMMITTED)),
    Rule("CommitmentDiscountStatus-C-003-C", null("CommitmentDiscountStatus"), _UNCOMMITTED),
    Rule("CommitmentDiscountStatus-C-004-C", given("CommitmentDiscountStatus"), (_COMMITTED, _USAGE)),
    Rule("CommitmentDiscountStatus-C-005-M", allowed("CommitmentDiscountStatus"), (given("CommitmentDiscountStatus"),)),
    Rule("CommitmentDiscountType-C-004-C", null("CommitmentDiscountType"), _UNCOMMITTED),
    Rule("CommitmentDiscountType-C-005-C", given("CommitmentDiscountType"), (_COMMITTED,)),
    Rule("CommitmentDiscountUnit-C-005-C", null("CommitmentDiscountUnit"), (null("CommitmentDiscountQuantity"),)),
    Rule("CommitmentDiscountUnit-C-006-C", given("CommitmentDiscountUnit"), (given("CommitmentDiscountQuantity"),)),
    Rule("ConsumedQuantity-C-004-C", null("ConsumedQuantity"), (none_of("ChargeCategory", "Usage"),)),
    Rule("ConsumedQuantity-C-004-C", null("ConsumedQuantity"), (_USAGE, one_of("CommitmentDiscountStatus", "Unused"))),
    Rule(
        "ConsumedQuantity-C-006-C",
        given("ConsumedQuantity"),
        (_USAGE, none_of("CommitmentDiscountStatus", "Unused"), _REGULAR),
    ),
    Rule("ConsumedUnit-C-004-C", null("ConsumedUnit"), (null("ConsumedQuantity"),)),
    Rule("ConsumedUnit-C-005-C", given("ConsumedUnit"), (given("ConsumedQuantity"),)),
    Rule("ContractedCost-C-003-M", given("ContractedCost")),
    Rule(
        "ContractedCost-C-008-C",
        Test("ContractedCost", "equals", ("BilledCost",)),
        (given("ContractedCost"), null("ContractedUnitPrice"), _CREDIT),
    ),
    Rule(
        "ContractedCost-C-009-C",
        Test("ContractedCost", "is the product of", ("ContractedUnitPrice", "PricingQuantity")),
        (given("ContractedCost"), given("ContractedUnitPrice"), given("PricingQuantity"), _REGULAR),
    ),
    Rule("ContractedUnitPrice-C-005-C", null("ContractedUnitPrice"), _TAX),
    Rule("ContractedUnitPrice-C-006-C", given("ContractedUnitPrice"), (_BOUGHT, _REGULAR)),
    Rule(
        "ContractedUnitPrice-C-009-C", Test("ContractedUnitPrice", "is not negative"), (given("ContractedUnitPrice"),)
    ),
    Rule("EffectiveCost-C-003-M", given("EffectiveCost")),
    Rule("EffectiveCost-C-005-C", Test("EffectiveCost", "is zero"), (_PURCHASE, _COMMITTED)),
    Rule(
        "EffectiveCost-C-010-C",
        Test("EffectiveCost", "equals", ("BilledCost",)),
        (given("EffectiveCost"), _CREDIT),
    ),
    Rule("InvoiceIssuerName-C-003-M", given("InvoiceIssuerName")),
    Rule("ListCost-C-003-M", given("ListCost")),
    Rule(
        "ListCost-C-008-C",
        Test("ListCost", "equals", ("BilledCost",)),
        (given("ListCost"), null("ListUnitPrice"), _CREDIT),
    ),
    Rule(
        "ListCost-C-009-C",
        Test("ListCost", "is the product of", ("ListUnitPrice", "PricingQuantity")),
        (given("ListCost"), given("ListUnitPrice"), given("PricingQuantity"), _REGULAR),
    ),
    Rule("ListUnitPrice-C-004-C", null("ListUnitPrice"), _TAX),
    Rule("ListUnitPrice-C-005-C", given("ListUnitPrice"), (_BOUGHT, _REGULAR)),
    Rule("ListUnitPrice-C-008-M", Test("ListUnitPrice", "is not negative"), (given("ListUnitPrice"),)),
    Rule("PricingCategory-C-003-C", null("PricingCategory"), _TAX),
    Rule("PricingCategory-C-004-C", given("PricingCategory"), (_BOUGHT, _REGULAR)),
    Rule("PricingCategory-C-007-M", allowed("PricingCategory"), (given("PricingCategory"),)),
    Rule(
        "PricingCategory-C-009-C",
        one_of("PricingCategory", "Committed"),
        (given("PricingCategory"), _USAGE, _COMMITTED),
    ),
    Rule("PricingCurrency-C-004-M", given("PricingCurrency")),
    Rule("PricingCurrencyContractedUnitPrice-C-004-C", null("PricingCurrencyContractedUnitPrice"), _TAX),
    Rule(
        "PricingCurrencyContractedUnitPrice-C-005-C",
        given("PricingCurrencyContractedUnitPrice"),
        (_BOUGHT, _REGULAR),
    ),
    Rule(
        "PricingCurrencyContractedUnitPrice-C-008-C",
        Test("PricingCurrencyContractedUnitPrice", "is not negative"),
        (given("PricingCurrencyContractedUnitPrice"),),
    ),
    Rule("PricingCurrencyEffectiveCost-C-003-M", given("PricingCurrencyEffectiveCost")),
    Rule("PricingCurrencyListUnitPrice-C-004-C", null("PricingCurrencyListUnitPrice"), _TAX),
    Rule("PricingCurrencyListUnitPrice-C-005-C", given("PricingCurrencyListUnitPrice"), (_BOUGHT, _REGULAR)),
    Rule(
        "PricingCurrencyListUnitPrice-C-008-M",
        Test("PricingCurrencyListUnitPrice", "is not negative"),
        (given("PricingCurrencyListUnitPrice"),),
    ),
    Rule("PricingQuantity-C-004-C", null("PricingQuantity"), _TAX),
    Rule("PricingQuantity-C-005-C", given("PricingQuantity"), (_BOUGHT, _REGULAR)),
    Rule("PricingUnit-C-005-C", null("PricingUnit"), (null("PricingQuantity"),)),
    Rule("PricingUnit-C-006-C", given("PricingUnit"), (given("PricingQuantity"),)),
    Rule("ProviderName-C-003-M", given("ProviderName")),
    Rule("PublisherName-C-003-M", given("PublisherName")),
    Rule("RegionName-C-004-C", null("RegionName"), (null("RegionId"),)),
    Rule("RegionName-C-005-C", given("RegionName"), (given("RegionId"),)),
    Rule("ResourceName-C-004-C", null("ResourceName"), (null("ResourceId"),)),
    Rule("ResourceType-C-004-C", null("ResourceType"), (null("ResourceId"),)),
    Rule("ResourceType-C-005-C", given("ResourceType"), (given("ResourceId"),)),
    Rule("ServiceCategory-C-002-M", given("ServiceCategory")),
    Rule("ServiceCategory-C-003-M", allowed("ServiceCategory"), (given("ServiceCategory"),)),
    Rule("ServiceName-C-003-M", given("ServiceName")),
    Rule("ServiceSubcategory-C-002-M", given("ServiceSubcategory")),
    Rule("ServiceSubcategory-C-003-M", allowed("ServiceSubcategory"), (given("ServiceSubcategory"),)),
    Rule(
        "ServiceSubcategory-C-004-M",
        Test("ServiceSubcategory", "is a subcategory of", ("ServiceCategory",)),
        (allowed("ServiceSubcategory"),),
    ),
    Rule("SkuId-C-004-C", null("SkuId"), _TAX),
    Rule("SkuId-C-005-C", given("SkuId"), (_BOUGHT, _REGULAR)),
    Rule("SkuMeter-C-004-C", null("SkuMeter"), (null("SkuId"),)),
    Rule("SkuPriceDetails-C-004-C", null("SkuPriceDetails"), (null("SkuPriceId"),)),
    Rule("SkuPriceId-C-004-C", null("SkuPriceId"), _TAX),
    Rule("SkuPriceId-C-005-C", given("SkuPriceId"), (_BOUGHT, _REGULAR)),
    Rule("SubAccountName-C-003-C", null("SubAccountName"), (null("SubAccountId"),)),
    Rule("SubAccountName-C-004-C", given("SubAccountName"), (given("SubAccountId"),)),
    Rule("SubAccountType-C-004-C", null("SubAccountType"), (null("SubAccountId"),)),
    Rule("SubAccountType-C-005-C", given("SubAccountType"), (given("SubAccountId"),)),
)

_TYPE_RULES: Final = {"BilledCost": "BilledCost-C-002-M", "ContractedUnitPrice": "ContractedUnitPrice-C-002-M"}

TYPE_RULES: Final[Mapping[str, str]] = MappingProxyType(
    {it.name: _TYPE_RULES.get(it.name, f"{it.name}-C-001-M") for it in COLUMNS if it.kind is not Kind.STRING}
)
"""By column: the id of the rule that a value breaks that is not of the column's type, and so is left out."""

ROUNDED: Final = "x_Rounded"
"""The id of a rule of our own: no amount has more than 20 decimals. One that does is rounded half to even."""
