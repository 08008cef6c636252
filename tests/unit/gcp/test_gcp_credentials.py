"""Signing in to Google Cloud as a target says: by federation, by impersonation; kept, renewed, and refused in words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from google.auth.credentials import Credentials
from google.auth.transport.requests import Request

from lambdas.core.errors import RetryableError, StepError, TerminalError
from lambdas.core.targets import AwsTarget, GcpTarget
from lambdas.gcp.clients import GcpProjects
from lambdas.gcp.credentials import target_credentials
from lambdas.gcp.settings import GcpSettings
from lambdas.gcp.zone import Zone
from local.simulators.gcp import write_service_account
from tests.fakes.token_services import Refusal, TokenServices, token_services
from tests.unit.gcp.compute_engine import ZONE, compute_engine

POOL = "projects/1/locations/global/workloadIdentityPools/skysaga/providers/aws"
ACCOUNT = "skysaga@payments.iam.gserviceaccount.com"
PAYMENTS = GcpTarget(name="payments", project="payments", workload_identity_provider=POOL, service_account=ACCOUNT)
FEDERATED = GcpTarget(name="payments", project="payments", workload_identity_provider=POOL)
UNTRUSTED = {"error": "invalid_grant", "error_description": "The audience is not that of the provider"}
NOT_ALLOWED = {"error": {"code": 403, "message": "Permission 'iam.serviceAccounts.getAccessToken' denied"}}


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[TokenServices]:
    with token_services() as services:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "own")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "private")
        monkeypatch.setenv("AWS_SESSION_TOKEN", "session")
        yield services


def settings(google: TokenServices, **environ: str) -> GcpSettings:
    endpoints = {"GOOGLE_STS_ENDPOINT": google.url, "GOOGLE_IAM_CREDENTIALS_ENDPOINT": google.url}
    return GcpSettings.from_environment(
        {"GOOGLE_CLOUD_PROJECT": "shop", "AWS_REGION": "eu-west-1", **endpoints, **environ}
    )


def call(credentials: Credentials) -> str:
    """What a client does before each request; the token it would send."""
    headers: dict[str, str] = {}
    credentials.before_request(Request(), "GET", "http://127.0.0.1/", headers)  # type: ignore[no-untyped-call]
    return headers["authorization"]


def test_our_role_is_proven_by_a_signed_request_and_acts_as_the_service_account(google: TokenServices) -> None:
    assert call(target_credentials(settings(google), PAYMENTS)) == "Bearer token-2"

    (exchange,), (impersonation,) = google.of("token"), google.of("generateAccessToken")
    assert exchange["audience"] == f"//iam.googleapis.com/{POOL}"
    proof = json.loads(unquote(exchange["subject_token"]))
    assert proof["url"].startswith("https://sts.eu-west-1.amazonaws.com?Action=GetCallerIdentity")
    assert {it["key"]: it["value"] for it in proof["headers"]}["x-amz-security-token"] == "session"
    assert "private" not in exchange["subject_token"]
    assert f"/serviceAccounts/{ACCOUNT}:" in impersonation["path"]
    assert "compute" in impersonation["scope"]


def test_without_a_service_account_the_exchanged_token_is_what_is_used(google: TokenServices) -> None:
    assert call(target_credentials(settings(google), FEDERATED)) == "Bearer token-1"
    assert google.of("generateAccessToken") == []


def test_a_target_that_says_nothing_goes_by_what_the_deployment_says(google: TokenServices) -> None:
    own = settings(google, GOOGLE_WORKLOAD_IDENTITY_PROVIDER=POOL, GOOGLE_SERVICE_ACCOUNT=ACCOUNT)
    call(target_credentials(own, GcpTarget(name="payments", project="payments")))

    assert f"/serviceAccounts/{ACCOUNT}:" in google.of("generateAccessToken")[0]["path"]


def test_what_the_environment_describes_may_act_as_a_service_account(
    google: TokenServices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_service_account(tmp_path / "key.json", f"{google.url}/token")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
    target = GcpTarget(name="payments", project="payments", service_account=ACCOUNT)

    assert call(target_credentials(settings(google), target)).startswith("Bearer token-")
    assert len(google.of("generateAccessToken")) == 1


@pytest.mark.parametrize("target", [PAYMENTS, FEDERATED])
def test_a_token_is_asked_for_once(google: TokenServices, target: GcpTarget) -> None:
    credentials = target_credentials(settings(google), target)
    tokens = {call(credentials) for _ in range(3)}

    assert len(tokens) == 1
    assert len(google.of("token")) == 1


@pytest.mark.parametrize("target", [PAYMENTS, FEDERATED])
def test_a_token_that_expires_soon_is_renewed(google: TokenServices, target: GcpTarget) -> None:
    credentials = target_credentials(settings(google), target)
    google.seconds = 60
    first = call(credentials)
    google.seconds = 3600

    second = call(credentials)
    assert second != first
    assert call(credentials) == second


@pytest.mark.parametrize(
    ("refusals", "said", "error"),
    [
        ([Refusal(400, UNTRUSTED)], "The audience is not that of the provider", TerminalError),
        ([Refusal(403, {"error": "unauthorized_client"})], "unauthorized_client", TerminalError),
        ([Refusal(429, {"error": {"status": "RESOURCE_EXHAUSTED"}})], "429", RetryableError),
        ([Refusal(503, "down")], "503", RetryableError),
        ([Refusal(0)], "no answer", RetryableError),
    ],
)
def test_a_refused_exchange_says_which_target_it_was_for(
    google: TokenServices, refusals: list[Refusal], said: str, error: type[StepError]
) -> None:
    credentials = target_credentials(settings(google), PAYMENTS)
    google.refusals = refusals
    with pytest.raises(error, match=f"'payments'.*{said}") as raised:
        call(credentials)

    assert "session" not in str(raised.value)
    assert call(credentials).startswith("Bearer ")


@pytest.mark.parametrize(
    ("refusal", "error"), [(Refusal(403, NOT_ALLOWED), TerminalError), (Refusal(503, "down"), RetryableError)]
)
def test_a_refused_impersonation_says_which_target_it_was_for(
    google: TokenServices, monkeypatch: pytest.MonkeyPatch, refusal: Refusal, error: type[StepError]
) -> None:
    credentials = target_credentials(settings(google), PAYMENTS)
    answer = google.answer

    def refusing(path: str, body: str) -> Any:
        google.refusals = [refusal] if path.endswith(":generateAccessToken") else []
        return answer(path, body)

    monkeypatch.setattr(google, "answer", refusing)
    with pytest.raises(error, match="'payments'"):
        call(credentials)


def test_without_aws_credentials_nobody_is_asked(google: TokenServices, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with pytest.raises(TerminalError, match="no AWS credentials"):
        call(target_credentials(settings(google), PAYMENTS))

    assert google.asked == []


def test_each_target_is_asked_for_its_own_project_and_a_refusal_reaches_the_step(google: TokenServices) -> None:
    with compute_engine() as cloud:
        projects = GcpProjects(settings(google, GOOGLE_COMPUTE_ENDPOINT=cloud.url))
        for target in (FEDERATED, FEDERATED.model_copy(update={"project": "elsewhere"})):
            clients = projects.of(target)
            Zone(clients, clients.project, ZONE).instance("web")
        google.refusals = [Refusal(400, UNTRUSTED)]
        refused = projects.of(FEDERATED.model_copy(update={"name": "other"}))
        with pytest.raises(TerminalError, match="'other'"):
            Zone(refused, refused.project, ZONE).instance("web")
        asked = [call.path.split("/")[4] for call in cloud.simulator.log]

    assert asked == ["payments", "elsewhere"]


def test_another_clouds_target_is_refused(google: TokenServices) -> None:
    with pytest.raises(TerminalError, match="not a target on Google Cloud"):
        GcpProjects(settings(google)).of(AwsTarget())
