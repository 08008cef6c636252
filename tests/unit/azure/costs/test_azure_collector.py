"""The collector of Azure's costs: it knows its sources and its targets, and loads no more than they need."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from lambdas.azure.collector import cost_source
from lambdas.azure.costs.cost_exports import CostExportCosts
from lambdas.azure.costs.cost_query import CostQueryCosts
from lambdas.core.billing.sources import CostExplorer, CostExport, CostQuery
from lambdas.core.errors import TerminalError
from tests.unit.azure.costs.billed import SUBSCRIPTION, at

SINCE = at("2026-11-01")
PARAMETER = "/skysaga/targets/azure"


@pytest.fixture(autouse=True)
def _declared(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AZURE_SUBSCRIPTION_ID", SUBSCRIPTION)
    monkeypatch.setenv("TARGET_PARAMETERS", f'{{"azure": "{PARAMETER}"}}')
    with mock_aws():
        value = f'{{"payments": {{"subscription_id": "{SUBSCRIPTION}"}}}}'
        boto3.client("ssm").put_parameter(Name=PARAMETER, Value=value, Type="String")
        yield


def query(**changes: Any) -> CostQuery:
    return CostQuery(name="q", since=SINCE, subscription=SUBSCRIPTION, **changes)


@pytest.mark.parametrize("target", ["default", "payments"])
def test_a_subscription_is_queried_as_its_target(target: str) -> None:
    assert isinstance(cost_source(query(target=target)), CostQueryCosts)


def test_an_export_is_read_from_its_account() -> None:
    source = CostExport(
        name="x",
        since=SINCE,
        subscription=SUBSCRIPTION,
        account_url="https://costs.blob.core.windows.net",
        container="costs",
        export="focus",
    )

    assert isinstance(cost_source(source), CostExportCosts)


def test_a_target_that_is_not_declared_any_more_is_named() -> None:
    with pytest.raises(TerminalError, match="'gone'"):
        cost_source(query(target="gone"))


def test_a_source_of_another_cloud_is_refused() -> None:
    with pytest.raises(TerminalError, match="a is not a source on Azure"):
        cost_source(CostExplorer(name="a", since=SINCE, account="123456789012"))


def test_the_collector_loads_nothing_that_only_machines_need() -> None:
    program = "import sys, lambdas.azure.collector; print(*(it for it in sys.modules if it.startswith('azure.')))"
    loaded = subprocess.run(  # noqa: S603
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stdout.split()

    assert "azure.core" in loaded
    assert not [it for it in loaded if it.startswith(("azure.mgmt.compute", "azure.mgmt.network"))]
