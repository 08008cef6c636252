"""Task tokens, heartbeats, activities and nested executions."""

import json
from typing import Any

import pytest

from local.clock import VirtualClock
from local.stepfunctions import ApiError, Engine, LambdaResult
from local.stepfunctions.harness import Harness, VirtualTime
from tests.unit.stepfunctions.machines import chain, task

ROLE = "arn:aws:iam::123456789012:role/r"


def call(engine: Engine, operation: str, **request: Any) -> dict[str, Any]:
    return engine.api.answer(operation, request, engine)


def waiting(**fields: Any) -> dict[str, Any]:
    parameters = {"FunctionName": "send", "Payload": {"token.$": "$$.Task.Token"}}
    resource = "arn:aws:states:::lambda:invoke.waitForTaskToken"
    return chain(A={"Type": "Task", "Resource": resource, "Parameters": parameters, **fields})


@pytest.fixture
def tokens(stepfunctions: Harness) -> list[str]:
    found: list[str] = []
    stepfunctions.function("send", lambda event: found.append(event["token"]))
    return found


def test_a_task_waits_for_whoever_holds_its_token(
    stepfunctions: Harness, clock: VirtualTime, tokens: list[str]
) -> None:
    run = stepfunctions.start(waiting())
    clock.advance(days=300)
    assert run.status == "RUNNING"
    call(stepfunctions.engine, "SendTaskSuccess", taskToken=tokens[0], output='{"ok":true}')
    assert run.output == {"ok": True}


def test_a_task_failed_from_outside_keeps_its_error_and_cause(stepfunctions: Harness, tokens: list[str]) -> None:
    run = stepfunctions.start(waiting())
    call(stepfunctions.engine, "SendTaskFailure", taskToken=tokens[0], error="Mine", cause="because")
    assert (run.error, run.cause) == ("Mine", "because")


def test_a_heartbeat_in_time_keeps_a_task_alive_and_a_missed_one_ends_it(
    stepfunctions: Harness, clock: VirtualTime, tokens: list[str]
) -> None:
    run = stepfunctions.start(waiting(HeartbeatSeconds=10))
    clock.advance(seconds=9)
    call(stepfunctions.engine, "SendTaskHeartbeat", taskToken=tokens[0])
    clock.advance(seconds=9)
    assert run.status == "RUNNING"
    clock.advance(seconds=1)
    assert run.error == "States.Timeout"


def test_a_missed_heartbeat_can_be_caught_by_its_own_name(
    stepfunctions: Harness, clock: VirtualTime, tokens: list[str]
) -> None:
    machine = waiting(HeartbeatSeconds=10, Catch=[{"ErrorEquals": ["States.HeartbeatTimeout"], "Next": "Late"}])
    machine["States"]["Late"] = {"Type": "Succeed"}
    run = stepfunctions.start(machine)
    clock.advance(seconds=10)
    run.assert_path("A", "Late")


def test_a_used_token_times_out_and_an_invented_one_is_invalid(stepfunctions: Harness, tokens: list[str]) -> None:
    stepfunctions.start(waiting())
    call(stepfunctions.engine, "SendTaskSuccess", taskToken=tokens[0], output="1")
    with pytest.raises(ApiError) as used:
        call(stepfunctions.engine, "SendTaskSuccess", taskToken=tokens[0], output="1")
    with pytest.raises(ApiError) as invented:
        call(stepfunctions.engine, "SendTaskSuccess", taskToken="x", output="1")
    assert (used.value.code, invented.value.code) == ("TaskTimedOut", "InvalidToken")


def test_an_activity_worker_takes_a_task_and_answers_it(stepfunctions: Harness) -> None:
    engine = stepfunctions.engine
    activity = call(engine, "CreateActivity", name="work")["activityArn"]
    run = stepfunctions.start(chain(A={"Type": "Task", "Resource": activity}), {"n": 1})
    taken = call(engine, "GetActivityTask", activityArn=activity, workerName="w")
    assert json.loads(taken["input"]) == {"n": 1}
    call(engine, "SendTaskSuccess", taskToken=taken["taskToken"], output="2")
    assert run.output == 2
    assert run.events("ActivityStarted")[0]["activityStartedEventDetails"] == {"workerName": "w"}


def test_a_long_poll_without_a_task_ends_after_a_minute(stepfunctions: Harness, clock: VirtualTime) -> None:
    activity = call(stepfunctions.engine, "CreateActivity", name="idle")["activityArn"]
    before = clock.now()
    assert call(stepfunctions.engine, "GetActivityTask", activityArn=activity) == {}
    assert clock.now() - before == 60


def nested(pattern: str, machine_arn: str) -> dict[str, Any]:
    parameters = {"StateMachineArn": machine_arn, "Input": {"n.$": "$.n"}}
    resource = f"arn:aws:states:::states:startExecution{pattern}"
    return chain(A={"Type": "Task", "Resource": resource, "Parameters": parameters})


def test_a_nested_execution_is_started_waited_for_or_waited_for_and_parsed(stepfunctions: Harness) -> None:
    inner = stepfunctions.machine(chain(W={"Type": "Wait", "Seconds": 60}), name="inner")
    started = stepfunctions.run(nested("", inner), {"n": 1})
    waited = stepfunctions.run(nested(".sync", inner), {"n": 1})
    parsed = stepfunctions.run(nested(".sync:2", inner), {"n": 1})
    assert started.seconds == 0
    assert started.output["ExecutionArn"].startswith("arn:aws:states:us-east-1:123456789012:execution:inner:")
    assert (waited.seconds, waited.output["Output"]) == (60, '{"n":1}')
    assert parsed.output["Output"] == {"n": 1}


def test_a_nested_failure_fails_the_task_with_the_whole_story_as_its_cause(stepfunctions: Harness) -> None:
    inner = stepfunctions.machine(chain(F={"Type": "Fail", "Error": "Inner", "Cause": "deep"}), name="inner")
    run = stepfunctions.run(nested(".sync", inner), {"n": 1})
    assert run.error == "States.TaskFailed"
    assert json.loads(run.cause or "")["Error"] == "Inner"


def test_a_function_without_an_error_type_is_lambda_unknown() -> None:
    engine = Engine(clock=VirtualClock(), lambda_invoke=lambda name, payload: LambdaResult(b'"boom"', "Unhandled"))
    arn = engine.start_execution(engine.create_state_machine("m", chain(A=task("f"))))
    engine.run()
    assert engine.execution(arn).error == "Lambda.Unknown"
