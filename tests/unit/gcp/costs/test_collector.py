"""Who reads a source: as the target that the source names, with no more of Google's scopes than it takes."""

from __future__ import annotations

import json
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws
from pydantic import ValidationError

from lambdas.core.billing.sources import CostQuery
from lambdas.core.errors import TerminalError
from lambdas.core.targets import GcpTarget
from lambdas.gcp.collector import cost_source
from lambdas.gcp.costs.bigquery import BigQueryCosts
from lambdas.gcp.settings import GcpSettings
from tests.fakes.token_services import token_services
from tests.unit.gcp.costs.exports import DAY, SOURCE

POOL = "projects/1/locations/global/workloadIdentityPools/skysaga/providers/aws"
ACCOUNT = "skysaga@billing.iam.gserviceaccount.com"
TARGETS = {
    "default": {"project": "shop"},
    "billing": {"project": "billing", "workload_identity_provider": POOL, "service_account": ACCOUNT},
}
PARAMETER = "/skysaga/targets/gcp"


@pytest.fixture(autouse=True)
def deployment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "own",
        "AWS_SECRET_ACCESS_KEY": "private",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "GOOGLE_CLOUD_PROJECT": "shop",
        "TARGET_PARAMETERS": json.dumps({"gcp": PARAMETER}),
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        boto3.client("ssm").put_parameter(Name=PARAMETER, Type="String", Value=json.dumps(TARGETS))
        yield


def test_a_source_is_read_as_the_target_that_it_names() -> None:
    source = cost_source(SOURCE.model_copy(update={"target": "billing"}))
    assert isinstance(source, BigQueryCosts)
    assert source._target == GcpTarget(
        name="billing", project="billing", workload_identity_provider=POOL, service_account=ACCOUNT
    )


def test_a_source_whose_target_is_gone_is_the_operators() -> None:
    with pytest.raises(TerminalError, match="'gone' is not declared"):
        cost_source(SOURCE.model_copy(update={"target": "gone"}))


def test_a_source_of_another_cloud_is_refused() -> None:
    with pytest.raises(TerminalError, match="not a source on Google Cloud"):
        cost_source(CostQuery(name="azure", subscription="0", since=SOURCE.since))


def test_the_service_account_is_impersonated_for_bigquery_alone() -> None:
    with token_services() as google:
        environ = {"GOOGLE_CLOUD_PROJECT": "shop", "GOOGLE_BIGQUERY_ENDPOINT": google.url}
        endpoints = {"GOOGLE_STS_ENDPOINT": google.url, "GOOGLE_IAM_CREDENTIALS_ENDPOINT": google.url}
        settings = GcpSettings.from_environment({**environ, **endpoints})
        target = GcpTarget(project="billing", workload_identity_provider=POOL, service_account=ACCOUNT)
        _call(BigQueryCosts(SOURCE, settings, target))
        (impersonation,) = google.of("generateAccessToken")

    assert "auth/bigquery" in impersonation["scope"]
    assert "compute" not in impersonation["scope"]
    assert f"/serviceAccounts/{ACCOUNT}:" in impersonation["path"]


def _call(costs: BigQueryCosts) -> None:
    """The token services answer with a token, which is no query, so what comes after the sign-in does not matter."""
    with pytest.raises(ValidationError):
        costs.page(DAY, None, None)
