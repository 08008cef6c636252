"""Nothing that follows from an input leaves the engine before the journal has the input."""

from __future__ import annotations

import json
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local.clock import VirtualClock
from local.stepfunctions import Engine, LambdaResult
from local.stepfunctions.journal import NAME, Journal
from tests.unit.stepfunctions.machines import chain, task

pytestmark = pytest.mark.usefixtures("dead_engines_buried")

FAN_OUT = chain(
    All={"Type": "Parallel", "Branches": [chain(**{f"A{n}": task("work"), f"B{n}": task("work")}) for n in range(3)]}
)


def recorded(directory: Path) -> list[dict[str, object]]:
    """What the file holds; whoever reads while it is written may find its last line begun."""
    *lines, _ = (directory / NAME).read_bytes().split(b"\n")
    return [json.loads(line) for line in lines]


class Watching:
    """A function that looks, whenever it is called, for what must have led to the call."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.unrecorded: list[str] = []

    def invoke(self, name: str, payload: bytes) -> LambdaResult:
        event = json.loads(payload)
        records = recorded(self.directory)
        started = [record for record in records if record["op"] == "start" and event["id"] in str(record["input"])]
        if not started:
            self.unrecorded.append(event["id"])
        return LambdaResult(payload)


@pytest.mark.parametrize("sync", [False, True])
def test_a_call_is_made_when_what_led_to_it_is_in_the_file(tmp_path: Path, sync: bool) -> None:
    watching = Watching(tmp_path)
    engine = Engine(lambda_invoke=watching.invoke, data=tmp_path, sync=sync)
    machine = engine.create_state_machine("m", FAN_OUT)

    def use(worker: int) -> None:
        for number in range(5):
            arn = engine.start_execution(machine, {"id": f"<{worker}-{number}>"})
            assert engine.await_end(arn, 30).status == "SUCCEEDED"

    workers = [threading.Thread(target=use, args=(worker,)) for worker in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    engine.close()

    assert watching.unrecorded == []
    operations = [record["op"] for record in recorded(tmp_path)]
    assert (operations.count("start"), operations.count("outcome")) == (40, 40 * 6)


def test_a_call_follows_an_outcome_only_when_that_is_in_the_file(tmp_path: Path) -> None:
    seen: list[int] = []

    def invoke(name: str, payload: bytes) -> LambdaResult:
        seen.append(sum(record["op"] == "outcome" for record in recorded(tmp_path)))
        return LambdaResult(payload)

    engine = Engine(lambda_invoke=invoke, data=tmp_path)
    machine = engine.create_state_machine("m", chain(A=task("work"), B=task("work"), C=task("work")))
    assert engine.await_end(engine.start_execution(machine, {}), 30).status == "SUCCEEDED"
    engine.close()

    assert seen == [0, 1, 2]


def test_an_answer_is_given_when_what_it_tells_of_is_in_the_file(tmp_path: Path) -> None:
    engine = Engine(clock=VirtualClock(), data=tmp_path)
    machine = engine.create_state_machine("m", chain(W={"Type": "Wait", "Seconds": 60}))

    body = json.dumps({"stateMachineArn": machine, "name": "told"}).encode()
    assert engine.handle("AWSStepFunctions.StartExecution", body)[0] == 200

    assert [record["op"] for record in recorded(tmp_path)] == ["api", "start"]


def test_an_outcome_that_nothing_follows_from_is_in_the_file_soon_all_the_same(tmp_path: Path) -> None:
    engine = Engine(lambda_invoke=lambda name, payload: LambdaResult(payload), data=tmp_path, sync=True)
    engine.start_execution(engine.create_state_machine("m", chain(A=task("work"), W={"Type": "Wait", "Seconds": 600})))
    for _ in range(1000):
        if recorded(tmp_path)[-1]["op"] == "outcome":
            break
        threading.Event().wait(0.01)

    assert [record["op"] for record in recorded(tmp_path)] == ["api", "start", "outcome"]
    engine.close()


@contextmanager
def no_file_longer_than(size: int) -> Iterator[None]:
    """As on a full disk: a write is cut short there, and the next one fails."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_write_that_fails_leaves_nothing_half_and_is_made_up_for(tmp_path: Path) -> None:
    engine = Engine(clock=VirtualClock(), data=tmp_path)
    engine.create_state_machine("first", chain(P={"Type": "Pass"}))
    whole = (tmp_path / NAME).read_bytes()

    with no_file_longer_than(len(whole) + 10), pytest.raises(OSError, match="File too large"):
        engine.create_state_machine("second", chain(P={"Type": "Pass"}))
    assert (tmp_path / NAME).read_bytes() == whole
    engine.create_state_machine("third", chain(P={"Type": "Pass"}))
    engine.close()

    again = Engine(clock=VirtualClock(), data=tmp_path)
    names = [machine["name"] for machine in again.api.call("ListStateMachines", {})["stateMachines"]]
    assert names == ["first", "second", "third"]


def test_who_is_parked_is_called_once_its_record_is_in_the_file(tmp_path: Path) -> None:
    journal = Journal(tmp_path, sync=True)
    engine = Engine(clock=VirtualClock())
    journal.attach(engine.core)
    taking = threading.Lock()
    let_go: list[bool] = []
    done = threading.Semaphore(0)

    def work(worker: int) -> None:
        for number in range(25):
            mark = f"<{worker}-{number}>"

            def check(mark: str = mark) -> None:
                let_go.append(mark in (tmp_path / NAME).read_text())
                done.release()

            with taking:
                journal.append({"op": "note", "t": 0.0, "mark": mark})
            if journal.settle_or_park(check):
                check()

    workers = [threading.Thread(target=work, args=(worker,)) for worker in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert all(done.acquire(timeout=10) for _ in range(200))
    assert let_go == [True] * 200
