"""Sources of costs and budgets as the deployment declares them: checked when the stacks are synthesized."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

from infra import billing as ours
from infra.billing import MOST_BUDGETS, MOST_SOURCES, Billing, Budget
from infra.declaration import BadDeclaration
from infra.private_clouds import PrivateClouds
from infra.targets import Targets
from lambdas.core.billing import sources as theirs
from lambdas.core.billing.sources import parse_sources
from tests.infra.conftest import BILLING, PRIVATE_CLOUDS, TARGETS
from tests.infra.template import Template

KINDS = (
    "aws-cost-explorer",
    "aws-data-export",
    "azure-cost-query",
    "azure-cost-export",
    "gcp-bigquery",
    "rate-card",
)
SINCE = "2026-11-01T00:00:00Z"
EXPLORER = {"kind": "aws-cost-explorer", "since": SINCE, "account": "123456789012"}
EXPORT = {"kind": "aws-data-export", "since": SINCE, "account": "123456789012", "bucket": "exports", "export": "focus"}
CARD = {
    "kind": "rate-card",
    "since": SINCE,
    "provider": "vsphere",
    "currency": "EUR",
    "rates": {"cpu_hour": 1, "memory_gb_hour": 1, "disk_gb_hour": 1},
}


def declared(document: object) -> Billing:
    return Billing.parse(document, Targets.parse(TARGETS), PrivateClouds.parse(PRIVATE_CLOUDS))


def mistakes(document: object) -> list[str]:
    with pytest.raises(BadDeclaration) as error:
        declared(document)
    return [line.strip() for line in str(error.value).splitlines()[1:]]


def test_what_is_written_is_what_functions_read(data: Template) -> None:
    values = {it["Name"]: it["Value"] for it in data.properties("AWS::SSM::Parameter")}

    read = parse_sources(values["/skysaga/billing/sources"])

    assert set(read) == set(BILLING["sources"])
    for name, document in BILLING["sources"].items():
        for field, value in json.loads(read[name].model_dump_json(include=set(document))).items():
            assert value == as_read(document[field]), (name, field)


def as_read(value: Any) -> Any:
    """Amounts are told as texts, so that none is a float on its way."""
    match value:
        case dict():
            return {key: as_read(it) for key, it in value.items()}
        case bool() | str() | list():
            return value
        case _:
            return str(value)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_source_has_the_fields_that_functions_know(kind: str) -> None:
    declared, known = of_kind(ours, kind), of_kind(theirs, kind)

    assert set(declared.model_fields) == set(known.model_fields) - {"name"}
    for name, field in declared.model_fields.items():
        if not field.is_required():
            assert field.default == known.model_fields[name].default, name


def of_kind(module: ModuleType, kind: str) -> Any:
    models = [it for it in vars(module).values() if isinstance(it, type) and hasattr(it, "model_fields")]
    (found,) = [it for it in models if f"'{kind}'" in str(it.model_fields.get("kind"))]
    return found


def test_a_budget_has_the_fields_that_functions_know() -> None:
    budgets = pytest.importorskip("lambdas.core.billing.budgets")

    assert MOST_BUDGETS == budgets.MOST_BUDGETS
    assert set(Budget.model_fields) == set(budgets.Budget.model_fields)
    assert set(budgets.parse_budgets(declared(BILLING).budgets_parameter)) == set(BILLING["budgets"])
    for name, field in Budget.model_fields.items():
        if not field.is_required():
            assert field.default == budgets.Budget.model_fields[name].default, name


def test_there_are_as_many_sources_as_one_execution_reads() -> None:
    assert MOST_SOURCES == theirs.MOST_SOURCES


def test_budgets_are_written_with_their_amounts_to_the_letter(data: Template) -> None:
    values = {it["Name"]: it["Value"] for it in data.properties("AWS::SSM::Parameter")}

    assert json.loads(values["/skysaga/billing/budgets"]) == {
        "shop": {"amount": "1000", "currency": "EUR", "label": "team=shop"},
        "migration": {"amount": "250.5", "currency": "USD", "saga": "s-1", "period": "total", "thresholds": [100]},
    }


def test_they_may_be_given_on_the_command_line() -> None:
    assert declared(json.dumps(BILLING)) == declared(BILLING)


def test_an_hour_is_one_whatever_its_time_zone() -> None:
    source = declared({"sources": {"a": {**EXPLORER, "since": "2026-11-01T02:00:00+02:00"}}}).sources["a"]

    assert source.since == datetime(2026, 11, 1, tzinfo=UTC)
    assert '"since":"2026-11-01T00:00:00Z"' in declared({"sources": {"a": EXPLORER}}).sources_parameter


def test_a_rate_is_exact_though_json_has_floats_only() -> None:
    rates = {"cpu_hour": 0.1, "memory_gb_hour": 0.2, "disk_gb_hour": 1e-4}
    written = json.loads(declared({"sources": {"a": {**CARD, "rates": rates}}}).sources_parameter)["a"]["rates"]

    assert {name: Decimal(it) for name, it in written.items()} == {
        "cpu_hour": Decimal("0.1"),
        "memory_gb_hour": Decimal("0.2"),
        "disk_gb_hour": Decimal("0.0001"),
    }


def test_every_mistake_is_named_at_once() -> None:
    document = {
        "sources": {
            "Own": EXPLORER,
            "a": {**EXPLORER, "account": "1", "since": "2026-11-01T00:30:00Z", "target": "", "more": 1},
            "b": {"kind": "aws"},
            "c": {"kind": "azure-cost-query", "since": "2026-11-01T00:00:00", "subscription": "x"},
            "d": {**EXPORT, "bucket": "B", "prefix": "a*", "export": ""},
            "e": {**CARD, "currency": "Euro", "rates": {"cpu_hour": -1}},
        },
        "budgets": {"f": {"amount": 0, "currency": "EUR", "period": "day", "thresholds": []}},
        "former": {"g": "yesterday"},
        "source": {},
    }

    assert [it.partition(": ")[0].removeprefix("billing.") for it in mistakes(document)] == [
        "sources.Own.[key]",
        "sources.a.aws-cost-explorer.since",
        "sources.a.aws-cost-explorer.target",
        "sources.a.aws-cost-explorer.account",
        "sources.a.aws-cost-explorer.more",
        "sources.b",
        "sources.c.azure-cost-query.since",
        "sources.c.azure-cost-query.subscription",
        "sources.d.aws-data-export.bucket",
        "sources.d.aws-data-export.prefix",
        "sources.d.aws-data-export.export",
        "sources.e.rate-card.currency",
        "sources.e.rate-card.rates.cpu_hour",
        "sources.e.rate-card.rates.memory_gb_hour",
        "sources.e.rate-card.rates.disk_gb_hour",
        "former.g",
        "budgets.f.amount",
        "budgets.f.period",
        "budgets.f.thresholds",
        "source",
    ]


SUBSCRIPTION = {"kind": "azure-cost-query", "since": SINCE, "subscription": "AAAAAAAA-0000-0000-0000-000000000001"}
TABLE = "billing.exports.table"
PROJECT = {"kind": "gcp-bigquery", "since": SINCE, "project": "shop-427", "table": TABLE}
MANY = {f"s{number}": {**EXPLORER, "account": f"{number:012}"} for number in range(MOST_SOURCES + 1)}
LONG = {f"s{number}": {**PROJECT, "project": f"shop-{number}", "table": f"{'x' * 200}.a.b"} for number in range(40)}


@pytest.mark.parametrize(
    ("document", "mistake"),
    [
        ({"sources": {"a": EXPLORER, "b": EXPORT}}, "sources.b: bills the same as 'a', whose costs would be counted"),
        (
            {
                "sources": {
                    "a": SUBSCRIPTION,
                    "b": {**SUBSCRIPTION, "subscription": SUBSCRIPTION["subscription"].lower()},
                }
            },
            "sources.b: bills the same as 'a'",
        ),
        ({"sources": {"a": PROJECT, "b": {**PROJECT, "target": "payments"}}}, "sources.b: bills the same as 'a'"),
        ({"sources": {"a": CARD, "b": {**CARD, "currency": "USD"}}}, "sources.b: bills the same as 'a'"),
        (
            {"sources": {"a": {**EXPLORER, "target": "shop"}}},
            "sources.a.target: aws has no target 'shop'; declare it in targets.aws",
        ),
        (
            {"sources": {"a": {**CARD, "provider": "scvmm", "target": "payments"}}},
            "sources.a.target: scvmm has no target 'payments'; declare it in private_clouds",
        ),
        ({"sources": {"a": EXPLORER}, "former": {"a": SINCE}}, "sources.a: is among the former sources, too"),
        ({"former": {"a": SINCE}}, "former: there is nothing to collect from; declare a source"),
        (
            {"budgets": {"a": {"amount": 1, "currency": "EUR", "saga": "s"}}},
            "budgets: nothing says what is spent; declare a source",
        ),
        (
            {"sources": {"a": EXPLORER}, "budgets": {"a": {"amount": 1, "currency": "EUR"}}},
            "budgets.a: name what it is for: a saga, label, account, provider, service or source",
        ),
        (
            {"sources": {"a": EXPLORER}, "budgets": {"a": {"amount": 1, "currency": "EUR", "source": "b"}}},
            "budgets.a.source: 'b' is not declared; add it to billing.sources",
        ),
        ({"sources": MANY}, "sources: Dictionary should have at most 50 items"),
        ({"sources": LONG}, "sources: "),
        (
            {
                "sources": {
                    "a": {
                        "kind": "azure-cost-export",
                        "since": SINCE,
                        "subscription": SUBSCRIPTION["subscription"],
                        "account_url": "http://exports.example",
                        "container": "c",
                        "export": "e",
                    }
                }
            },
            "sources.a.azure-cost-export.account_url: ",
        ),
    ],
)
def test_what_cannot_be_is_refused(document: object, mistake: str) -> None:
    (found,) = mistakes(document)

    assert found.startswith(f"billing.{mistake}")
