"""Costs as a deployment puts them together: from the environment, over the account's own services."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from lambdas.adapters import clients
from lambdas.adapters.costs import deployed_costs, deployed_saga_costs
from lambdas.adapters.summarising import deployed_summarising
from lambdas.adapters.windows import DynamoWindows
from lambdas.core.billing.questions import parse_question
from lambdas.core.billing.spans import window_name, window_of
from lambdas.core.billing.windows import SourceState
from tests.unit.athena.conftest import Place
from tests.unit.athena.costs import DATABASE, TABLE, WORKGROUP, Charge

NOW = window_of(datetime.now(UTC))
TODAY = NOW.date()
SINCE = NOW - timedelta(days=3)
SOURCES = {"payments": {"kind": "aws-cost-explorer", "since": SINCE.isoformat(), "account": "123456789012"}}
BUDGETS = {"team": {"label": "team=payments", "amount": "10", "currency": "USD", "period": "total"}}


@pytest.fixture(autouse=True)
def _deployment(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {
        "AWS_ENDPOINT_URL": place.url,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": "us-east-1",
        "POWERTOOLS_SERVICE_NAME": "billing",
        "WINDOWS_TABLE": "skysaga-windows",
        "SOURCES_PARAMETER": "/skysaga/billing/sources",
        "BUDGETS_PARAMETER": "/skysaga/billing/budgets",
        "COSTS_WORKGROUP": WORKGROUP,
        "COSTS_DATABASE": DATABASE,
        "COSTS_TABLE": TABLE,
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for name, document in (("sources", SOURCES), ("budgets", BUDGETS)):
        place.client("ssm").put_parameter(Name=f"/skysaga/billing/{name}", Value=json.dumps(document), Type="String")
    keys: Any = [("pk", "HASH"), ("sk", "RANGE")]
    place.client("dynamodb").create_table(
        TableName="skysaga-windows",
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
        BillingMode="PAY_PER_REQUEST",
    )
    start = NOW - timedelta(hours=6)
    place.put(Charge("9.5", start, saga="s1", tags={"team": "payments"}), Charge("3", start, "EUR"), start=start)


def test_a_question_is_answered_with_how_fresh_its_sources_are() -> None:
    state = SourceState(source="payments", since=SINCE, closed_through=SINCE, collected_at=NOW)
    DynamoWindows(clients.dynamodb(), "skysaga-windows").change_state("payments", lambda _: state)
    question = parse_question({"group_by": "saga", "from": SINCE.date().isoformat()}, TODAY)
    page = deployed_costs().ask(question, None, 10)
    assert [(it.keys, it.currency, it.amounts.billed) for it in page.lines] == [
        (("s1",), "USD", Decimal("9.5")),
        ((None,), "EUR", Decimal(3)),
    ]
    [fresh] = page.freshness
    assert (fresh.source, fresh.collected_at, fresh.late) == ("payments", NOW, True)


def test_a_summary_is_kept_and_a_budget_announced(capsys: pytest.CaptureFixture[str]) -> None:
    steps, window = deployed_summarising(), window_name(NOW)
    results = [steps.summarise(window)["status"] for _ in range(2)]
    assert results == ["DONE", "DONE"]
    cost = deployed_saga_costs().of("s1")
    assert cost is not None
    assert [(it.currency, it.billed) for it in cost.costs] == [("USD", Decimal("9.5"))]
    assert (cost.window, cost.late) == (window, ["payments"])
    table = clients.dynamodb().scan(TableName="skysaga-windows")["Items"]
    noted = [it for it in table if it["pk"]["S"] == "BUDGET#team"]
    assert [(it["sk"]["S"], it["announced"]["BOOL"]) for it in noted] == [("total#080", True)]
    assert '"BillingLateSources":[1.0]' in capsys.readouterr().out.replace(" ", "")
