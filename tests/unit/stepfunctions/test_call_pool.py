"""Calls are made at the same time, however their outcomes come in."""

from __future__ import annotations

import json
import threading
import time

from local.stepfunctions import Engine, LambdaResult
from local.stepfunctions.call_pool import THREADS, CallPool
from local.stepfunctions.runtime.host import Outcome, TaskRequest
from tests.unit.stepfunctions.machines import chain, task


def test_as_many_calls_as_there_are_threads_are_under_way_at_once() -> None:
    together = threading.Barrier(THREADS)

    def invoke(name: str, payload: bytes) -> LambdaResult:
        together.wait(20)  # raises, and the execution fails, unless all of them are here
        return LambdaResult(payload)

    engine = Engine(lambda_invoke=invoke)
    machine = engine.create_state_machine("m", chain(A=task("work")))
    arns = [engine.start_execution(machine, {}) for _ in range(THREADS)]

    assert {engine.await_end(arn, 30).status for arn in arns} == {"SUCCEEDED"}
    engine.close()


def test_a_branch_does_not_wait_for_its_sibling_that_takes_long() -> None:
    release = threading.Event()

    def invoke(name: str, payload: bytes) -> LambdaResult:
        if "slow" in name:
            assert release.wait(20)
        return LambdaResult(json.dumps(name.rsplit(":", 1)[1]).encode())

    quick = chain(**{f"Q{number}": task("quick") for number in range(5)})
    engine = Engine(lambda_invoke=invoke)
    parallel = {"Type": "Parallel", "Branches": [chain(S=task("slow")), quick, chain(T=task("slow"))]}
    arn = engine.start_execution(engine.create_state_machine("m", chain(P=parallel)))
    until = time.monotonic() + 20
    while time.monotonic() < until and '"Q4"' not in json.dumps(engine.history(arn)):
        time.sleep(0.01)

    assert engine.execution(arn).status == "RUNNING"
    release.set()
    assert engine.await_end(arn, 20).status == "SUCCEEDED"
    engine.close()


def test_an_outcome_that_cannot_be_taken_in_does_not_end_the_thread() -> None:
    reported: list[int] = []
    ended = threading.Event()

    def report(request: TaskRequest, outcome: Outcome) -> None:
        reported.append(request.attempt)
        if request.attempt < THREADS:
            raise RuntimeError("the engine has a fault")
        ended.set()

    pool = CallPool(lambda request: Outcome("succeeded"), report, lambda later: True)
    for attempt in range(THREADS + 1):
        pool.submit(TaskRequest("arn", attempt, "S", None, None, None))  # type: ignore[arg-type]  # is not looked at

    assert ended.wait(10)
    assert sorted(reported) == list(range(THREADS + 1))
    pool.close()


def test_waiting_for_an_execution_ends_with_it_or_with_the_time() -> None:
    release = threading.Event()

    def invoke(name: str, payload: bytes) -> LambdaResult:
        release.wait(20)
        return LambdaResult(payload)

    engine = Engine(lambda_invoke=invoke)
    arn = engine.start_execution(engine.create_state_machine("m", chain(A=task("work"))))
    assert engine.await_end(arn, 0.05).status == "RUNNING"
    threading.Timer(0.1, release.set).start()

    assert engine.await_end(arn, 20).status == "SUCCEEDED"
    assert engine.await_end(arn, 0).status == "SUCCEEDED"
    engine.close()
