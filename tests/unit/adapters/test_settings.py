"""What functions read from their environment."""

from __future__ import annotations

import json
from datetime import UTC

import pytest
from pydantic import ValidationError

from lambdas.adapters.clock import SystemClock
from lambdas.adapters.settings import ApiSettings, LedgerSettings, MissingSettings, SagaSettings
from lambdas.aws.settings import AwsSettings


def test_every_missing_variable_is_named_at_once() -> None:
    with pytest.raises(MissingSettings) as missing:
        ApiSettings.from_environment({"LEDGER_TABLE": "", "RELEASE_STATE_MACHINE": "arn"})
    assert "LEDGER_TABLE, CHECK_FUNCTIONS, PROVISIONING_STATE_MACHINE, SWEEP_STATE_MACHINE;" in str(missing.value)


def test_other_variables_are_ignored() -> None:
    assert LedgerSettings.from_environment({"LEDGER_TABLE": "ledger", "PATH": "/bin"}).table == "ledger"


def test_the_functions_of_each_provider_are_read_from_json() -> None:
    functions = {"aws": {"create": "arn:1", "observe": "arn:2", "delete": "arn:3"}}
    environment = {"LEDGER_TABLE": "ledger", "PROVIDER_FUNCTIONS": json.dumps(functions)}
    assert SagaSettings.from_environment(environment).provider_functions == functions


def test_json_that_is_none_is_refused() -> None:
    with pytest.raises(ValidationError):
        SagaSettings.from_environment({"LEDGER_TABLE": "ledger", "PROVIDER_FUNCTIONS": "{"})


def test_aws_has_defaults_that_the_environment_overrides() -> None:
    settings = AwsSettings.from_environment({"AWS_SETTLING_SECONDS": "3.5"})
    assert (settings.settling_seconds, settings.connect_timeout) == (3.5, AwsSettings().connect_timeout)


def test_a_call_of_ec2_ends_well_before_its_function_does() -> None:
    assert AwsSettings().connect_timeout + AwsSettings().read_timeout < 30


def test_something_counts_as_gone_only_after_every_function_that_could_create_it_has_ended() -> None:
    assert AwsSettings().settling_seconds > 30


def test_the_clock_is_in_utc() -> None:
    assert SystemClock().now().tzinfo is UTC
