"""The command line, with the environment variables of AWS's Step Functions Local as its defaults."""

import pytest

from local.clock import VirtualClock
from local.stepfunctions.__main__ import build_engine, parse_arguments


def test_the_environment_of_step_functions_local_sets_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMBDA_ENDPOINT", "http://127.0.0.1:9001")
    monkeypatch.setenv("AWS_ACCOUNT_ID", "111122223333")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("WAIT_TIME_SCALE", "0.5")
    options = parse_arguments([])
    assert (options.port, options.lambda_endpoint) == (8083, "http://127.0.0.1:9001")
    engine = build_engine(options)
    arn = engine.create_state_machine("m", '{"StartAt":"S","States":{"S":{"Type":"Succeed"}}}')
    engine.close()
    assert arn == "arn:aws:states:eu-west-1:111122223333:stateMachine:m"
    assert engine.core.wait_scale == 0.5


def test_services_have_endpoints_of_their_own_or_share_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQS_ENDPOINT", "http://queues")
    engine = build_engine(parse_arguments(["--virtual", "--seed", "3", "--aws-endpoint", "http://rest"]))
    endpoints = engine.calls.endpoints
    assert (endpoints.of("sqs"), endpoints.of("s3")) == ("http://queues", "http://rest")
    assert isinstance(engine.clock, VirtualClock)
