"""Functions that never wait are called by the thread that they follow from."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stepfunctions import Engine, LambdaResult
from tests.unit.stepfunctions.machines import FUNCTION, chain, task

CALLBACK = "arn:aws:states:::lambda:invoke.waitForTaskToken"
PARAMETERS = {"FunctionName": "f", "Payload": {"token.$": "$$.Task.Token"}}


class Functions:
    """What was called, with what, and on which thread; a function's answer is its payload."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.threads: set[str] = set()

    def invoke(self, name: str, payload: bytes) -> LambdaResult:
        self.calls.append((name.removeprefix(FUNCTION), payload.decode()))
        self.threads.add(threading.current_thread().name)
        if name.endswith("bad"):
            return LambdaResult(b'{"errorType": "Bad"}', "Unhandled")
        return LambdaResult(payload)


@pytest.fixture
def functions() -> Functions:
    return Functions()


@pytest.fixture
def engine(functions: Functions) -> Iterator[Engine]:
    engine = Engine(lambda_invoke=functions.invoke, in_place=True)
    yield engine
    engine.close()


def test_an_execution_has_ended_when_its_start_returns(engine: Engine, functions: Functions) -> None:
    arn = engine.start_execution(engine.create_state_machine("m", chain(A=task("f"), B=task("g"))), {"n": 1})

    assert engine.execution(arn).output_text == '{"n":1}'
    assert functions.calls == [("f", '{"n":1}'), ("g", '{"n":1}')]
    assert functions.threads == {threading.current_thread().name}


def test_branches_take_turns(engine: Engine, functions: Functions) -> None:
    branches = [chain(A=task("a1"), B=task("a2")), chain(C=task("b1"), D=task("b2"))]
    machine = engine.create_state_machine("m", chain(P={"Type": "Parallel", "Branches": branches}))

    assert engine.execution(engine.start_execution(machine)).status == "SUCCEEDED"
    assert [name for name, _ in functions.calls] == ["a1", "b1", "a2", "b2"]


def test_a_failure_is_caught_as_ever(engine: Engine, functions: Functions) -> None:
    caught = {"ErrorEquals": ["Bad"], "ResultPath": None, "Next": "C"}
    machine = engine.create_state_machine("m", chain(A=task("bad", Catch=[caught]), B=task("g"), C=task("h")))

    assert engine.execution(engine.start_execution(machine)).status == "SUCCEEDED"
    assert [name for name, _ in functions.calls] == ["bad", "h"]


def test_what_follows_a_wait_is_called_by_the_engines_thread(engine: Engine, functions: Functions) -> None:
    machine = engine.create_state_machine("m", chain(W={"Type": "Wait", "Seconds": 1}, A=task("f")))
    arn = engine.start_execution(machine)

    assert engine.execution(arn).status == "RUNNING"
    assert engine.await_end(arn, 10).status == "SUCCEEDED"
    assert functions.threads == {"stepfunctions"}


def test_who_sends_a_tasks_result_calls_what_follows(engine: Engine, functions: Functions) -> None:
    waiting = {"Type": "Task", "Resource": CALLBACK, "Parameters": PARAMETERS}
    arn = engine.start_execution(engine.create_state_machine("m", chain(A=waiting, B=task("g"))))
    token = json.loads(functions.calls[0][1])["token"]
    assert engine.execution(arn).status == "RUNNING"

    body = json.dumps({"taskToken": token, "output": "7"}).encode()
    assert engine.handle("AWSStepFunctions.SendTaskSuccess", body)[0] == 200

    assert engine.execution(arn).output_text == "7"
    assert functions.calls[1] == ("g", "7")


def test_an_execution_that_waits_for_another_goes_on_in_place(engine: Engine, functions: Functions) -> None:
    inner = engine.create_state_machine("inner", chain(A=task("f")))
    parameters = {"StateMachineArn": inner, "Input": {"n": 1}}
    nested = {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2", "Parameters": parameters}
    arn = engine.start_execution(engine.create_state_machine("outer", chain(N=nested, B=task("g"))))

    assert engine.await_end(arn, 10).status == "SUCCEEDED"
    assert [name for name, _ in functions.calls] == ["f", "g"]


def test_a_function_may_start_an_execution(functions: Functions) -> None:
    engines: list[Engine] = []
    started: list[str] = []

    def invoke(name: str, payload: bytes) -> LambdaResult:
        if name.endswith("starter"):
            started.append(engines[0].start_execution(inner))
        return functions.invoke(name, payload)

    engines.append(engine := Engine(lambda_invoke=invoke, in_place=True))
    inner = engine.create_state_machine("inner", chain(A=task("f")))
    outer = engine.start_execution(engine.create_state_machine("outer", chain(S=task("starter"), B=task("g"))))

    assert {engine.execution(arn).status for arn in (*started, outer)} == {"SUCCEEDED"}
    assert sorted(name for name, _ in functions.calls) == ["f", "g", "starter"]
    engine.close()


@pytest.mark.usefixtures("dead_engines_buried")
def test_calls_without_a_result_are_made_again_by_who_opens_the_journal(functions: Functions, tmp_path: Path) -> None:
    def die(name: str, payload: bytes) -> LambdaResult:
        raise SystemExit  # what ends a process ends the call without a result

    dying = Engine(lambda_invoke=die, in_place=True, data=tmp_path)
    machine = dying.create_state_machine("m", chain(A=task("f"), B=task("g")))
    with pytest.raises(SystemExit):
        dying.start_execution(machine, {}, "one")
    dying.close()
    del dying

    engine = Engine(lambda_invoke=functions.invoke, in_place=True, data=tmp_path)

    assert [name for name, _ in functions.calls] == ["f", "g"]
    assert engine.execution(machine.replace(":stateMachine:", ":execution:") + ":one").status == "SUCCEEDED"
    engine.close()
