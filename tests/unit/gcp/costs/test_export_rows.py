"""A row of the billing export as FOCUS 1.2 has it."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from lambdas.core.errors import TerminalError
from lambdas.core.ports.costs import Row
from lambdas.gcp.costs.export import focus_rows
from lambdas.gcp.costs.services import OTHER, category_of
from local.simulators.gcp.billing_export import exported
from tests.unit.gcp.costs.exports import NOVEMBER, SOURCE, charge, hour

NEVER_NULL = """
    BilledCost BillingAccountId BillingCurrency BillingPeriodEnd BillingPeriodStart ChargeCategory ChargeDescription
    ChargeFrequency ChargePeriodEnd ChargePeriodStart ContractedCost EffectiveCost InvoiceIssuerName ListCost
    ProviderName PublisherName ServiceCategory ServiceName ServiceSubcategory
""".split()
"""Of every row: https://github.com/FinOps-Open-Cost-and-Usage-Spec/FOCUS_Spec, 1.2."""

OF_USAGE = """
    ConsumedQuantity ConsumedUnit ContractedUnitPrice ListUnitPrice PricingCategory PricingQuantity PricingUnit
    SkuId SkuPriceId
""".split()

DISCOUNT = {"name": "Committed use", "type": "COMMITTED_USAGE_DISCOUNT", "amount": -0.01}
PROMOTION = {"name": "Free trial", "type": "PROMOTION", "amount": -0.02}


def rows(kind: Any = "usage", amount: str = "0.04", **changes: Any) -> list[Row]:
    document = {**exported(charge("a", kind=kind, amount=Decimal(amount))), **changes}
    return focus_rows(json.dumps(document), SOURCE.calendar)


def row(kind: Any = "usage", amount: str = "0.04", **changes: Any) -> Row:
    (only,) = rows(kind, amount, **changes)
    return only


@pytest.mark.parametrize("kind", ["usage", "purchase", "tax", "credit", "adjustment"])
def test_every_row_has_what_may_never_be_null(kind: Any) -> None:
    assert [name for name in NEVER_NULL if name not in row(kind)] == []


def test_usage_is_priced_and_consumed() -> None:
    usage = row()
    assert [name for name in OF_USAGE if name not in usage] == []
    assert usage["ListUnitPrice"] == usage["ContractedUnitPrice"] == Decimal("0.02")
    assert (usage["ServiceCategory"], usage["ServiceSubcategory"]) == ("Compute", "Virtual Machines")
    assert (usage["ResourceId"], usage["ResourceType"]) == (
        "//compute.googleapis.com/projects/shop/zones/europe-west1-b/instances/web",
        "instances",
    )
    assert usage["Tags"] == {"skysaga-saga": "s0abc", "skysaga-resource": "web"}


@pytest.mark.parametrize(
    ("kind", "category", "frequency"),
    [
        ("usage", "Usage", "Usage-Based"),
        ("purchase", "Purchase", "Recurring"),
        ("tax", "Tax", "One-Time"),
        ("adjustment", "Adjustment", "One-Time"),
        ("credit", "Credit", "Usage-Based"),
    ],
)
def test_the_cost_type_says_which_charge_it_is(kind: Any, category: str, frequency: str) -> None:
    charged = row(kind)
    assert (charged["ChargeCategory"], charged["ChargeFrequency"]) == (category, frequency)
    assert charged["BilledCost"] == Decimal("0.04")


def test_what_is_rounded_on_the_invoice_is_an_adjustment() -> None:
    assert row(cost_type="rounding_error")["ChargeCategory"] == "Adjustment"


def test_tax_has_no_sku_price_or_quantity() -> None:
    assert [name for name in [*OF_USAGE, "SkuMeter"] if name in row("tax")] == []


def test_a_discount_lowers_what_is_billed_and_not_the_contracted_cost() -> None:
    usage = row(credits=[DISCOUNT])
    assert (usage["BilledCost"], usage["EffectiveCost"], usage["ContractedCost"]) == (
        Decimal("0.03"),
        Decimal("0.03"),
        Decimal("0.04"),
    )
    assert usage["PricingCategory"] == "Committed"


def test_a_promotion_is_a_credit_of_its_own() -> None:
    usage, credit = rows(credits=[DISCOUNT, PROMOTION])
    assert (usage["BilledCost"], credit["BilledCost"]) == (Decimal("0.03"), Decimal("-0.02"))
    assert (credit["ChargeCategory"], credit["ChargeDescription"]) == ("Credit", "Free trial")
    assert "PricingQuantity" not in credit
    assert credit["Tags"] == usage["Tags"]


