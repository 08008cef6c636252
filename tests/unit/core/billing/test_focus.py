"""FOCUS 1.2 as data is complete: every column, every enumeration, and a rule for whatever may not be null."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from lambdas.core.billing.focus.columns import BY_NAME, COLUMNS, NAMES, OURS, Column, Kind, Level
from lambdas.core.billing.focus.rules import RULES, TYPE_RULES, Rule
from lambdas.core.billing.focus.services import SERVICES

MANDATORY = (
    "BilledCost BillingAccountId BillingAccountName BillingCurrency BillingPeriodEnd BillingPeriodStart ChargeCategory "
    "ChargeClass ChargeDescription ChargePeriodEnd ChargePeriodStart ContractedCost EffectiveCost InvoiceIssuerName "
    "ListCost PricingQuantity PricingUnit ProviderName PublisherName ServiceCategory ServiceName"
).split()


def test_there_are_57_columns_in_the_specifications_order() -> None:
    assert len(COLUMNS) == 57
    assert sorted(NAMES) == list(NAMES)
    assert not set(NAMES) & set(OURS)


def test_columns_came_with_three_versions() -> None:
    assert Counter(it.since for it in COLUMNS) == {"1.0": 43, "1.1": 7, "1.2": 7}


def test_the_mandatory_columns_are_the_specifications() -> None:
    assert [it.name for it in COLUMNS if it.level is Level.MANDATORY] == MANDATORY


@pytest.mark.parametrize("column", [it for it in COLUMNS if not it.nullable], ids=lambda it: it.name)
def test_a_column_that_may_not_be_null_has_a_rule_that_says_so(column: Column) -> None:
    rules = [it for it in RULES if it.column == column.name and it.must.relation == "is not null" and not it.when]
    assert len(rules) == 1


@pytest.mark.parametrize("column", [it for it in COLUMNS if it.nullable], ids=lambda it: it.name)
def test_a_column_that_may_be_null_must_have_a_value_only_on_a_condition(column: Column) -> None:
    assert all(it.when for it in RULES if it.column == column.name and it.must.relation == "is not null")


@pytest.mark.parametrize("column", [it for it in COLUMNS if it.values], ids=lambda it: it.name)
def test_an_enumeration_has_a_rule_that_allows_its_values(column: Column) -> None:
    rules = [it for it in RULES if it.column == column.name and it.must.relation == "is one of"]
    assert column.values in [it.must.to for it in rules]


def test_every_subcategory_has_one_category() -> None:
    subcategories = [name for names in SERVICES.values() for name in names]
    assert len(set(subcategories)) == len(subcategories) == len(BY_NAME["ServiceSubcategory"].values)
    assert all(names[-1] == f"Other ({category})" for category, names in SERVICES.items())


@pytest.mark.parametrize("rule", RULES, ids=lambda it: it.id)
def test_a_rule_is_about_columns_that_there_are(rule: Rule) -> None:
    assert re.fullmatch(rf"{rule.column}-C-\d{{3}}-[MC]", rule.id)
    compared = {"equals", "is after", "is the product of", "is a subcategory of"}
    columns = [it.column for it in (rule.must, *rule.when)]
    columns += [name for it in (rule.must, *rule.when) if it.relation in compared for name in it.to]
    assert set(columns) <= set(NAMES)
    values = [it for it in (rule.must, *rule.when) if it.relation in ("is one of", "is none of")]
    assert all(set(it.to) <= set(BY_NAME[it.column].values) for it in values)


def test_an_id_is_one_rules_or_that_of_its_cases() -> None:
    musts: dict[str, set[object]] = {}
    for rule in RULES:
        musts.setdefault(rule.id, set()).add(rule.must)
    assert all(len(it) == 1 for it in musts.values())
    assert not set(TYPE_RULES.values()) & set(musts)


def test_every_column_with_a_type_has_a_rule_for_it() -> None:
    assert set(TYPE_RULES) == {it.name for it in COLUMNS if it.kind is not Kind.STRING}


def test_a_rule_reads_as_the_specification_does() -> None:
    (rule,) = [it for it in RULES if it.id == "CommitmentDiscountStatus-C-004-C"]
    assert str(rule) == (
        "CommitmentDiscountStatus-C-004-C: CommitmentDiscountStatus is not null "
        "when CommitmentDiscountId is not null and ChargeCategory is one of Usage"
    )
    assert rule.source == "https://focus.finops.org/focus-specification/v1-2/#commitmentdiscountstatus"
