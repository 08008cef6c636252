"""STEP_FUNCTIONS_ENDPOINT: nested executions and calls of the API itself go to another engine."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.clock import VirtualClock
from local.stepfunctions import Endpoints, Engine
from local.stepfunctions.server import StepFunctionsServer
from tests.unit.stepfunctions.machines import chain

pytestmark = pytest.mark.usefixtures("dead_engines_buried")


@pytest.fixture
def elsewhere() -> Iterator[StepFunctionsServer]:
    server = StepFunctionsServer(Engine(clock=VirtualClock()), port=0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def engine_beside(server: StepFunctionsServer, data: Path | None = None) -> Engine:
    endpoints = Endpoints("http://127.0.0.1:9", {"stepfunctions": server.url})
    return Engine(clock=VirtualClock(), endpoints=endpoints, data=data)


def nesting(pattern: str, machine: str) -> dict[str, Any]:
    parameters = {"StateMachineArn": machine, "Input": {"n": 1}}
    resource = f"arn:aws:states:::states:startExecution{pattern}"
    return chain(A={"Type": "Task", "Resource": resource, "Parameters": parameters})


def test_a_nested_execution_runs_there_and_its_end_ends_the_task(elsewhere: StepFunctionsServer) -> None:
    inner = elsewhere.engine.create_state_machine("inner", chain(W={"Type": "Wait", "Seconds": 5}))
    engine = engine_beside(elsewhere)
    arn = engine.start_execution(engine.create_state_machine("m", nesting(".sync:2", inner)))
    engine.advance(3)
    assert engine.execution(arn).running
    elsewhere.engine.run()
    engine.run()
    output = json.loads(engine.execution(arn).output_text or "null")
    assert (output["Output"], output["Status"]) == ({"n": 1}, "SUCCEEDED")


def test_a_failure_there_fails_the_task_and_an_unknown_machine_is_refused(elsewhere: StepFunctionsServer) -> None:
    inner = elsewhere.engine.create_state_machine("inner", chain(F={"Type": "Fail", "Error": "Inner"}))
    engine = engine_beside(elsewhere)
    failed = engine.start_execution(engine.create_state_machine("m", nesting(".sync", inner)))
    refused = engine.start_execution(engine.create_state_machine("n", nesting("", inner + "x")))
    engine.run()
    assert json.loads(engine.execution(failed).cause or "")["Error"] == "Inner"
    assert engine.execution(refused).error == "StepFunctions.StateMachineDoesNotExistException"


def test_a_restarted_engine_goes_on_asking_and_starts_nothing_twice(
    elsewhere: StepFunctionsServer, tmp_path: Path
) -> None:
    inner = elsewhere.engine.create_state_machine("inner", chain(W={"Type": "Wait", "Seconds": 5}))
    engine = engine_beside(elsewhere, tmp_path)
    arn = engine.start_execution(engine.create_state_machine("m", nesting(".sync", inner)))
    engine.advance(3)
    elsewhere.engine.run()
    resumed = engine_beside(elsewhere, tmp_path)
    resumed.run()
    assert resumed.execution(arn).status == "SUCCEEDED"
    assert [event["type"] for event in resumed.history(arn)].count("TaskSubmitted") == 1
    listed = elsewhere.engine.api.call("ListExecutions", {"stateMachineArn": inner})["executions"]
    assert len(listed) == 1


def test_calls_of_the_api_go_there_too(elsewhere: StepFunctionsServer) -> None:
    elsewhere.engine.create_state_machine("there", chain(P={"Type": "Pass"}))
    engine = engine_beside(elsewhere)
    state = {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:sfn:listStateMachines", "Parameters": {}}
    arn = engine.start_execution(engine.create_state_machine("here", chain(A=state)))
    engine.run()
    machines = json.loads(engine.execution(arn).output_text or "null")["StateMachines"]
    assert [machine["Name"] for machine in machines] == ["there"]
