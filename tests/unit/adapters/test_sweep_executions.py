"""Sweeps as executions of Step Functions: started through the alias, and asked how they ended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber

from lambdas.adapters.executions import StepFunctionsSweeps
from lambdas.core.errors import RetryableError, SweepNotFound
from lambdas.core.ports.sweeps import SweepStatus
from tests.fakes.clock import START

ALIAS = "arn:aws:states:eu-west-1:123456789012:stateMachine:skysaga-sweep:live"
EXECUTION = "arn:aws:states:eu-west-1:123456789012:execution:skysaga-sweep:sweep-1"
MACHINE = ALIAS.removesuffix(":live")
END = START + timedelta(minutes=3)
FOUND = {"orphans": [], "unknown": [], "overdue": [], "releases": [], "not_swept": [], "complete": True}


@pytest.fixture(name="client")
def _client() -> Any:
    return boto3.client("stepfunctions", config=Config(retries={"total_max_attempts": 1}))


@pytest.fixture(name="stubber")
def _stubber(client: Any) -> Iterator[Stubber]:
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture(name="sweeps")
def _sweeps(client: Any) -> StepFunctionsSweeps:
    return StepFunctionsSweeps(client, ALIAS)


def described(stubber: Stubber, status: str, **more: Any) -> None:
    found = {"executionArn": EXECUTION, "stateMachineArn": MACHINE, "startDate": START, "status": status}
    ended = {} if status == "RUNNING" else {"stopDate": END}
    response = {**found, "input": '{"dry_run": true}', **ended, **more}
    stubber.add_response("describe_execution", response, {"executionArn": EXECUTION})


def test_a_sweep_is_started_through_the_alias_under_its_id(sweeps: StepFunctionsSweeps, stubber: Stubber) -> None:
    expected = {"stateMachineArn": ALIAS, "name": "sweep-1", "input": '{"dry_run": false}'}
    stubber.add_response("start_execution", {"executionArn": EXECUTION, "startDate": START}, expected)
    sweeps.start("sweep-1", dry_run=False)


def test_a_sweep_that_was_started_before_counts_as_started(sweeps: StepFunctionsSweeps, stubber: Stubber) -> None:
    stubber.add_client_error("start_execution", "ExecutionAlreadyExists")
    sweeps.start("sweep-1", dry_run=True)


def test_one_at_work_has_no_result_yet(sweeps: StepFunctionsSweeps, stubber: Stubber) -> None:
    described(stubber, "RUNNING")
    sweep = sweeps.find("sweep-1")
    assert (sweep.status, sweep.dry_run, sweep.started_at) == (SweepStatus.RUNNING, True, START)
    assert (sweep.ended_at, sweep.result, sweep.error) == (None, None, None)


def test_one_that_looked_everywhere_has_put_out_what_it_found(sweeps: StepFunctionsSweeps, stubber: Stubber) -> None:
    described(stubber, "SUCCEEDED", output=json.dumps(FOUND))
    sweep = sweeps.find("sweep-1")
    assert (sweep.status, sweep.ended_at, sweep.result) == (SweepStatus.COMPLETE, END, FOUND)


def test_what_one_found_that_could_not_look_everywhere_is_what_it_failed_with(
    sweeps: StepFunctionsSweeps, stubber: Stubber
) -> None:
    described(stubber, "FAILED", error="NotAllSwept", cause="A target could not be looked at")
    entered = {"name": "NotAllSwept", "input": json.dumps({**FOUND, "complete": False})}
    events = [
        {"id": 9, "timestamp": END, "type": "ExecutionFailed", "executionFailedEventDetails": {"error": "NotAllSwept"}},
        {"id": 8, "timestamp": END, "type": "FailStateEntered", "stateEnteredEventDetails": entered},
    ]
    expected = {"executionArn": EXECUTION, "reverseOrder": True, "maxResults": 5, "includeExecutionData": True}
    stubber.add_response("get_execution_history", {"events": events}, expected)
    sweep = sweeps.find("sweep-1")
    assert (sweep.status, sweep.error) == (SweepStatus.INCOMPLETE, None)
    assert sweep.result == {**FOUND, "complete": False}


@pytest.mark.parametrize(
    ("status", "more", "why"),
    [
        ("FAILED", {"error": "NotSwept", "cause": "no ledger"}, "NotSwept: no ledger"),
        ("TIMED_OUT", {}, "TIMED_OUT: its execution was ended"),
        ("ABORTED", {}, "ABORTED: its execution was ended"),
    ],
)
def test_any_other_ending_is_a_failure_that_says_why(
    sweeps: StepFunctionsSweeps, stubber: Stubber, status: str, more: dict[str, str], why: str
) -> None:
    described(stubber, status, **more)
    sweep = sweeps.find("sweep-1")
    assert (sweep.status, sweep.result, sweep.error) == (SweepStatus.FAILED, None, why)


def test_one_that_nobody_started_is_not_found(sweeps: StepFunctionsSweeps, stubber: Stubber) -> None:
    stubber.add_client_error("describe_execution", "ExecutionDoesNotExist")
    with pytest.raises(SweepNotFound):
        sweeps.find("sweep-1")


@pytest.mark.parametrize("name", ["", "a:b", "x" * 81, "é", "../s1"])
def test_what_cannot_be_a_name_is_not_asked_for(sweeps: StepFunctionsSweeps, stubber: Stubber, name: str) -> None:
    with pytest.raises(SweepNotFound):
        sweeps.find(name)


def test_an_unwell_service_is_retryable(sweeps: StepFunctionsSweeps, stubber: Stubber) -> None:
    stubber.add_client_error("describe_execution", "ServiceUnavailable", http_status_code=503)
    with pytest.raises(RetryableError):
        sweeps.find("sweep-1")
