"""What the engine keeps of executions that have ended, and for how long."""

from typing import Any

import pytest

from local.clock import VirtualClock
from local.stepfunctions import Engine, Retention
from local.stepfunctions.runtime.ledger import DAY
from local.stepfunctions.runtime.scheduler import Scheduler
from tests.unit.stepfunctions.machines import chain

SECOND = chain(W={"Type": "Wait", "Seconds": 1})
FAILING = chain(F={"Type": "Fail", "Error": "E"})


def names(engine: Engine, machine: str, **request: Any) -> list[str]:
    found = engine.api.call("ListExecutions", {"stateMachineArn": machine, **request})["executions"]
    return [entry["name"] for entry in found]


def test_the_last_finished_executions_are_kept_and_every_running_one() -> None:
    engine = Engine(clock=VirtualClock(), retention=Retention(executions=2))
    machine = engine.create_state_machine("m", SECOND)
    for number in range(4):
        engine.start_execution(machine, name=f"e{number}")
    engine.run()
    engine.start_execution(machine, name="running")
    assert names(engine, machine) == ["running", "e3", "e2"]


def test_finished_executions_are_forgotten_when_their_time_is_over() -> None:
    engine = Engine(clock=VirtualClock(), retention=Retention(seconds=90 * DAY))
    machine = engine.create_state_machine("m", SECOND)
    engine.start_execution(machine, name="old")
    engine.run()
    engine.advance(91 * DAY)
    engine.start_execution(machine, name="new")
    engine.run()
    assert names(engine, machine) == ["new"]


@pytest.mark.parametrize("status", ["RUNNING", "FAILED"])
def test_a_listing_by_status_follows_an_execution_that_is_redriven(status: str) -> None:
    engine = Engine(clock=VirtualClock())
    machine = engine.create_state_machine("m", FAILING)
    for number in range(3):
        engine.start_execution(machine, name=f"e{number}")
    redriven = engine.start_execution(machine, name="redriven")
    engine.start_execution(machine, name="last")
    if status == "RUNNING":
        engine.core.interpreter.host.resumed(_running(engine, redriven))
        assert names(engine, machine, statusFilter="RUNNING") == ["redriven"]
        assert names(engine, machine, statusFilter="FAILED") == ["last", "e2", "e1", "e0"]
    else:
        engine.api.call("RedriveExecution", {"executionArn": redriven})
        assert names(engine, machine, statusFilter="FAILED") == ["last", "redriven", "e2", "e1", "e0"]


def _running(engine: Engine, arn: str) -> Any:
    execution = engine.execution(arn)
    execution.status = "RUNNING"
    return execution


def test_pages_stay_complete_while_what_they_show_is_forgotten() -> None:
    engine = Engine(clock=VirtualClock(), retention=Retention(executions=6))
    machine = engine.create_state_machine("m", FAILING)
    for number in range(6):
        engine.start_execution(machine, name=f"e{number}")
    request = {"stateMachineArn": machine, "maxResults": 3}
    first = engine.api.call("ListExecutions", request)
    for number in range(6, 8):
        engine.start_execution(machine, name=f"e{number}")
    second = engine.api.call("ListExecutions", {**request, "nextToken": first["nextToken"]})
    shown = [entry["name"] for page in (first, second) for entry in page["executions"]]
    assert shown == ["e5", "e4", "e3", "e2"]


def test_what_was_cancelled_takes_no_room_until_its_moment() -> None:
    scheduler = Scheduler()
    kept = scheduler.call_at(1e9, lambda: None)
    for number in range(10_000):
        scheduler.call_at(1e6 + number, lambda: None).cancel()
    assert len(scheduler._heap) < 2_100
    assert scheduler.pop() is kept
