"""What a machine on a private cluster costs: by the hour and its parts, exactly, and rounded once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lambdas.core.billing.rates import Columns, Machine, charges
from lambdas.core.billing.sources import RateCard, Rates
from lambdas.core.billing.spans import HOUR, Span
from lambdas.core.clusters import Amounts

NINE = datetime(2026, 11, 26, 9, tzinfo=UTC)
DAY = Span(NINE, NINE + 24 * HOUR)
RATES = Rates(cpu_hour=Decimal("0.03"), memory_gb_hour=Decimal("0.004"), disk_gb_hour=Decimal("0.0001"))
CARD = RateCard(name="berlin", provider="vsphere", currency="EUR", rates=RATES, since=NINE)
MINUTE = timedelta(minutes=1)

NEVER_NULL = """
    BilledCost BillingAccountId BillingCurrency BillingPeriodEnd BillingPeriodStart ChargeCategory ChargeDescription
    ChargeFrequency ChargePeriodEnd ChargePeriodStart ConsumedQuantity ConsumedUnit ContractedCost ContractedUnitPrice
    EffectiveCost InvoiceIssuerName ListCost ListUnitPrice PricingCategory PricingQuantity PricingUnit ProviderName
    PublisherName ServiceCategory ServiceName ServiceSubcategory SkuId SkuPriceId
""".split()
"""Of usage: https://github.com/FinOps-Open-Cost-and-Usage-Spec/FOCUS_Spec, 1.2."""


def machine(since: datetime = NINE, until: datetime | None = None, **fields: Any) -> Machine:
    usual = {
        "id": "s0abc-web",
        "name": "web",
        "cluster": "berlin-1",
        "amounts": Amounts(cpu=2, memory_mb=4096, disk_gb=20),
        "tags": {"skysaga-saga": "s0abc"},
    }
    return Machine(since=since, until=until, **{**usual, **fields})


def rows(it: Machine, span: Span = DAY, card: RateCard = CARD) -> list[Columns]:
    return list(charges(card, [it], span))


def billed(found: list[Columns]) -> Decimal:
    return sum((Decimal(str(row["BilledCost"])) for row in found), Decimal(0))


def test_an_hour_costs_by_processor_memory_and_disk() -> None:
    cpu, memory, disk = rows(machine(until=NINE + HOUR))

    assert (cpu["SkuId"], cpu["PricingQuantity"], cpu["PricingUnit"]) == ("vsphere-cpu", Decimal(2), "vCPU-Hours")
    assert (cpu["BilledCost"], memory["BilledCost"], disk["BilledCost"]) == (
        Decimal("0.06"),
        Decimal("0.016"),
        Decimal("0.002"),
    )
    assert (cpu["ChargePeriodStart"], cpu["ChargePeriodEnd"]) == (NINE, NINE + HOUR)
    assert (cpu["SubAccountId"], cpu["Tags"]) == ("berlin-1", {"skysaga-saga": "s0abc"})


def test_every_row_has_what_usage_must_have() -> None:
    assert [name for row in rows(machine()) for name in NEVER_NULL if row.get(name) in (None, "")] == []


def test_a_part_of_an_hour_costs_that_part() -> None:
    found = rows(machine(NINE + 45 * MINUTE, NINE + 75 * MINUTE))
    assert [(row["ChargePeriodStart"], row["BilledCost"]) for row in found[::3]] == [
        (NINE, Decimal("0.015")),
        (NINE + HOUR, Decimal("0.015")),
    ]


def test_a_third_of_an_hour_is_rounded_once_and_never_before() -> None:
    third = Rates(cpu_hour=Decimal(3), memory_gb_hour=Decimal(1), disk_gb_hour=Decimal(0))
    card = CARD.model_copy(update={"rates": third})
    cpu, memory, disk = rows(machine(until=NINE + 20 * MINUTE, amounts=Amounts(cpu=1, memory_mb=1024)), card=card)

    assert cpu["BilledCost"] == 1
    assert cpu["PricingQuantity"] == memory["BilledCost"] == Decimal("0.33333333333333333333")
    assert disk["BilledCost"] == 0


def test_memory_is_paid_by_the_gib() -> None:
    _, memory, _ = rows(machine(until=NINE + HOUR, amounts=Amounts(memory_mb=512)))
    assert memory["PricingQuantity"] == Decimal("0.5")


def test_a_cluster_may_cost_something_else() -> None:
    dear = RATES.model_copy(update={"cpu_hour": Decimal(1)})
    card = CARD.model_copy(update={"cluster_rates": {"berlin-2": dear}})

    here, there = (rows(machine(until=NINE + HOUR, cluster=it), card=card)[0] for it in ("berlin-1", "berlin-2"))
    assert (here["BilledCost"], there["BilledCost"]) == (Decimal("0.06"), Decimal(2))
    assert (here["SkuPriceId"], there["SkuPriceId"]) == ("vsphere-cpu", "vsphere-cpu-berlin-2")


def test_what_lives_costs_until_the_end_of_the_span_and_what_does_not_costs_nothing() -> None:
    assert len(rows(machine(NINE - 30 * HOUR))) == 24 * 3
    assert rows(machine(NINE - 2 * HOUR, NINE)) == rows(machine(DAY.end)) == rows(machine(NINE, NINE)) == []


def test_months_begin_in_utc() -> None:
    new_year = datetime(2027, 1, 1, tzinfo=UTC)
    before, after = rows(machine(new_year - HOUR), Span(new_year - HOUR, new_year + HOUR))[::3]
    assert before["BillingPeriodEnd"] == after["BillingPeriodStart"] == new_year


moments = st.integers(0, 24 * 3600 * 1_000_000).map(lambda it: NINE + timedelta(microseconds=it))


@given(since=moments, until=moments, cut=st.integers(0, 24))
def test_however_a_span_is_cut_the_rows_are_the_same_and_sum_up_to_the_time_lived(
    since: datetime, until: datetime, cut: int
) -> None:
    it = machine(since, until)
    middle = NINE + cut * HOUR
    whole = rows(it)

    parts = rows(it, Span(NINE, middle)) + rows(it, Span(middle, DAY.end))
    assert parts == whole
    lived = Fraction(max(until - since, timedelta()) // timedelta(microseconds=1), 3_600_000_000)
    exact = lived * Fraction("0.078")
    assert abs(Fraction(billed(whole)) - exact) <= Fraction(len(whole), 2 * 10**20)
