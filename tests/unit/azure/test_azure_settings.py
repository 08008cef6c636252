"""What the Azure functions take from their environment."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from lambdas.adapters.settings import MissingSettings
from lambdas.azure.settings import AzureSettings


def test_a_missing_subscription_is_named() -> None:
    with pytest.raises(MissingSettings, match="AZURE_SUBSCRIPTION_ID"):
        AzureSettings.from_environment({})


def test_everything_else_has_a_default() -> None:
    settings = AzureSettings.from_environment({"AZURE_SUBSCRIPTION_ID": "s"})
    assert settings.endpoint == "https://management.azure.com"
    assert (settings.settling_seconds, settings.connect_timeout, settings.read_timeout) == (120, 3, 15)


def test_a_trailing_slash_of_the_endpoint_does_not_matter() -> None:
    environ = {"AZURE_SUBSCRIPTION_ID": "s", "AZURE_RESOURCE_MANAGER_ENDPOINT": "http://127.0.0.1:8080/"}
    assert AzureSettings.from_environment(environ).endpoint == "http://127.0.0.1:8080"


def test_plain_http_to_another_machine_is_refused() -> None:
    environ = {"AZURE_SUBSCRIPTION_ID": "s", "AZURE_RESOURCE_MANAGER_ENDPOINT": "http://management.example.com"}
    with pytest.raises(ValidationError, match="https"):
        AzureSettings.from_environment(environ)
