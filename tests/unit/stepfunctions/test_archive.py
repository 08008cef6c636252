"""What has ended is told as it was told before, wherever it is kept."""

from __future__ import annotations

import threading
import time
import zlib
from typing import Any

import pytest

from local.clock import Clock, VirtualClock, WallClock
from local.stepfunctions import Engine
from local.stepfunctions.runtime import archive
from local.stepfunctions.runtime.archive import Archive
from local.stepfunctions.runtime.history import History
from tests.unit.stepfunctions.machines import chain

PASSING = chain(P={"Type": "Pass", "Result": "x" * 100})
FAILING = chain(P={"Type": "Pass"}, F={"Type": "Fail", "Error": "E"})


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "_MOST", 4)


def ended(engine: Engine, definition: Any, count: int) -> list[str]:
    machine = engine.create_state_machine("m", definition)
    arns = [engine.start_execution(machine, {"number": number}) for number in range(count)]
    if isinstance(engine.clock, VirtualClock):
        engine.run()
    for arn in arns:
        engine.await_end(arn, 10)
    return arns


def await_archived(engine: Engine, arns: list[str]) -> None:
    until = time.monotonic() + 10
    while any(engine.execution(arn).history.packed is not None for arn in arns):
        assert time.monotonic() < until, "what has ended is not archived"
        time.sleep(0.01)


@pytest.mark.parametrize("clock", [VirtualClock(), WallClock()])
def test_what_is_archived_is_told_as_before(clock: Clock) -> None:
    engine = Engine(clock=clock)
    try:
        arns = ended(engine, PASSING, 3)
        told = [engine.history(arn) for arn in arns]
        assert [engine.execution(arn).history.packed is None for arn in arns] == [False] * 3
        last = engine.start_execution(engine.execution(arns[0]).origin.machine_arn, {"number": 3})
        if isinstance(clock, VirtualClock):
            engine.run()
        await_archived(engine, [*arns, last])
        assert [engine.history(arn) for arn in arns] == told
        assert [it["type"] for it in engine.history(last)] == [it["type"] for it in told[0]]
    finally:
        engine.close()


def test_a_page_of_what_is_archived_is_unpacked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(clock=VirtualClock())
    arns = ended(engine, PASSING, 4)
    await_archived(engine, arns)
    unpacked: list[bytes] = []
    decompress = zlib.decompress

    def noted(block: bytes) -> bytes:
        unpacked.append(block)
        return decompress(block)

    monkeypatch.setattr(zlib, "decompress", noted)
    request = {"executionArn": arns[1], "reverseOrder": True}
    backwards = engine.api.call("GetExecutionHistory", request)["events"]
    assert len(unpacked) == 1
    assert backwards[::-1] == engine.history(arns[1])


def test_what_is_large_does_not_wait_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "_MOST_BYTES", 100)
    engine = Engine(clock=VirtualClock())
    await_archived(engine, ended(engine, PASSING, 1))


def test_an_execution_that_is_redriven_goes_on_from_what_is_archived() -> None:
    engine = Engine(clock=VirtualClock())
    arns = ended(engine, FAILING, 4)
    await_archived(engine, arns)
    before = engine.history(arns[1])
    engine.api.call("RedriveExecution", {"executionArn": arns[1]})
    engine.run()
    told = engine.history(arns[1])
    assert told[: len(before)] == before
    assert told[len(before)]["type"] == "ExecutionRedriven"
    assert [it["id"] for it in told] == list(range(1, len(told) + 1))


def test_what_goes_on_before_it_is_archived_is_not_taken_back() -> None:
    later: list[Any] = []
    kept = Archive(threading.RLock(), later.append)
    histories = [History() for _ in range(4)]
    for history in histories:
        history.append("ExecutionStarted", 0, 0.0, {"input": "{}"})
        kept.add(history)
    histories[1].append("ExecutionRedriven", 1, 1.0, {"redriveCount": 1})
    (keep,) = later
    keep()
    assert [len(it) for it in histories] == [1, 2, 1, 1]
    assert [it.type for it in histories[1]] == ["ExecutionStarted", "ExecutionRedriven"]


def test_who_reads_meanwhile_sees_all_of_it() -> None:
    kept = Archive(threading.RLock(), lambda action: action())
    histories = [History() for _ in range(400)]
    for history in histories:
        history.append("ExecutionStarted", 0, 0.0, {"input": "{}"})
    seen: set[int] = set()
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            seen.update(len(it) for it in histories)

    reader = threading.Thread(target=read)
    reader.start()
    for history in histories:
        kept.add(history)
    over.set()
    reader.join()
    assert seen == {1}
