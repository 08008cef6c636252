"""Retry and Catch: which failures are taken, when a retry comes, what a catcher hands on."""

from random import Random
from typing import Any

import pytest

from local.stepfunctions.asl.recovery import Retrier
from local.stepfunctions.harness import Harness, VirtualTime
from tests.unit.stepfunctions.machines import chain, task


class Flaky:
    """Fails as often as it is told, then answers."""

    def __init__(self, failures: int, error: type[Exception] = ValueError) -> None:
        self.failures = failures
        self.error = error

    def __call__(self, event: Any) -> str:
        self.failures -= 1
        if self.failures >= 0:
            raise self.error("not yet")
        return "done"


def retried(**fields: Any) -> dict[str, Any]:
    return chain(A=task("f", Retry=[{"ErrorEquals": ["States.ALL"], **fields}]))


def scheduled_at(run: Any) -> list[float]:
    first = run.history[0]["timestamp"]
    return [event["timestamp"] - first for event in run.events("LambdaFunctionScheduled")]


def test_retries_back_off_by_the_rate_up_to_the_longest_delay(stepfunctions: Harness) -> None:
    stepfunctions.function("f", Flaky(4))
    run = stepfunctions.run(retried(IntervalSeconds=1, BackoffRate=3, MaxAttempts=4, MaxDelaySeconds=10))
    assert (run.status, scheduled_at(run)) == ("SUCCEEDED", [0, 1, 4, 13, 23])


def test_full_jitter_stays_below_the_delay_and_repeats_for_a_seed() -> None:
    delays = []
    for _ in range(2):
        harness = Harness(seed=5)
        harness.function("f", Flaky(3))
        delays.append(scheduled_at(harness.run(retried(IntervalSeconds=10, JitterStrategy="FULL"), name="same")))
    assert delays[0] == delays[1]
    assert 0 < delays[0][1] < 10


def test_when_the_attempts_are_used_up_the_failure_stands(stepfunctions: Harness) -> None:
    stepfunctions.function("f", Flaky(9))
    run = stepfunctions.run(retried(MaxAttempts=1))
    assert (run.status, run.error, len(run.events("LambdaFunctionFailed"))) == ("FAILED", "ValueError", 2)


def test_each_retrier_counts_its_own_attempts(stepfunctions: Harness) -> None:
    errors = iter([KeyError("a"), ValueError("b"), KeyError("c")])

    def alternating(event: Any) -> str:
        for error in errors:
            raise error
        return "done"

    stepfunctions.function("f", alternating)
    retry = [{"ErrorEquals": ["KeyError"], "MaxAttempts": 2}, {"ErrorEquals": ["ValueError"], "MaxAttempts": 1}]
    assert stepfunctions.run(chain(A=task("f", Retry=retry))).status == "SUCCEEDED"


def caught(*names: str, **fields: Any) -> dict[str, Any]:
    return chain(
        A=task("f", Catch=[{"ErrorEquals": list(names), "Next": "Caught", **fields}], Next="Done"),
        Done={"Type": "Succeed"},
        Caught={"Type": "Pass"},
    )


@pytest.mark.parametrize("names", [["ValueError"], ["States.TaskFailed"], ["States.ALL"], ["Other", "ValueError"]])
def test_a_function_error_is_caught_by_its_class_name_or_a_wildcard(stepfunctions: Harness, names: list[str]) -> None:
    stepfunctions.function("f", Flaky(1))
    run = stepfunctions.run(caught(*names, ResultPath="$.error"), {"a": 1})
    run.assert_path("A", "Caught")
    assert (run.output["a"], run.output["error"]["Error"]) == (1, "ValueError")


@pytest.mark.parametrize("name", ["Exception", "valueerror", "ValueErro"])
def test_error_names_match_exactly_never_by_inheritance(stepfunctions: Harness, name: str) -> None:
    stepfunctions.function("f", Flaky(1))
    assert stepfunctions.run(caught(name)).error == "ValueError"


def test_nothing_catches_a_runtime_error(stepfunctions: Harness) -> None:
    stepfunctions.function("f", lambda event: {})
    machine = caught("States.Runtime", "States.TaskFailed")
    machine["States"]["A"]["OutputPath"] = "$.none"
    run = stepfunctions.run(machine)
    assert (run.status, run.error) == ("FAILED", "States.Runtime")


def test_states_all_catches_no_runtime_error_either(stepfunctions: Harness) -> None:
    stepfunctions.function("f", lambda event: {})
    machine = caught("States.ALL")
    machine["States"]["A"]["ResultSelector"] = {"v.$": "$.none"}
    assert stepfunctions.run(machine).error == "States.Runtime"


def test_task_failed_does_not_take_a_timeout(stepfunctions: Harness, clock: VirtualTime) -> None:
    task_state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Parameters": {"FunctionName": "f"},
        "TimeoutSeconds": 5,
        "Catch": [
            {"ErrorEquals": ["States.TaskFailed"], "Next": "Failed"},
            {"ErrorEquals": ["States.Timeout"], "Next": "Late"},
        ],
        "Next": "Done",
    }
    stepfunctions.function("f", lambda event: None)
    machine = chain(A=task_state, Done={"Type": "Succeed"}, Failed={"Type": "Succeed"}, Late={"Type": "Succeed"})
    run = stepfunctions.start(machine)
    clock.advance(seconds=5)
    run.assert_path("A", "Late")
    assert run.output == {"Error": "States.Timeout", "Cause": ""}


def test_an_unknown_function_is_refused_by_name(stepfunctions: Harness) -> None:
    state = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": "nobody"}}
    run = stepfunctions.run(chain(A=state))
    assert run.error == "Lambda.ResourceNotFoundException"
    assert "nobody" in (run.cause or "")


def test_the_longest_delay_holds_however_far_the_backoff_has_grown() -> None:
    retrier = Retrier(("States.ALL",), backoff_rate=2.0, max_delay=60)
    random = Random(1)  # noqa: S311 - no jitter is asked for
    assert [retrier.delay(attempt, random) for attempt in (5, 6, 5_000)] == [32, 60, 60]
