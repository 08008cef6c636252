"""Cost Explorer in the local account: reached like every service, and its faults are armed below a path of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.request import Request, urlopen

import pytest
from botocore.exceptions import ClientError

from local.aws.account import COST_EXPLORER_FAULTS
from local.aws.clients import create_client
from tests.unit.aws.billing import Account, billed_account, charge
from tests.unit.aws.test_cost_explorer import MONDAY

QUERY: dict[str, Any] = {
    "TimePeriod": {"Start": "2026-11-23", "End": "2026-11-24"},
    "Granularity": "DAILY",
    "Metrics": ["UnblendedCost"],
    "GroupBy": [{"Type": "DIMENSION", "Key": "SERVICE"}],
}


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    with billed_account(monkeypatch.setenv) as account:
        yield account


@pytest.fixture
def explorer(account: Account) -> Any:
    return create_client("ce", account.s3.meta.endpoint_url, "us-east-1")


def test_its_faults_are_armed_over_http(account: Account, explorer: Any) -> None:
    fault = json.dumps([{"operation": "GetCostAndUsage", "fault": "throttle"}]).encode()
    with urlopen(Request(f"{account.s3.meta.endpoint_url}{COST_EXPLORER_FAULTS}faults", fault)) as answer:  # noqa: S310
        assert answer.status == 204

    with pytest.raises(explorer.exceptions.LimitExceededException):
        explorer.get_cost_and_usage(**QUERY)
    assert explorer.get_cost_and_usage(**QUERY)["ResultsByTime"][0]["Groups"] == []


def test_it_answers_as_the_sdk_expects(account: Account, explorer: Any) -> None:
    account.bill.add([charge(1, MONDAY, "0.25")])

    (day,) = explorer.get_cost_and_usage(**QUERY)["ResultsByTime"]
    assert day["TimePeriod"] == {"Start": "2026-11-23", "End": "2026-11-24"}
    assert day["Groups"][0]["Metrics"] == {"UnblendedCost": {"Amount": "0.25", "Unit": "USD"}}
    assert day["Estimated"] is True


@pytest.mark.parametrize(
    "change",
    [
        {"Granularity": "HOURLY"},
        {"Granularity": "MONTHLY"},
        {"Metrics": ["BlendedCost"]},
        {"GroupBy": [{"Type": "DIMENSION", "Key": "SERVICE"}] * 3},
        {"GroupBy": [{"Type": "DIMENSION", "Key": "AZ"}]},
        {"TimePeriod": {"Start": "2026-11-24", "End": "2026-11-24"}},
        {
            "Granularity": "HOURLY",
            "TimePeriod": {"Start": "2026-11-12T00:00:00Z", "End": "2026-11-13T00:00:00Z"},
        },
    ],
)
def test_what_it_would_refuse_or_cannot_play_it_refuses(
    account: Account, explorer: Any, change: dict[str, Any]
) -> None:
    account.bill.add([charge(1, MONDAY)])

    with pytest.raises(ClientError, match="ValidationException"):
        explorer.get_cost_and_usage(**QUERY | change)


def test_it_plays_one_operation(explorer: Any) -> None:
    with pytest.raises(ClientError, match="UnknownOperationException"):
        explorer.get_dimension_values(TimePeriod=QUERY["TimePeriod"], Dimension="SERVICE")