def test_a_credit_of_a_kind_that_we_do_not_know_is_a_credit_and_not_lost() -> None:
    assert sum(it["BilledCost"] for it in rows(credits=[{**PROMOTION, "type": "NEW"}])) == Decimal("0.02")  # type: ignore[misc]


def test_list_costs_are_the_exports_own() -> None:
    usage = row(cost_at_list=0.06)
    assert (usage["ListCost"], usage["ListUnitPrice"]) == (Decimal("0.06"), Decimal("0.03"))


@pytest.mark.parametrize("spelt", [0.1, "0.1", "0.100"])
def test_amounts_are_as_they_are_printed(spelt: Any) -> None:
    assert row(cost=spelt)["BilledCost"] == Decimal("0.1")


def test_more_than_twenty_decimals_are_rounded_once() -> None:
    assert row(cost="1e-21", credits=[{**DISCOUNT, "amount": "5e-21"}])["BilledCost"] == Decimal("1e-20")
    assert row(cost="123456789012345678.12345678901234567895")["BilledCost"] == Decimal(
        "123456789012345678.12345678901234567895"
    )


def test_usage_that_is_older_than_its_invoice_is_a_correction_and_an_adjustment_within_its_month_is_none() -> None:
    corrected = row("adjustment", usage_start_time="2026-10-20T09:00:00Z", usage_end_time="2026-10-20T10:00:00Z")
    assert corrected["ChargeClass"] == "Correction"
    assert corrected["BillingPeriodStart"] == NOVEMBER
    assert "ChargeClass" not in row("adjustment")


def test_until_there_is_an_invoice_the_period_is_that_of_the_usage() -> None:
    start = (hour("2026-11-01T06") - timedelta(minutes=1)).isoformat()
    assert row(invoice=None, usage_start_time=start)["BillingPeriodEnd"] == NOVEMBER


def test_labels_that_are_no_labels_are_left_out_and_none_hides_ours() -> None:
    labels = [
        {"key": None, "value": "nothing"},
        {"key": "", "value": "nothing"},
        {"key": "empty", "value": None},
        {"key": "skysaga-saga", "value": "s0abc"},
        {"key": "skysaga-saga", "value": "another"},
    ]
    system = [{"key": "compute.googleapis.com/cores", "value": "2"}, {"key": "skysaga-saga", "value": "system"}]
    tags = [{"key": "env", "value": "prod", "namespace": "123", "inherited": True}, None]
    assert row(labels=labels, system_labels=system, tags=tags[:1])["Tags"] == {
        "empty": "",
        "skysaga-saga": "s0abc",
        "compute.googleapis.com/cores": "2",
        "123/env": "prod",
    }
    assert row(labels=None)["Tags"] == {}


def test_a_standard_export_has_no_resources() -> None:
    document = exported(charge("a"))
    del document["resource"], document["cost_at_list"], document["tags"]
    (usage,) = focus_rows(json.dumps(document), SOURCE.calendar)
    assert not {"ResourceId", "ResourceName", "ResourceType"} & set(usage)


def test_what_is_billed_to_no_project_has_no_sub_account() -> None:
    assert not {"SubAccountId", "SubAccountName", "SubAccountType"} & set(row(project=None))


def test_a_sellers_product_is_published_by_the_seller_and_invoiced_by_google() -> None:
    sold = row(seller_name="Elastic")
    assert (sold["PublisherName"], sold["InvoiceIssuerName"]) == ("Elastic", "Google Cloud")


def test_a_service_that_we_do_not_know_is_of_another_category() -> None:
    assert category_of("Cloud Time Machine") == OTHER
    assert row(service={"id": "0-1", "description": "Cloud Time Machine"})["ServiceCategory"] == "Other"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"cost": "much"}, "cost"),
        ({"cost": None}, "cost"),
        ({"cost": "NaN"}, "cost"),
        ({"currency": None}, "currency"),
        ({"usage_start_time": "yesterday"}, "usage_start_time"),
        ({"invoice": {"month": "November"}}, "invoice.month"),
    ],
)
def test_a_row_that_cannot_be_used_is_refused_by_its_field_and_not_quoted(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(TerminalError, match=said) as refused:
        rows(**changes)
    assert "much" not in str(refused.value)


def test_the_collector_does_not_load_compute_engine() -> None:
    script = "import sys, lambdas.gcp.collector; print([it for it in sys.modules if 'compute_v1' in it])"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)  # noqa: S603
    assert found.stdout.strip() == "[]"
