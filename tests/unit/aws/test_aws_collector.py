"""The collector of AWS: who reads which source, in whose account."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from lambdas.aws import collector
from lambdas.aws.collector import cost_source
from lambdas.aws.costs.cost_explorer import CostExplorerCosts
from lambdas.aws.costs.data_exports import DataExportCosts
from lambdas.core.billing.sources import BigQueryExport, DataExport
from lambdas.core.errors import TerminalError
from local.aws.clients import create_client
from tests.fakes.token_services import TokenServices, token_services
from tests.unit.aws.billing import ACCOUNT, BUCKET, EXPORT, NOON, SINCE, Account, billed_account, explorer_source, rows

PARAMETER = "/skysaga/targets/aws"
WEEK = explorer_source().calendar.period_of(NOON)._replace(end=NOON)


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    collector._accounts.cache_clear()
    with billed_account(monkeypatch.setenv) as account:
        monkeypatch.setenv("TARGET_PARAMETERS", json.dumps({"aws": PARAMETER}))
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        declare(account, {})
        yield account
    collector._accounts.cache_clear()


def declare(account: Account, targets: dict[str, dict[str, str]]) -> None:
    ssm = create_client("ssm", account.s3.meta.endpoint_url, "us-east-1")
    ssm.put_parameter(Name=PARAMETER, Value=json.dumps(targets), Type="String", Overwrite=True)


def test_each_kind_of_source_is_read_by_its_client(account: Account) -> None:
    exported = DataExport(name="exported", since=SINCE, account=ACCOUNT, bucket=BUCKET, export=EXPORT)

    assert isinstance(cost_source(explorer_source()), CostExplorerCosts)
    assert isinstance(cost_source(exported), DataExportCosts)


def test_a_source_in_a_declared_target_is_read_as_its_role(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    declare(account, {"payer": {"role_arn": "arn:aws:iam::210987654321:role/skysaga-target", "external_id": "agreed"}})
    source = cost_source(explorer_source(target="payer"))
    with token_services() as services:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", services.url)
        assert rows(source, WEEK) == []
        assumed(services)


def assumed(services: TokenServices) -> None:
    (sent,) = services.of("AssumeRole")
    assert (sent["RoleArn"], sent["ExternalId"]) == ("arn:aws:iam::210987654321:role/skysaga-target", "agreed")


def test_a_target_that_is_not_declared_any_more_is_refused(account: Account) -> None:
    with pytest.raises(TerminalError, match="the target 'payer' is not declared any more"):
        cost_source(explorer_source(target="payer"))


def test_a_source_of_another_cloud_is_refused(account: Account) -> None:
    source = BigQueryExport(name="google", since=SINCE, project="p", table="p.d.t")

    with pytest.raises(TerminalError, match="google is not a source on AWS"):
        cost_source(source)


def test_hours_are_closed_before_cost_explorer_forgets_them() -> None:
    assert explorer_source().rhythm.reach is None
    reach = explorer_source(hourly=True).rhythm.reach
    assert reach is not None
    assert reach <= timedelta(days=11)


def test_a_source_groups_by_one_tag() -> None:
    with pytest.raises(ValueError, match="tag_keys"):
        explorer_source(tag_keys=("skysaga-saga", "skysaga-resource"))
