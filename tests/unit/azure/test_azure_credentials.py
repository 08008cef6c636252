"""Who we are to Azure, and how the bearer token travels."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from azure.identity import ClientAssertionCredential, EnvironmentCredential, ManagedIdentityCredential
from botocore.session import Session
from botocore.stub import Stubber

from lambdas.azure.clients import AzureClients
from lambdas.azure.credentials import azure_credential, web_identity_token
from lambdas.azure.errors import translated
from lambdas.azure.settings import AzureSettings
from lambdas.core.errors import RetryableError
from local.simulators.faults import FaultKind
from tests.unit.azure.simulated import GROUP, SUBSCRIPTION, SimulatedAzure, disk_body

TENANT = "11111111-1111-1111-1111-111111111111"
CLIENT = "22222222-2222-2222-2222-222222222222"


def settings(**environ: str) -> AzureSettings:
    return AzureSettings.from_environment({"AZURE_SUBSCRIPTION_ID": SUBSCRIPTION, **environ})


@pytest.fixture
def managed_identity(azure: SimulatedAzure, monkeypatch: pytest.MonkeyPatch) -> AzureSettings:
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{azure.url}/_identity/token")
    monkeypatch.setenv("IDENTITY_HEADER", "local")
    return settings(AZURE_RESOURCE_MANAGER_ENDPOINT=azure.url, IDENTITY_ENDPOINT=f"{azure.url}/_identity/token")


def test_the_functions_role_is_what_is_tried_last() -> None:
    kinds = [type(it) for it in azure_credential(settings(AZURE_TENANT_ID=TENANT, AZURE_CLIENT_ID=CLIENT)).credentials]
    assert kinds[0] is EnvironmentCredential
    assert kinds[-1] is ClientAssertionCredential


def test_a_managed_identity_is_tried_only_where_its_endpoint_is_given() -> None:
    def kinds(**environ: str) -> list[type]:
        return [type(credential) for credential in azure_credential(settings(**environ)).credentials]

    assert ManagedIdentityCredential not in kinds()
    assert ManagedIdentityCredential in kinds(IDENTITY_ENDPOINT="http://127.0.0.1:1/_identity/token")


def test_the_role_is_proven_by_a_token_that_sts_signs_for_azure_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    sts = boto3.client("sts", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    asked = {"Audience": ["api://AzureADTokenExchange"], "SigningAlgorithm": "RS256"}

    class Role(Session):
        def create_client(self, *_: Any, **__: Any) -> Any:
            return sts

    monkeypatch.setattr("lambdas.azure.credentials.session", Role)
    with Stubber(sts) as stub:
        stub.add_response("get_web_identity_token", {"WebIdentityToken": "signed"}, asked)
        assert web_identity_token(settings()) == "signed"


def test_the_token_is_fetched_once_and_sent_with_every_call(
    azure: SimulatedAzure, managed_identity: AzureSettings
) -> None:
    clients = AzureClients(managed_identity)
    assert list(clients.compute.disks.list()) == []
    assert list(clients.network.network_interfaces.list_all()) == []
    operations = [call.operation for call in azure.simulator.log]
    assert operations == ["ManagedIdentity_Token", "Disks_List", "NetworkInterfaces_List"]


def test_an_identity_that_gives_no_token_is_retryable(
    azure: SimulatedAzure, managed_identity: AzureSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{azure.url}/nowhere")
    with pytest.raises(RetryableError, match="no token"), translated():
        list(AzureClients(managed_identity).compute.disks.list())


def test_the_sdk_sends_a_put_once_whatever_becomes_of_it(
    azure: SimulatedAzure, managed_identity: AzureSettings
) -> None:
    azure.arm("Disks_CreateOrUpdate", FaultKind.ERROR, times=None)
    with pytest.raises(RetryableError), translated():
        AzureClients(managed_identity).compute.disks.begin_create_or_update(GROUP, "data", disk_body())
    assert [call.operation for call in azure.simulator.log].count("Disks_CreateOrUpdate") == 1
