"""Rows are counted under the rules that they break, in the window that they are in."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from lambdas.core.billing.focus.rules import RULES, TYPE_RULES
from tests.unit.billing.charges import Charge, committed, credit, purchase, tax, unused, usage
from tests.unit.billing.conftest import Costs

BREAKS: dict[str, Charge] = {
    "BillingAccountId-C-001-M": usage(BillingAccountId=None, BillingAccountType=None),
    "BillingAccountType-C-004-C": usage(BillingAccountId=None),
    "BillingAccountType-C-005-C": usage(BillingAccountType=None),
    "BillingCurrency-C-003-M": usage(BillingCurrency="usd"),
    "BillingPeriodEnd-C-004-M": usage(BillingPeriodEnd=usage()["BillingPeriodStart"]),
    "CapacityReservationId-C-005-C": usage(CapacityReservationStatus="Unused"),
    "CapacityReservationStatus-C-003-C": usage(CapacityReservationStatus="Used"),
    "CapacityReservationStatus-C-004-C": usage(CapacityReservationId="cr-1"),
    "CapacityReservationStatus-C-006-M": usage(CapacityReservationId="cr-1", CapacityReservationStatus="Idle"),
    "ChargeCategory-C-002-M": usage(ChargeCategory=None),
    "ChargeCategory-C-003-M": usage(ChargeCategory="Refund"),
    "ChargeClass-C-005-C": usage(ChargeClass="Regular"),
    "ChargeFrequency-C-002-M": usage(ChargeFrequency=None),
    "ChargeFrequency-C-003-M": usage(ChargeFrequency="Daily"),
    "ChargeFrequency-C-004-C": purchase(ChargeFrequency="Usage-Based"),
    "ChargePeriodEnd-C-004-M": usage(ChargePeriodEnd=usage()["ChargePeriodStart"]),
    "CommitmentDiscountCategory-C-003-C": usage(CommitmentDiscountCategory="Spend"),
    "CommitmentDiscountCategory-C-004-C": committed(CommitmentDiscountCategory=None),
    "CommitmentDiscountCategory-C-005-M": committed(CommitmentDiscountCategory="Time"),
    "CommitmentDiscountName-C-004-C": usage(CommitmentDiscountName="three years"),
    "CommitmentDiscountQuantity-C-006-C": committed(CommitmentDiscountQuantity=None, CommitmentDiscountUnit=None),
    "CommitmentDiscountQuantity-C-008-C": tax(CommitmentDiscountQuantity=Decimal(1), CommitmentDiscountUnit="Hours"),
    "CommitmentDiscountStatus-C-003-C": usage(CommitmentDiscountStatus="Used"),
    "CommitmentDiscountStatus-C-004-C": committed(CommitmentDiscountStatus=None),
    "CommitmentDiscountStatus-C-005-M": committed(CommitmentDiscountStatus="Active"),
    "CommitmentDiscountType-C-004-C": usage(CommitmentDiscountType="Savings Plan"),
    "CommitmentDiscountType-C-005-C": committed(CommitmentDiscountType=None),
    "CommitmentDiscountUnit-C-005-C": usage(CommitmentDiscountUnit="Hours"),
    "CommitmentDiscountUnit-C-006-C": committed(CommitmentDiscountUnit=None),
    "ConsumedQuantity-C-004-C": unused(ConsumedQuantity=Decimal(1), ConsumedUnit="Hours"),
    "ConsumedQuantity-C-006-C": usage(ConsumedQuantity=None, ConsumedUnit=None),
    "ConsumedUnit-C-004-C": tax(ConsumedUnit="Hours"),
    "ConsumedUnit-C-005-C": usage(ConsumedUnit=None),
    "ContractedCost-C-003-M": usage(ContractedCost=None),
    "ContractedCost-C-008-C": credit(ContractedCost=Decimal(1)),
    "ContractedCost-C-009-C": usage(ContractedCost=Decimal(2)),
    "ContractedUnitPrice-C-005-C": tax(ContractedUnitPrice=Decimal(1)),
    "ContractedUnitPrice-C-006-C": usage(ContractedUnitPrice=None),
    "ContractedUnitPrice-C-009-C": usage(ContractedUnitPrice=Decimal(-1), ContractedCost=Decimal(-1)),
    "EffectiveCost-C-003-M": usage(EffectiveCost=None),
    "EffectiveCost-C-005-C": purchase(EffectiveCost=Decimal(36)),
    "EffectiveCost-C-010-C": credit(EffectiveCost=Decimal(0)),
    "InvoiceIssuerName-C-003-M": usage(InvoiceIssuerName=None),
    "ListCost-C-003-M": usage(ListCost=None),
    "ListCost-C-008-C": credit(ListCost=Decimal(1)),
    "ListCost-C-009-C": usage(ListCost=Decimal(2)),
    "ListUnitPrice-C-004-C": tax(ListUnitPrice=Decimal(1)),
    "ListUnitPrice-C-005-C": usage(ListUnitPrice=None),
    "ListUnitPrice-C-008-M": usage(ListUnitPrice=Decimal(-1), ListCost=Decimal(-1)),
    "PricingCategory-C-003-C": tax(PricingCategory="Standard"),
    "PricingCategory-C-004-C": usage(PricingCategory=None),
    "PricingCategory-C-007-M": usage(PricingCategory="On-Demand"),
    "PricingCategory-C-009-C": committed(PricingCategory="Standard"),
    "PricingCurrency-C-004-M": usage(),
    "PricingCurrencyContractedUnitPrice-C-004-C": tax(PricingCurrencyContractedUnitPrice=Decimal(1)),
    "PricingCurrencyContractedUnitPrice-C-005-C": usage(),
    "PricingCurrencyContractedUnitPrice-C-008-C": usage(PricingCurrencyContractedUnitPrice=Decimal(-1)),
    "PricingCurrencyEffectiveCost-C-003-M": usage(),
    "PricingCurrencyListUnitPrice-C-004-C": tax(PricingCurrencyListUnitPrice=Decimal(1)),
    "PricingCurrencyListUnitPrice-C-005-C": usage(),
    "PricingCurrencyListUnitPrice-C-008-M": usage(PricingCurrencyListUnitPrice=Decimal(-1)),
    "PricingQuantity-C-004-C": tax(PricingQuantity=Decimal(1), PricingUnit="Hours"),
    "PricingQuantity-C-005-C": usage(PricingQuantity=None, PricingUnit=None),
    "PricingUnit-C-005-C": tax(PricingUnit="Hours"),
    "PricingUnit-C-006-C": usage(PricingUnit=None),
    "ProviderName-C-003-M": usage(ProviderName=None),
    "PublisherName-C-003-M": usage(PublisherName=None),
    "RegionName-C-004-C": usage(RegionId=None),
    "RegionName-C-005-C": usage(RegionName=None),
    "ResourceName-C-004-C": tax(ResourceName="web"),
    "ResourceType-C-004-C": tax(ResourceType="Instance"),
    "ResourceType-C-005-C": usage(ResourceType=None),
    "ServiceCategory-C-002-M": usage(ServiceCategory=None),
    "ServiceCategory-C-003-M": usage(ServiceCategory="Machines"),
    "ServiceName-C-003-M": usage(ServiceName=None),
    "ServiceSubcategory-C-002-M": usage(ServiceSubcategory=None),
    "ServiceSubcategory-C-003-M": usage(ServiceSubcategory="Machines"),
    "ServiceSubcategory-C-004-M": usage(ServiceCategory="Storage"),
    "SkuId-C-004-C": tax(SkuId="ABC"),
    "SkuId-C-005-C": usage(SkuId=None, SkuMeter=None),
    "SkuMeter-C-004-C": tax(SkuMeter="BoxUsage"),
    "SkuPriceDetails-C-004-C": tax(SkuPriceDetails={"x": "y"}),
    "SkuPriceId-C-004-C": tax(SkuPriceId="ABC"),
    "SkuPriceId-C-005-C": usage(SkuPriceId=None, SkuPriceDetails=None),
    "SubAccountName-C-003-C": usage(SubAccountId=None, SubAccountType=None),
    "SubAccountName-C-004-C": usage(SubAccountName=None),
    "SubAccountType-C-004-C": usage(SubAccountId=None, SubAccountName=None),
    "SubAccountType-C-005-C": usage(SubAccountType=None),
}
"""By rule: a charge that breaks it; which others it breaks besides does not matter."""

CANNOT_BE_BROKEN = {
    "BilledCost-C-001-M",
    "BillingCurrency-C-004-M",
    "ChargePeriodStart-C-003-M",
    "ChargePeriodEnd-C-003-M",
    "BillingPeriodStart-C-003-M",
    "BillingPeriodEnd-C-003-M",
}
"""By rows that can be used: the first four are refused, the others filled."""

EVERYTHING = usage(
    PricingCurrency="USD",
    PricingCurrencyContractedUnitPrice=Decimal(1),
    PricingCurrencyEffectiveCost=Decimal(1),
    PricingCurrencyListUnitPrice=Decimal(1),
)
"""A neighbour that has what conditional columns there are, so that their rules apply to the others in the window."""


def violations(costs: Costs, *charges: Charge) -> dict[str, int]:
    with costs.arranged(list(charges)) as arranged:
        (contents,) = arranged.contents.values()
        return contents.violations


def test_every_rule_has_a_charge_that_breaks_it() -> None:
    assert set(BREAKS) | CANNOT_BE_BROKEN == {it.id for it in RULES}


def test_a_charge_that_breaks_a_rule_is_counted_under_it(costs: Costs) -> None:
    hours = {rule: number for number, rule in enumerate(BREAKS)}
    rows = []
    for rule, number in hours.items():
        rows += [_moved(BREAKS[rule], number), _moved(EVERYTHING, number)]
    with costs.arranged(rows) as arranged:
        broken = [it.violations for _, it in sorted(arranged.contents.items())]
    missed = [rule for rule, number in hours.items() if broken[number].get(rule) != 1]
    assert not missed


def _moved(charge: Charge, hours: int) -> Charge:
    first = usage()["BillingPeriodStart"]
    length = charge["ChargePeriodEnd"] - charge["ChargePeriodStart"]
    start = first + timedelta(hours=hours)
    return charge | {"ChargePeriodStart": start, "ChargePeriodEnd": start + length}


def test_a_rule_of_a_column_that_nothing_has_is_of_no_effect(costs: Costs) -> None:
    assert not violations(costs, usage(ServiceSubcategory=None, SubAccountType=None))


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({"ListUnitPrice": "cheap"}, {"ListUnitPrice-C-001-M"}),
        ({"ContractedUnitPrice": "1,0"}, {"ContractedUnitPrice-C-002-M"}),
        ({"BillingPeriodEnd": "soon"}, {"BillingPeriodEnd-C-001-M"}),
        ({"Tags": "team=payments"}, {"Tags-C-001-M"}),
        ({"Tags": '{"a": "b", "a": "c"}'}, {"Tags-C-001-M"}),
        ({"Tags": '{"a": {"b": "c"}}'}, {"Tags-C-001-M"}),
        ({"ListCost": "0.09120000000000000000001"}, {"x_Rounded"}),
        ({"ListCost": "0.09120000000000000000001", "BilledCost": "1e-21"}, {"x_Rounded"}),
    ],
)
def test_a_value_that_is_not_of_its_type_is_left_out_and_counted(
    costs: Costs, changes: dict[str, Any], broken: set[str]
) -> None:
    found = violations(costs, usage(**changes))
    assert broken <= set(found)
    assert not set(found) - broken & {*TYPE_RULES.values(), "x_Rounded"}
    assert all(found[rule] == 1 for rule in broken)
