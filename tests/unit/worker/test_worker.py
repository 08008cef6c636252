"""From a message to the answer that a state machine waits for."""

from __future__ import annotations

import io
import json
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError

from lambdas.adapters.observability import logger
from lambdas.core.errors import Misconfigured, RetryableError
from lambdas.core.steps.results import Next
from lambdas.core.steps.saga import ReleaseReason
from lambdas.worker.patience import BEAT_SECONDS, Patience
from lambdas.worker.worker import Worker
from tests.fakes.provider import Fault, lost_reply
from tests.fakes.tasks import FakeTasks
from tests.unit.core.private_world import WEB, PrivateWorld, make_private_world, ready

CONTEXT: Any = SimpleNamespace(aws_request_id="request-1")


@pytest.fixture
def world() -> PrivateWorld:
    world = make_private_world()
    world.declare("berlin-1")
    return world


def message(saga: str, task: str = "PROVISION", number: int = 1) -> str:
    return json.dumps({"task": task, "saga_id": saga, "resource_id": WEB, "token": f"token-{number}"})


def placed(world: PrivateWorld) -> str:
    saga = world.provisioning_saga()
    world.placing.create(saga, WEB)
    return saga


def do(world: PrivateWorld, tasks: FakeTasks, body: str, over: bool = False) -> list[str]:
    kept: list[str] = []
    Worker(world.worker(), tasks).do(
        body, CONTEXT, keep=lambda: kept.append("kept"), over=lambda: over, wait=world.clock.advance
    )
    return kept


def test_a_task_is_done_and_answered(world: PrivateWorld) -> None:
    tasks, saga = FakeTasks(), placed(world)
    do(world, tasks, message(saga))
    assert ready(world, saga)
    assert tasks.succeeded == [("token-1", {"next": Next.DONE, "delay": 0})]
    assert tasks.beats


def test_a_removal_is_done_and_answered(world: PrivateWorld) -> None:
    tasks, saga = FakeTasks(), placed(world)
    do(world, tasks, message(saga))
    world.sagas.fence(saga, ReleaseReason.DESTROY)
    world.placing.delete(saga, WEB)
    do(world, tasks, message(saga, "RELEASE", 2))
    assert tasks.succeeded[-1] == ("token-2", {"next": Next.DONE, "delay": 0})
    assert world.provider.machines == []


def test_a_steps_error_is_the_answer_under_its_own_name(world: PrivateWorld) -> None:
    tasks, saga = FakeTasks(), placed(world)
    world.provider.faults = [Fault("create", before=lost_reply())]
    do(world, tasks, message(saga))
    assert tasks.failed == [
        ("token-1", "RetryableError", "ReadTimeout: nobody knows whether the call happened"),
    ]


def test_what_breaks_is_answered_by_its_name_and_never_by_its_text(
    world: PrivateWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", log)
    tasks, saga = FakeTasks(), placed(world)
    world.provider.faults = [Fault("create", before=KeyError("hunter2"))]
    do(world, tasks, message(saga))
    [(_, error, cause)] = tasks.failed
    assert error == "KeyError"
    assert "hunter2" not in cause + log.getvalue()
    assert "step broke" in log.getvalue()


def test_what_an_operator_has_to_mend_is_said(world: PrivateWorld) -> None:
    tasks, saga = FakeTasks(), placed(world)
    world.provider.faults = [Fault("create", before=Misconfigured("the secret skysaga/berlin cannot be read"))]
    do(world, tasks, message(saga))
    assert tasks.failed == [("token-1", "Misconfigured", "the secret skysaga/berlin cannot be read")]


def test_a_worker_out_of_time_hands_back(world: PrivateWorld) -> None:
    tasks, saga = FakeTasks(), placed(world)
    do(world, tasks, message(saga), over=True)
    [(_, result)] = tasks.succeeded
    assert result["next"] is Next.WAIT


def test_an_answer_that_could_not_be_given_leaves_the_message_to_be_delivered_again(world: PrivateWorld) -> None:
    tasks, saga = FakeTasks(unavailable=True), placed(world)
    with pytest.raises(RetryableError):
        do(world, tasks, message(saga))
    tasks.unavailable = False
    do(world, tasks, message(saga))
    assert tasks.succeeded == [("token-1", {"next": Next.DONE, "delay": 0})]
    assert len(world.provider.machines) == 1


@pytest.mark.parametrize("body", ["", "{}", '{"task": "DANCE", "saga_id": "s", "resource_id": "r", "token": "t"}'])
def test_a_message_that_is_no_task_is_refused(world: PrivateWorld, body: str) -> None:
    with pytest.raises(ValidationError):
        do(world, FakeTasks(), body)


def test_while_it_waits_it_says_so_every_so_often(world: PrivateWorld) -> None:
    tasks, saga = FakeTasks(), placed(world)
    world.provider.seconds_to_show = 200
    world.provider.repeat_seconds = 300
    kept = do(world, tasks, message(saga))
    assert ready(world, saga)
    assert len(kept) == len(tasks.beats) >= 200 / BEAT_SECONDS


def test_patience_never_waits_longer_than_from_one_beat_to_the_next() -> None:
    beats: list[int] = []
    waits: list[float] = []
    patience = Patience(lambda: beats.append(len(waits)), lambda: False, waits.append)
    assert patience.pause(50)
    assert waits == [20.0, 20.0, 10.0]
    assert beats == [0, 1, 2, 3]


def test_patience_ends_as_soon_as_it_is_time_to_hand_back() -> None:
    waits: list[float] = []
    patience = Patience(lambda: None, lambda: len(waits) == 2, waits.append)
    assert not patience.pause(600)
    assert len(waits) == 2


def test_an_agent_counts_nothing_since_nobody_would_read_it(
    world: PrivateWorld, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "true")
    task = message(placed(world))
    for _ in range(120):  # Powertools writes a hundred at once, whatever it was told
        do(world, FakeTasks(), task)
    assert "StepsDone" not in capsys.readouterr().out
