"""Answering the tasks that state machines wait for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber

from lambdas.adapters.executions import StepFunctionsTasks
from lambdas.core.errors import RetryableError
from lambdas.core.steps.results import Next

TOKEN = "token-1"
CALLS: dict[str, Callable[[StepFunctionsTasks], object]] = {
    "send_task_success": lambda tasks: tasks.succeed(TOKEN, {"next": Next.DONE, "delay": 0}),
    "send_task_failure": lambda tasks: tasks.fail(TOKEN, "TerminalError", "Code: what happened"),
    "send_task_heartbeat": lambda tasks: tasks.beat(TOKEN),
}


@pytest.fixture
def client() -> Any:
    return boto3.client("stepfunctions", config=Config(retries={"total_max_attempts": 1}))


@pytest.fixture
def stubber(client: Any) -> Iterator[Stubber]:
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def test_a_success_is_the_result_as_json(client: Any, stubber: Stubber) -> None:
    output = json.dumps({"next": "DONE", "delay": 0})
    stubber.add_response("send_task_success", {}, {"taskToken": TOKEN, "output": output})
    CALLS["send_task_success"](StepFunctionsTasks(client))


def test_a_failure_has_the_name_that_is_caught_and_a_cause_that_fits(client: Any, stubber: Stubber) -> None:
    expected = {"taskToken": TOKEN, "error": "TerminalError", "cause": "x" * 32_768}
    stubber.add_response("send_task_failure", {}, expected)
    StepFunctionsTasks(client).fail(TOKEN, "TerminalError", "x" * 40_000)


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize("code", ["TaskDoesNotExist", "TaskTimedOut"])
def test_what_nobody_waits_for_any_more_is_left_alone(client: Any, stubber: Stubber, method: str, code: str) -> None:
    stubber.add_client_error(method, code)
    CALLS[method](StepFunctionsTasks(client))


@pytest.mark.parametrize("method", CALLS)
def test_any_other_refusal_is_retried(client: Any, stubber: Stubber, method: str) -> None:
    stubber.add_client_error(method, "ThrottlingException", http_status_code=429)
    with pytest.raises(RetryableError, match="ThrottlingException"):
        CALLS[method](StepFunctionsTasks(client))
