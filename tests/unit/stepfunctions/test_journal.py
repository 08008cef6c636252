"""A killed engine resumes: nothing recorded is repeated, nothing recorded is lost."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from local.clock import VirtualClock
from local.stepfunctions import Engine, LambdaResult
from local.stepfunctions.runtime.core import Input
from local.stepfunctions.runtime.ledger import Retention
from tests.unit.stepfunctions.machines import chain, task

pytestmark = pytest.mark.usefixtures("dead_engines_buried")

INNER = chain(W={"Type": "Wait", "Seconds": 30}, P={"Type": "Pass", "Result": "inner"})
RETRY = [{"ErrorEquals": ["Flaky"], "IntervalSeconds": 5, "JitterStrategy": "FULL", "MaxAttempts": 3}]
SAGA = chain(
    Begin={"Type": "Pass", "Assign": {"kept": 1}},
    Each={
        "Type": "Map",
        "ItemsPath": "$.items",
        "ResultPath": "$.each",
        "ItemProcessor": chain(T=task("work", Retry=RETRY), W={"Type": "Wait", "Seconds": 7}),
    },
    Nested={
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:inner", "Input": {}},
        "ResultSelector": {"v.$": "$.Output"},
        "ResultPath": "$.nested",
    },
    Token={
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Parameters": {"FunctionName": "ask", "Payload": {"token.$": "$$.Task.Token"}},
        "HeartbeatSeconds": 100,
        "ResultPath": "$.token",
    },
    Spread={
        "Type": "Map",
        "ItemsPath": "$.items",
        "ResultPath": "$.spread",
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            **chain(D=task("work", Retry=RETRY)),
        },
    },
)
OUTPUT = {"items": [1, 2, 3], "each": [1, 2, 3], "nested": {"v": "inner"}, "token": "yes", "spread": [1, 2, 3]}
ARN = "arn:aws:states:us-east-1:123456789012:execution:saga:one"
MACHINES = "arn:aws:states:us-east-1:123456789012:stateMachine"


class World:
    """The functions outside, which outlive every engine."""

    def __init__(self) -> None:
        self.calls = 0
        self.token: str | None = None

    def invoke(self, name: str, payload: bytes) -> LambdaResult:
        event = json.loads(payload)
        self.calls += 1
        if name == "ask":
            self.token = event["token"]
            return LambdaResult(b"null")
        if self.calls % 4 == 0:
            return LambdaResult(b'{"errorType": "Flaky", "errorMessage": "again"}', "Unhandled")
        return LambdaResult(json.dumps(event).encode())


class Killed(BaseException):
    """Stands for SIGKILL: nothing after it runs."""


def engine_on(directory: Path, world: World, die_at: int | None = None, before: bool = False) -> Engine:
    engine = Engine(clock=VirtualClock(), seed=1, lambda_invoke=world.invoke, data=directory)
    write = engine.core.journal
    assert write is not None
    written = 0

    def dying(record: Input) -> None:
        nonlocal written
        written += 1
        if written == die_at and before:
            raise Killed
        write(record)
        if written == die_at:
            engine.core.settle()
            raise Killed

    engine.core.journal = dying
    return engine


def play(engine: Engine, world: World) -> None:
    """Do what remains to be done, whatever has been done already."""
    names = {machine["name"] for machine in engine.api.call("ListStateMachines", {})["stateMachines"]}
    if "inner" not in names:
        engine.create_state_machine("inner", INNER)
    if "saga" not in names:
        engine.create_state_machine("saga", SAGA)
    if engine.core.executions.get(ARN) is None:
        engine.start_execution("arn:aws:states:us-east-1:123456789012:stateMachine:saga", {"items": [1, 2, 3]}, "one")
    for _ in range(100):
        engine.run_until(engine.clock.now() + 20)
        if world.token is not None and engine.core.tokens.find(world.token) is not None:
            engine.api.call("SendTaskSuccess", {"taskToken": world.token, "output": '"yes"'})
        if not engine.execution(ARN).running:
            return


def records_of_a_whole_run(directory: Path) -> int:
    world = World()
    engine = engine_on(directory, world)
    play(engine, world)
    assert json.loads(engine.execution(ARN).output_text or "") == OUTPUT
    return len((directory / "journal.jsonl").read_bytes().splitlines())


@pytest.mark.parametrize("before", [False, True], ids=["after-writing", "before-writing"])
def test_killed_at_any_record_the_execution_ends_as_if_nothing_had_happened(tmp_path: Path, before: bool) -> None:
    total = records_of_a_whole_run(tmp_path / "whole")
    for die_at in range(1, total + 1):
        directory, world = tmp_path / str(die_at), World()
        with pytest.raises(Killed):
            play(engine_on(directory, world, die_at, before), world)
        survivors = (directory / "journal.jsonl").read_bytes()
        resumed = engine_on(directory, world)
        recorded = resumed.history(ARN) if resumed.core.executions.get(ARN) else []
        play(resumed, world)
        execution = resumed.execution(ARN)
        assert json.loads(execution.output_text or "null") == OUTPUT, f"killed at record {die_at}"
        assert resumed.history(ARN)[: len(recorded)] == recorded
        assert (directory / "journal.jsonl").read_bytes().startswith(survivors)


def test_a_recorded_result_is_not_asked_for_again(tmp_path: Path) -> None:
    world = World()
    machine = chain(A=task("work"), W={"Type": "Wait", "Seconds": 60}, B=task("work"))
    first = Engine(clock=VirtualClock(), lambda_invoke=world.invoke, data=tmp_path)
    arn = first.start_execution(first.create_state_machine("m", machine), {"n": 1})
    first.run_until(first.clock.now() + 1)
    second = Engine(clock=VirtualClock(), lambda_invoke=world.invoke, data=tmp_path)
    assert second.history(arn) == first.history(arn)
    second.run()
    assert (second.execution(arn).status, world.calls) == ("SUCCEEDED", 2)


def test_a_line_that_was_not_finished_never_happened(tmp_path: Path) -> None:
    engine = Engine(clock=VirtualClock(), data=tmp_path)
    engine.create_state_machine("m", chain(P={"Type": "Pass"}))
    journal = tmp_path / "journal.jsonl"
    with journal.open("ab") as file:
        file.write(b'{"op":"api","t":17')
    resumed = Engine(clock=VirtualClock(), data=tmp_path)
    assert [machine["name"] for machine in resumed.api.call("ListStateMachines", {})["stateMachines"]] == ["m"]
    resumed.create_state_machine("n", chain(P={"Type": "Pass"}))
    assert all(json.loads(line) for line in journal.read_bytes().splitlines())


SUICIDE = """
import os, signal, sys
from pathlib import Path
from tests.unit.stepfunctions.test_journal import World, engine_on, play
world = World()
engine = engine_on(Path(sys.argv[1]), world)
write, left = engine.core.journal, [int(sys.argv[2])]
def journal(record):
    write(record)
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
engine.core.journal = journal
play(engine, world)
"""


def asked_by(attempt: Any) -> str:
    name: str = attempt.branch.state.name
    return name


@pytest.mark.parametrize("records", [4, 11, 17])
def test_a_process_killed_by_sigkill_resumes_in_another(tmp_path: Path, records: int) -> None:
    command = [sys.executable, "-c", SUICIDE, str(tmp_path), str(records)]
    killed = subprocess.run(command, check=False, cwd=Path.cwd(), env={**os.environ})  # noqa: S603 - this interpreter
    assert killed.returncode == -signal.SIGKILL
    world = World()
    resumed = engine_on(tmp_path, world)
    tokens = resumed.core.tokens
    issued: list[Any] = [token for token in tokens.outstanding() if asked_by(tokens.find(token)) == "Token"]
    world.token = issued[0] if issued else None
    play(resumed, world)
    assert json.loads(resumed.execution(ARN).output_text or "null") == OUTPUT


@pytest.mark.parametrize("name", [{}, {"Name": "given"}], ids=["unnamed", "named"])
def test_a_nested_execution_that_was_started_is_found_again_and_not_started_twice(
    tmp_path: Path, name: dict[str, str]
) -> None:
    starting = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution",
        "Parameters": {"StateMachineArn": f"{MACHINES}:nested", **name},
    }
    first = Engine(clock=VirtualClock(), data=tmp_path)
    first.create_state_machine("nested", chain(P={"Type": "Pass"}))
    outer = first.start_execution(first.create_state_machine("outer", chain(S=starting)), name="one")
    write = first.core.journal
    assert write is not None

    def dying(record: Input) -> None:
        if record["op"] == "outcome":
            raise Killed
        write(record)

    first.core.journal = dying
    with pytest.raises(Killed):
        first.run()
    second = Engine(clock=VirtualClock(), data=tmp_path)
    second.run()
    assert second.execution(outer).status == "SUCCEEDED"
    assert len(second.api.call("ListExecutions", {"stateMachineArn": f"{MACHINES}:nested"})["executions"]) == 1


def test_what_falls_due_while_an_engine_resumes_is_called_once(tmp_path: Path) -> None:
    first = Engine(data=tmp_path)
    arn = first.create_state_machine("m", chain(W={"Type": "Wait", "Seconds": 1}, T=task("work")))
    started = [first.start_execution(arn, {"n": n}) for n in range(200)]
    first.close()
    time.sleep(1.1)
    calls: Counter[bytes] = Counter()

    def invoke(_: str, payload: bytes) -> LambdaResult:
        calls[payload] += 1
        return LambdaResult(payload)

    second = Engine(data=tmp_path, lambda_invoke=invoke)
    try:
        second.wait(lambda: not any(second.execution(it).running for it in started), 10)
        assert len(calls) == 200
        assert set(calls.values()) == {1}
    finally:
        second.close()


def test_two_processes_do_not_write_one_journal(tmp_path: Path) -> None:
    engine = Engine(clock=VirtualClock(), data=tmp_path)
    command = [sys.executable, "-m", "local.stepfunctions", "--port", "0", "--data", str(tmp_path)]
    refused = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - this interpreter
    assert refused.returncode == 1
    assert "another engine is at work" in refused.stderr
    engine.close()


def test_the_journal_drops_what_belongs_to_forgotten_executions(tmp_path: Path) -> None:
    engine = Engine(clock=VirtualClock(), seed=2, data=tmp_path)
    engine.core.executions.retention = Retention(executions=10)
    machine = engine.create_state_machine("m", chain(P={"Type": "Pass"}))
    waiting = engine.start_execution(engine.create_state_machine("w", chain(W={"Type": "Wait", "Seconds": 9})))
    for _ in range(3000):
        engine.start_execution(machine)
    assert len((tmp_path / "journal.jsonl").read_bytes().splitlines()) < 2100
    resumed = Engine(clock=VirtualClock(), seed=2, data=tmp_path)
    resumed.run()
    assert resumed.execution(waiting).status == "SUCCEEDED"
    assert resumed.start_execution(machine) not in {execution.arn for execution in engine.core.executions}
