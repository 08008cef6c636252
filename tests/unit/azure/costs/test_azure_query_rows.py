"""What Cost Management says in FOCUS's columns, also of what no simulated bill has: commitments, and gaps."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from lambdas.azure.costs.query_rows import Dataset, QueryRows
from lambdas.azure.costs.services import service_category
from lambdas.core.billing.sources import CostQuery
from lambdas.core.errors import TerminalError
from lambdas.core.ports.costs import Row
from tests.unit.azure.costs.billed import SUBSCRIPTION, VM, at, only

ORDER = "/providers/Microsoft.Capacity/reservationOrders/o/reservations/r"
USAGE: Mapping[str, Any] = {
    "Cost": Decimal("0.5"),
    "UsageQuantity": Decimal(24),
    "UsageDate": Decimal(20261124),
    "ResourceId": VM,
    "ResourceLocation": "EU West",
    "SubscriptionName": "Shop",
    "ServiceName": "Virtual Machines",
    "MeterCategory": "Virtual Machines",
    "MeterSubcategory": "Dsv5 Series",
    "Meter": "D2s v5",
    "ResourceGuid": "m1",
    "ChargeType": "Usage",
    "Frequency": "UsageBased",
    "PricingModel": "OnDemand",
    "PublisherType": "Azure",
    "BillingMonth": "2026-11-01T00:00:00",
    "BenefitId": "",
    "ReservationId": "",
    "Tags": [],
    "Currency": "EUR",
}
COVERED: Mapping[str, Any] = {"PricingModel": "Reservation", "BenefitId": ORDER}


def made(dataset: Dataset = "ActualCost", **changes: Any) -> list[Row]:
    """The rows of an answer with one group."""
    values = {**USAGE, **changes}
    answer = {"columns": [{"name": name} for name in values], "rows": [list(values.values())]}
    source = CostQuery(name="query", since=at("2026-11-01"), subscription=SUBSCRIPTION)
    return list(QueryRows(source, dataset).of(answer))


def test_a_row_says_what_focus_wants_to_know() -> None:
    assert only(made()) == {
        "BilledCost": Decimal("0.5"),
        "BillingAccountId": f"/subscriptions/{SUBSCRIPTION}",
        "BillingAccountName": "Shop",
        "BillingAccountType": "Subscription",
        "BillingCurrency": "EUR",
        "BillingPeriodEnd": at("2026-12-01"),
        "BillingPeriodStart": at("2026-11-01"),
        "ChargeCategory": "Usage",
        "ChargeDescription": "Virtual Machines - Dsv5 Series - D2s v5",
        "ChargeFrequency": "Usage-Based",
        "ChargePeriodEnd": at("2026-11-25"),
        "ChargePeriodStart": at("2026-11-24"),
        "ConsumedQuantity": Decimal(24),
        "ConsumedUnit": "Units",
        "ContractedCost": Decimal("0.5"),
        "EffectiveCost": Decimal("0.5"),
        "InvoiceIssuerName": "Microsoft",
        "ListCost": Decimal("0.5"),
        "PricingCategory": "Standard",
        "PricingQuantity": Decimal(24),
        "PricingUnit": "Units",
        "ProviderName": "Microsoft",
        "PublisherName": "Microsoft",
        "RegionId": "EU West",
        "RegionName": "EU West",
        "ResourceId": VM,
        "ResourceName": "web",
        "ResourceType": "Microsoft.Compute/virtualMachines",
        "ServiceCategory": "Compute",
        "ServiceName": "Virtual Machines",
        "SkuId": "m1",
        "SkuMeter": "D2s v5",
        "SubAccountId": f"/subscriptions/{SUBSCRIPTION}",
        "SubAccountName": "Shop",
        "SubAccountType": "Subscription",
        "x_ChargeType": "Usage",
    }


def test_what_a_commitment_covers_costs_nothing_on_the_bill_and_its_share_in_effect() -> None:
    row = only(made("AmortizedCost", **COVERED))

    assert (row["BilledCost"], row["EffectiveCost"]) == (0, Decimal("0.5"))
    assert (row["PricingCategory"], row["CommitmentDiscountStatus"]) == ("Committed", "Used")
    assert (row["CommitmentDiscountId"], row["CommitmentDiscountCategory"]) == (ORDER, "Usage")
    assert (row["CommitmentDiscountQuantity"], row["CommitmentDiscountUnit"]) == (24, "Units")


def test_each_charge_is_told_by_one_of_the_two_datasets() -> None:
    assert made("ActualCost", **COVERED, Cost=Decimal(0)) == []
    assert made("AmortizedCost") == []
    assert made("AmortizedCost", **COVERED, ChargeType="Purchase") == []


def test_to_buy_a_commitment_is_billed_and_has_no_effect_of_its_own() -> None:
    row = only(made("ActualCost", **COVERED, ChargeType="Purchase", Frequency="OneTime", Cost=Decimal(700)))

    assert (row["ChargeCategory"], row["ChargeFrequency"]) == ("Purchase", "One-Time")
    assert (row["BilledCost"], row["EffectiveCost"], row["PricingCategory"]) == (700, 0, "Standard")
    assert "CommitmentDiscountStatus" not in row
    assert "ConsumedQuantity" not in row


def test_what_nothing_used_of_a_savings_plan_is_spend_that_is_unused() -> None:
    row = only(made("AmortizedCost", ChargeType="UnusedSavingsPlan", PricingModel="SavingsPlan", BenefitId="plan"))

    assert (row["ChargeCategory"], row["CommitmentDiscountStatus"]) == ("Usage", "Unused")
    assert (row["CommitmentDiscountCategory"], row["CommitmentDiscountUnit"]) == ("Spend", "EUR")
    assert row["CommitmentDiscountQuantity"] == Decimal("0.5")
    assert "ConsumedQuantity" not in row


@pytest.mark.parametrize(
    ("charge_type", "category"),
    [("Refund", "Purchase"), ("RoundingAdjustment", "Adjustment"), ("Tax", "Tax"), ("Something new", "Adjustment")],
)
def test_every_charge_type_has_a_category(charge_type: str, category: str) -> None:
    assert only(made(ChargeType=charge_type))["ChargeCategory"] == category


@pytest.mark.parametrize(
    ("charge_type", "written", "frequency"),
    [
        ("Usage", "UsageBased", "Usage-Based"),
        ("Usage", "", "Usage-Based"),
        ("Purchase", "Recurring", "Recurring"),
        ("Refund", "UsageBased", "One-Time"),
        ("Tax", "", "One-Time"),
    ],
)
def test_every_charge_has_a_frequency_that_its_category_may_have(
    charge_type: str, written: str, frequency: str
) -> None:
    assert only(made(ChargeType=charge_type, Frequency=written))["ChargeFrequency"] == frequency


def test_what_is_neither_used_nor_bought_has_to_do_with_no_commitment() -> None:
    row = only(made(**COVERED, ChargeType="RoundingAdjustment"))

    assert not [name for name in row if name.startswith("CommitmentDiscount")]


@pytest.mark.parametrize("month", ["2026-12-01T00:00:00", "2026-12-01", "20261201", "202612"])
def test_a_bill_of_a_later_month_makes_a_correction_however_the_month_is_written(month: str) -> None:
    row = only(made(BillingMonth=month))

    assert (row["BillingPeriodStart"], row["ChargeClass"]) == (at("2026-12-01"), "Correction")


def test_a_day_written_as_a_date_is_the_same_day() -> None:
    assert only(made(UsageDate="2026-11-24T00:00:00"))["ChargePeriodStart"] == at("2026-11-24")


def test_gaps_are_left_out_and_what_must_be_there_falls_back() -> None:
    gaps: dict[str, Any] = dict.fromkeys(
        ("ServiceName", "MeterCategory", "MeterSubcategory", "Meter", "ResourceId"), "Unassigned"
    )
    row = only(made(**gaps, ResourceLocation="", SubscriptionName=None, BillingMonth=""))

    assert not {"ResourceId", "ResourceName", "ResourceType", "RegionId", "RegionName"} & set(row)
    assert (row["ServiceName"], row["ServiceCategory"], row["ChargeDescription"]) == ("Usage", "Other", "Usage")
    assert row["BillingAccountName"] == row["SubAccountName"] == SUBSCRIPTION
    assert row["BillingPeriodStart"] == at("2026-11-01")


@pytest.mark.parametrize(
    ("resource", "kind"),
    [
        (VM, "Microsoft.Compute/virtualMachines"),
        (
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Sql/servers/a/databases/b",
            "Microsoft.Sql/servers/databases",
        ),
        ("/subscriptions/s/resourceGroups/g", "Microsoft.Resources/resourceGroups"),
    ],
)
def test_the_type_of_a_resource_is_in_its_id(resource: str, kind: str) -> None:
    assert only(made(ResourceId=resource))["ResourceType"] == kind


@pytest.mark.parametrize(
    "bad", ["", '"open', '"a":1', '"a":null', '"":"x"', '"a":"b","c":"d"', "nonsense", '"a":{"b":"c"}', 7, None]
)
def test_a_tag_that_is_none_is_left_out(bad: object) -> None:
    assert only(made(Tags=['"skysaga-saga":"s1"', bad]))["Tags"] == {"skysaga-saga": "s1"}


@pytest.mark.parametrize("bad", [None, "", '"a":"b"', 3, [], {"a": "b"}])
def test_tags_that_are_no_list_are_none(bad: object) -> None:
    assert "Tags" not in only(made(Tags=bad))


@pytest.mark.parametrize(
    "bad", [{"Cost": "1.5"}, {"UsageDate": "yesterday"}, {"Currency": ""}, {"UsageQuantity": None}]
)
def test_a_row_that_cannot_be_used_is_an_error_and_no_row(bad: dict[str, Any]) -> None:
    with pytest.raises(TerminalError, match="UnknownAnswer"):
        made(**bad)


def test_a_service_is_of_a_category_however_it_is_spelt_and_one_that_is_unknown_of_none() -> None:
    assert service_category("virtual machines") == "Compute"
    assert service_category("Quantum Toaster") == service_category("") == "Other"
