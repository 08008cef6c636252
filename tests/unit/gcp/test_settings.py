"""What the Google Cloud functions read from their environment."""

from __future__ import annotations

import pytest

from lambdas.adapters.settings import MissingSettings
from lambdas.gcp.settings import GcpSettings


def test_only_the_project_has_to_be_given() -> None:
    settings = GcpSettings.from_environment({"GOOGLE_CLOUD_PROJECT": "shop"})
    assert settings.endpoint == "https://compute.googleapis.com"
    assert (settings.settling_seconds, settings.connect_timeout, settings.read_timeout) == (120, 3, 15)


def test_everything_can_be_set() -> None:
    environ = {
        "GOOGLE_CLOUD_PROJECT": "shop",
        "GOOGLE_COMPUTE_ENDPOINT": "http://127.0.0.1:1",
        "GOOGLE_SETTLING_SECONDS": "5",
        "GOOGLE_CONNECT_TIMEOUT": "1",
        "GOOGLE_READ_TIMEOUT": "2.5",
    }
    settings = GcpSettings.from_environment(environ)
    assert settings.endpoint == "http://127.0.0.1:1"
    assert (settings.settling_seconds, settings.connect_timeout, settings.read_timeout) == (5, 1, 2.5)


@pytest.mark.parametrize("environ", [{}, {"GOOGLE_CLOUD_PROJECT": ""}])
def test_a_missing_project_is_an_error_that_names_its_variable(environ: dict[str, str]) -> None:
    with pytest.raises(MissingSettings, match="GOOGLE_CLOUD_PROJECT"):
        GcpSettings.from_environment(environ)
