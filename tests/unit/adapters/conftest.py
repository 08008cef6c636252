"""What boto3 and Powertools need to work at all, and what the functions write."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from lambdas.adapters.observability import logger


@pytest.fixture(autouse=True)
def aws_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "LEDGER_TABLE": "ledger",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def log_text(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What is logged from here on."""
    stream = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", stream)
    return stream


@pytest.fixture
def log_lines(log_text: io.StringIO) -> Callable[[], list[dict[str, Any]]]:
    """The log's lines so far, each of which must be a JSON document."""
    return lambda: [json.loads(line) for line in log_text.getvalue().splitlines()]


class Context:
    """What a handler reads of its Lambda context."""

    function_name = "step"
    memory_limit_in_mb = 256
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:step"
    aws_request_id = "request-1"


@pytest.fixture
def context() -> Context:
    return Context()
