"""Starting state machines on Step Functions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ConnectTimeoutError
from botocore.stub import Stubber

from lambdas.adapters.executions import StepFunctionsExecutions
from lambdas.core.errors import RetryableError
from lambdas.core.steps.saga import ReleaseReason
from tests.fakes.clock import START

PROVISIONING = "arn:aws:states:eu-west-1:123456789012:stateMachine:provisioning"
RELEASE = "arn:aws:states:eu-west-1:123456789012:stateMachine:release"
STARTED = {"executionArn": f"{PROVISIONING}:s1", "startDate": START}


@pytest.fixture
def client() -> Any:
    return boto3.client("stepfunctions", config=Config(retries={"total_max_attempts": 1}))


@pytest.fixture
def stubber(client: Any) -> Iterator[Stubber]:
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def executions(client: Any) -> StepFunctionsExecutions:
    return StepFunctionsExecutions(client, PROVISIONING, RELEASE)


def test_provisioning_is_started_under_the_sagas_own_id(executions: StepFunctionsExecutions, stubber: Stubber) -> None:
    expected = {"stateMachineArn": PROVISIONING, "name": "s1", "input": json.dumps({"saga_id": "s1"})}
    stubber.add_response("start_execution", STARTED, expected)
    executions.start_provisioning("s1")


def test_the_execution_goes_on_with_the_trace_of_the_call(
    executions: StepFunctionsExecutions, stubber: Stubber, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = "Root=1-6b07bc31-ab47fe9cc5afdd6e92fef08c;Parent=a85a95afdad57aef;Sampled=1"
    monkeypatch.setenv("_X_AMZN_TRACE_ID", header)
    expected = {"stateMachineArn": PROVISIONING, "name": "s1", "input": json.dumps({"saga_id": "s1"})}
    stubber.add_response("start_execution", STARTED, {**expected, "traceHeader": header})
    executions.start_provisioning("s1")


def test_a_release_is_started_under_the_sagas_id_and_the_attempt(
    executions: StepFunctionsExecutions, stubber: Stubber
) -> None:
    document = json.dumps({"saga_id": "s1", "reason": "DESTROY"})
    expected = {"stateMachineArn": RELEASE, "name": "s1-release-7", "input": document}
    stubber.add_response("start_execution", STARTED, expected)
    executions.start_release("s1", ReleaseReason.DESTROY, 7)


def test_what_was_started_before_counts_as_started(executions: StepFunctionsExecutions, stubber: Stubber) -> None:
    stubber.add_client_error("start_execution", "ExecutionAlreadyExists", "it does", 400)
    executions.start_provisioning("s1")


@pytest.mark.parametrize(
    "code", ["ThrottlingException", "ExecutionLimitExceeded", "AccessDeniedException", "StateMachineDoesNotExist"]
)
def test_a_refusal_is_retryable_since_the_saga_is_in_the_ledger_already(
    executions: StepFunctionsExecutions, stubber: Stubber, code: str
) -> None:
    stubber.add_client_error("start_execution", code, "no", 400)
    with pytest.raises(RetryableError, match=code):
        executions.start_provisioning("s1")


def test_a_waiting_task_is_woken_by_its_token(executions: StepFunctionsExecutions, stubber: Stubber) -> None:
    stubber.add_response("send_task_success", {}, {"taskToken": "token-1", "output": "{}"})
    executions.wake("token-1")


@pytest.mark.parametrize("code", ["TaskDoesNotExist", "TaskTimedOut"])
def test_one_that_waits_no_more_is_left_alone(executions: StepFunctionsExecutions, stubber: Stubber, code: str) -> None:
    stubber.add_client_error("send_task_success", code, "gone", 400)
    executions.wake("token-1")


@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException"])
def test_a_waking_that_is_refused_is_retryable_since_the_decision_is_in_the_ledger_already(
    executions: StepFunctionsExecutions, stubber: Stubber, code: str
) -> None:
    stubber.add_client_error("send_task_success", code, "no", 400)
    with pytest.raises(RetryableError, match=code):
        executions.wake("token-1")


def test_no_answer_is_retryable(
    executions: StepFunctionsExecutions, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_answer(**_: Any) -> None:
        raise ConnectTimeoutError(endpoint_url="https://states")

    monkeypatch.setattr(client, "start_execution", no_answer)
    with pytest.raises(RetryableError, match="ConnectTimeoutError: Step Functions did not answer"):
        executions.start_release("s1", ReleaseReason.COMPENSATE, 1)
