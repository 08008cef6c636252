"""The engine on the wall's clock: its own thread, its pool, and callers that wait."""

import threading
import time
from collections.abc import Iterator
from queue import Queue
from typing import Any

import pytest

from local.stepfunctions import Engine, LambdaResult
from tests.unit.stepfunctions.machines import chain, task


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine(lambda_invoke=lambda name, payload: LambdaResult(payload))
    yield engine
    engine.close()


def finished(engine: Engine, arn: str) -> Any:
    engine.wait(lambda: not engine.execution(arn).running, 5)
    return engine.execution(arn)


def test_functions_are_called_on_a_pool_and_their_results_taken_in(engine: Engine) -> None:
    arn = engine.start_execution(engine.create_state_machine("m", chain(A=task("f"), B=task("f"))), {"n": 1})
    assert finished(engine, arn).output_text == '{"n":1}'


def test_a_wait_takes_its_time(engine: Engine) -> None:
    machine = engine.create_state_machine("m", chain(W={"Type": "Wait", "Seconds": 1}))
    began = time.monotonic()
    finished(engine, engine.start_execution(machine))
    assert 0.9 < time.monotonic() - began < 3


def test_a_waiting_worker_gets_the_task_when_it_comes(engine: Engine) -> None:
    activity = engine.api.answer("CreateActivity", {"name": "a"}, engine)["activityArn"]
    taken: list[Any] = []

    def work() -> None:
        taken.append(engine.api.answer("GetActivityTask", {"activityArn": activity}, engine))

    worker = threading.Thread(target=work)
    worker.start()
    arn = engine.start_execution(engine.create_state_machine("m", chain(A={"Type": "Task", "Resource": activity})))
    worker.join(timeout=5)
    engine.api.answer("SendTaskSuccess", {"taskToken": taken[0]["taskToken"], "output": "1"}, engine)
    assert finished(engine, arn).status == "SUCCEEDED"


def test_wait_time_scale_shortens_waits() -> None:
    engine = Engine(wait_scale=0.001)
    began = time.monotonic()
    arn = engine.start_execution(engine.create_state_machine("m", chain(W={"Type": "Wait", "Seconds": 60})))
    assert finished(engine, arn).status == "SUCCEEDED"
    engine.close()
    assert time.monotonic() - began < 3


def test_every_change_of_status_is_announced() -> None:
    seen: Queue[str] = Queue()
    engine = Engine(on_status_change=lambda detail: seen.put(detail["status"]))
    engine.start_execution(engine.create_state_machine("m", chain(P={"Type": "Pass"})))
    statuses = [seen.get(timeout=5), seen.get(timeout=5)]
    engine.close()
    assert statuses == ["RUNNING", "SUCCEEDED"]
