"""Event invocations on a virtual clock: what Lambda promises about retries, age and throttles."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.clock import VirtualClock, WallClock
from local.lambda_runtime.asynchronous import AsynchronousFailure, AsynchronousInvocations, QueuedEvent
from local.lambda_runtime.errors import FunctionNotFound, TooManyRequests
from local.lambda_runtime.functions import AsynchronousPolicy
from local.lambda_runtime.reference import FunctionReference
from local.lambda_runtime.runtime import LambdaRuntime
from tests.unit.lambda_runtime.deployments import DeploymentsInMemory


class Attempts:
    """A function that ends as the test says, once per attempt, and remembers when it was tried."""

    def __init__(self, clock: VirtualClock, endings: list[bool | Exception]) -> None:
        self.clock = clock
        self.endings = endings
        self.moments: list[float] = []

    def __call__(self, event: QueuedEvent) -> tuple[bytes, bool]:
        self.moments.append(self.clock.now() - event.accepted)
        ending = self.endings[min(len(self.moments), len(self.endings)) - 1]
        if isinstance(ending, Exception):
            raise ending
        return b"answer", ending


def deliver(endings: list[bool | Exception], **policy: int) -> tuple[list[float], list[AsynchronousFailure]]:
    """Queue one event and let time pass until nothing is due any more."""
    clock = VirtualClock()
    attempts, failures = Attempts(clock, endings), list[AsynchronousFailure]()
    events = AsynchronousInvocations(clock, attempts, failures.append, background=False)
    events.accept(QueuedEvent(FunctionReference("f"), "id", b"{}", AsynchronousPolicy(**policy), accepted=clock.now()))
    while (due := events.deliver_due()) is not None:
        clock.advance_to(due)
    return attempts.moments, failures


def test_a_failing_event_is_tried_again_after_one_and_after_two_more_minutes_and_then_given_up() -> None:
    moments, failures = deliver([True])
    assert moments == [0, 60, 180]
    assert [(failure.condition, failure.response) for failure in failures] == [("RetriesExhausted", b"answer")]


def test_an_event_that_succeeds_is_not_tried_again() -> None:
    assert deliver([True, False]) == ([0, 60], [])


def test_the_functions_own_policy_sets_the_number_of_retries_and_the_age() -> None:
    assert deliver([True], maximum_retry_attempts=0)[0] == [0]
    moments, failures = deliver([True], maximum_event_age=60)
    assert moments == [0, 60]
    assert [failure.condition for failure in failures] == ["EventAgeExceeded"]


def test_a_throttled_event_backs_off_without_using_up_its_retries() -> None:
    throttle = TooManyRequests("ReservedFunctionConcurrentInvocationLimitExceeded")
    moments, failures = deliver([throttle, throttle, throttle, True])
    assert moments == [0, 1, 3, 7, 67, 187]
    assert len(failures) == 1


def test_an_event_for_a_function_that_is_gone_is_dropped() -> None:
    assert deliver([FunctionNotFound("Function not found")])[0] == [0]


def test_an_event_invocation_answers_at_once_and_retries_under_the_same_request_id(
    start_runtime: Callable[..., LambdaRuntime], deployments: DeploymentsInMemory
) -> None:
    deployments.deploy("fail", "app.fail")
    clock = VirtualClock()
    failures: list[AsynchronousFailure] = []
    runtime = start_runtime(clock=clock, background_events=False, on_asynchronous_failure=failures.append)
    assert runtime.invoke("fail", b"{}", invocation_type="Event").payload == b""
    assert runtime.last_log_lines("fail") == []
    while (due := runtime.deliver_due_events()) is not None:
        clock.advance_to(due)
    starts = [line for line in runtime.last_log_lines("fail") if line.startswith("START")]
    assert len(starts) == 3
    assert len(set(starts)) == 1
    assert failures[0].condition == "RetriesExhausted"


@pytest.mark.parametrize("clock", [WallClock(), VirtualClock()])
def test_events_run_in_the_background_on_their_own(
    start_runtime: Callable[..., LambdaRuntime], deployments: DeploymentsInMemory, tmp_path: Path, clock: Any
) -> None:
    deployments.deploy("nap", "app.nap")
    started = tmp_path / "started"
    start_runtime(clock=clock).invoke("nap", f'{{"seconds": 0, "started": "{started}"}}'.encode(), None, "Event")
    deadline = time.monotonic() + 10
    while not started.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert started.exists()
