"""Signing in to Azure as a target's client: proven by our AWS role, kept, renewed in time; refusals say where."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lambdas.azure.clients import AzureClients, AzureSubscriptions
from lambdas.azure.credentials import SignIn
from lambdas.azure.pipeline import SCOPE
from lambdas.azure.settings import AzureSettings
from lambdas.core.errors import RetryableError, StepError, TerminalError
from lambdas.core.targets import AwsTarget, AzureTarget
from tests.fakes.token_services import Refusal, TokenServices, entra_refusal, sts_refusal, token_services
from tests.unit.azure.simulated import SUBSCRIPTION, SimulatedAzure

TENANT = "11111111-1111-1111-1111-111111111111"
CLIENT = "22222222-2222-2222-2222-222222222222"
PAYMENTS = AzureTarget(name="payments", subscription_id=SUBSCRIPTION, tenant_id=TENANT, client_id=CLIENT)
ELSEWHERE = "00000000-0000-0000-0000-000000000002"


@pytest.fixture
def sts(monkeypatch: pytest.MonkeyPatch) -> Iterator[TokenServices]:
    with token_services() as services:
        monkeypatch.setenv("AWS_ENDPOINT_URL", services.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "own")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "own")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        yield services


@pytest.fixture
def entra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TokenServices]:
    with token_services(tmp_path) as services:
        monkeypatch.setenv("AZURE_AUTHORITY_HOST", services.url)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "token-services.pem"))
        yield services


def settings(**environ: str) -> AzureSettings:
    return AzureSettings.from_environment({"AZURE_SUBSCRIPTION_ID": SUBSCRIPTION, **environ})


def test_the_role_is_proven_to_the_targets_tenant_as_its_client(sts: TokenServices, entra: TokenServices) -> None:
    token = SignIn(settings(), PAYMENTS).get_token(SCOPE)

    assert token.token == "token-1"
    (proof,) = sts.of("GetWebIdentityToken")
    assert (proof["Audience.member.1"], proof["SigningAlgorithm"]) == ("api://AzureADTokenExchange", "RS256")
    (asked,) = entra.of("token")
    assert asked["path"] == f"/{TENANT}/oauth2/v2.0/token"
    assert (asked["client_id"], asked["client_assertion"], asked["scope"]) == (CLIENT, "token-1", SCOPE)


def test_a_token_is_asked_for_once(sts: TokenServices, entra: TokenServices) -> None:
    credential = SignIn(settings(), PAYMENTS)

    assert len({credential.get_token(SCOPE).token for _ in range(3)}) == 1
    assert (len(sts.asked), len(entra.asked)) == (1, 1)


def test_a_token_is_renewed_minutes_before_it_expires_with_a_new_proof(
    sts: TokenServices, entra: TokenServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    credential = SignIn(settings(), PAYMENTS)
    started = time.time()
    tokens = []
    for passed in (0, 3200, 3400):
        monkeypatch.setattr(time, "time", lambda passed=passed: started + passed)
        tokens.append(credential.get_token(SCOPE).token)

    assert tokens == ["token-1", "token-1", "token-2"]
    assert [it["client_assertion"] for it in entra.of("token")] == ["token-1", "token-2"]


@pytest.mark.parametrize(
    ("refusal", "code", "error"),
    [
        (entra_refusal(700213), "AADSTS700213", TerminalError),  # nothing trusts this subject
        (entra_refusal(700212), "AADSTS700212", TerminalError),  # nothing trusts this audience
        (entra_refusal(700016, "unauthorized_client", 400), "AADSTS700016", TerminalError),  # no such application
        (entra_refusal(700024), "AADSTS700024", RetryableError),  # the proof is too old
        (entra_refusal(90055, "temporarily_unavailable", 429), "AADSTS90055", RetryableError),
        (Refusal(503, {"error": "temporarily_unavailable"}), "ClientAuthenticationError", RetryableError),
        (Refusal(0), "ServiceRe", RetryableError),
    ],
)
def test_a_refused_sign_in_says_which_target_it_was_for(
    sts: TokenServices, entra: TokenServices, refusal: Refusal, code: str, error: type[StepError]
) -> None:
    credential = SignIn(settings(), PAYMENTS)
    entra.refusals = [refusal]
    with pytest.raises(error, match=f"^{code}.*'payments'") as raised:
        credential.get_token(SCOPE)

    assert "token-1" not in str(raised.value)
    assert credential.get_token(SCOPE).token


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (sts_refusal("OutboundWebIdentityFederationDisabledException"), TerminalError),
        (sts_refusal("AccessDenied"), TerminalError),
        (sts_refusal("Throttling", 400), RetryableError),
        (Refusal(503, "down"), RetryableError),
        (Refusal(0), RetryableError),
    ],
)
@pytest.mark.parametrize("target", [PAYMENTS, None])
def test_without_a_proof_of_our_role_entra_is_not_asked(
    sts: TokenServices, entra: TokenServices, refusal: Refusal, error: type[StepError], target: AzureTarget | None
) -> None:
    sts.refusals = [refusal]
    with pytest.raises(error, match=r"aws iam enable-outbound-web-identity-federation|STS sign"):
        SignIn(settings(AZURE_TENANT_ID=TENANT, AZURE_CLIENT_ID=CLIENT), target).get_token(SCOPE)

    assert entra.asked == []


def test_a_target_without_a_client_is_signed_in_to_as_the_deployments_own(
    sts: TokenServices, entra: TokenServices
) -> None:
    SignIn(settings(AZURE_TENANT_ID=TENANT, AZURE_CLIENT_ID=CLIENT), AzureTarget(subscription_id="s")).get_token(SCOPE)

    assert [it["client_id"] for it in entra.of("token")] == [CLIENT]


def test_what_the_sdk_is_refused_a_token_for_leaves_as_a_step_error(sts: TokenServices, entra: TokenServices) -> None:
    entra.refusals = [entra_refusal(700213)]
    with pytest.raises(TerminalError, match="federated credential"):
        list(AzureClients(settings(), PAYMENTS).compute.disks.list())


def test_each_target_is_asked_for_its_own_subscription(
    azure: SimulatedAzure, sts: TokenServices, entra: TokenServices
) -> None:
    subscriptions = AzureSubscriptions(settings(AZURE_RESOURCE_MANAGER_ENDPOINT=azure.url))
    for target in (PAYMENTS, PAYMENTS.model_copy(update={"subscription_id": ELSEWHERE}), PAYMENTS):
        list(subscriptions.of(target).compute.disks.list())

    asked = [call.path.split("/")[2] for call in azure.simulator.log]
    assert asked == [SUBSCRIPTION, ELSEWHERE, SUBSCRIPTION]
    assert len(entra.asked) == 2


def test_another_clouds_target_is_refused() -> None:
    with pytest.raises(TerminalError, match="not a target on Azure"):
        AzureSubscriptions(settings()).of(AwsTarget())
