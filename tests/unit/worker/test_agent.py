"""The agent: as many tasks at a time as its cluster bears, a drain that loses nothing, and reports every minute."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread
from time import monotonic, sleep
from typing import Any, cast

import pytest

from lambdas.adapters.observability import logger
from lambdas.core.errors import RetryableError
from lambdas.core.steps.results import Next, StepResult
from lambdas.core.steps.working import Pause, TaskKind
from lambdas.worker.agent import Agent
from lambdas.worker.reporting import Reporting
from lambdas.worker.worker import Worker
from tests.fakes.provider import Fault, lost_reply
from tests.fakes.queue import FakeQueue
from tests.fakes.tasks import FakeTasks
from tests.unit.core.private_world import PrivateWorld, make_private_world

CONCURRENCY = 3


class HeldSteps:
    """Steps that are at work until the test lets them go, and that are patient for as long as they may be."""

    def __init__(self) -> None:
        self.at_work = 0
        self.most = 0
        self.let_go = Event()
        self._lock = Lock()

    def work(self, kind: TaskKind, saga_id: str, resource_id: str, pause: Pause) -> StepResult:
        with self._lock:
            self.at_work += 1
            self.most = max(self.most, self.at_work)
        try:
            while not self.let_go.wait(0.005):
                if not pause(0):
                    return {"next": Next.WAIT, "delay": 7}
            return {"next": Next.DONE, "delay": 0}
        finally:
            with self._lock:
                self.at_work -= 1


def task(number: int) -> str:
    document = {"task": "PROVISION", "saga_id": f"s{number}", "resource_id": "web", "token": f"token-{number}"}
    return json.dumps(document)


def eventually(claim: Callable[[], bool]) -> None:
    deadline = monotonic() + 5
    while not claim():
        assert monotonic() < deadline, "never came true"
        sleep(0.005)


@pytest.fixture
def world() -> PrivateWorld:
    world = make_private_world()
    world.declare("berlin-1")
    return world


class Site:
    """An agent at its work."""

    def __init__(self, world: PrivateWorld) -> None:
        self.steps = HeldSteps()
        self.tasks = FakeTasks()
        self.queue = FakeQueue()
        settings = {name: world.clusters.standing(name).settings for name in world.names}
        reporting = Reporting(settings, world.provider, world.clusters)
        worker = Worker(cast(Any, self.steps), self.tasks)
        self.agent = Agent(self.queue, lambda: worker, lambda: reporting, CONCURRENCY, report_seconds=0.02)
        self.queue.closed = lambda: not self._thread.is_alive() or self._stopping
        self._thread = Thread(target=self.agent.run)
        self._stopping = False

    @contextmanager
    def at_work(self) -> Iterator[Site]:
        self._thread.start()
        try:
            yield self
        finally:
            self.stop()

    def stop(self) -> None:
        self._stopping = True
        self.agent.stop()
        self._thread.join(5)
        assert not self._thread.is_alive(), "it does not drain"


def test_it_takes_as_many_tasks_at_a_time_as_its_cluster_bears(world: PrivateWorld) -> None:
    with Site(world).at_work() as site:
        for number in range(8):
            site.queue.send(task(number))
        eventually(lambda: site.steps.at_work == CONCURRENCY)
        assert len(site.queue.visible) == 8 - CONCURRENCY
        site.steps.let_go.set()
        eventually(lambda: len(site.queue.deleted) == 8)
        assert site.steps.most == CONCURRENCY
        assert sorted(token for token, _ in site.tasks.succeeded) == [f"token-{number}" for number in range(8)]


def test_it_asks_for_no_more_than_it_has_hands_for(world: PrivateWorld) -> None:
    with Site(world).at_work() as site:
        for number in range(2):
            site.queue.send(task(number))
        eventually(lambda: site.steps.at_work == 2)
        eventually(lambda: site.queue.asked_for[-1] == 1)
        site.steps.let_go.set()


def test_a_drain_hands_back_what_is_waited_for_and_deletes_it(world: PrivateWorld) -> None:
    site = Site(world)
    with site.at_work():
        site.queue.send(task(1))
        eventually(lambda: site.steps.at_work == 1)
        site.stop()
    assert site.tasks.succeeded == [("token-1", {"next": "WAIT", "delay": 7})]
    assert site.queue.hidden == []
    assert len(site.queue.deleted) == 1


def test_a_drain_loses_no_message(world: PrivateWorld) -> None:
    site = Site(world)
    with site.at_work():
        for number in range(6):
            site.queue.send(task(number))
        eventually(lambda: site.steps.at_work == CONCURRENCY)
        site.stop()
    answered = len(site.tasks.succeeded)
    assert site.queue.hidden == []
    assert answered + len(site.queue.visible) == 6


def test_a_message_at_work_is_kept_from_others(world: PrivateWorld) -> None:
    with Site(world).at_work() as site:
        sent = site.queue.send(task(1))
        eventually(lambda: site.queue.kept.count(sent) > 2)
        site.steps.let_go.set()


def test_a_message_that_is_no_task_is_left_for_the_dead_letter_queue(world: PrivateWorld) -> None:
    with Site(world).at_work() as site:
        site.steps.let_go.set()
        wrong = site.queue.send("what is this?")
        right = site.queue.send(task(1))
        eventually(lambda: right in site.queue.deleted)
        assert wrong in site.queue.hidden


def test_an_answer_that_could_not_be_given_leaves_the_message_in_the_queue(world: PrivateWorld) -> None:
    with Site(world).at_work() as site:
        site.tasks.unavailable = True
        site.steps.let_go.set()
        sent = site.queue.send(task(1))
        eventually(lambda: sent in site.queue.hidden and site.steps.at_work == 0)
        assert sent not in site.queue.deleted


def test_it_reports_as_long_as_it_is_at_work_whatever_fails(world: PrivateWorld) -> None:
    world.provider.faults = [Fault("survey", before=lost_reply())]
    before = world.clusters.reported_at("berlin-1")
    world.clock.advance(60)
    with Site(world).at_work():
        eventually(lambda: world.clusters.reported_at("berlin-1") > before)


def test_one_cluster_that_does_not_answer_does_not_keep_the_others_from_being_reported_on(world: PrivateWorld) -> None:
    world.declare("berlin-2")
    settings = {name: world.clusters.standing(name).settings for name in world.names}
    world.clock.advance(60)
    world.provider.faults = [Fault("survey", before=lost_reply())]
    with pytest.raises(RetryableError, match="no report from berlin-1"):
        Reporting(settings, world.provider, world.clusters).report()
    assert world.clusters.reported_at("berlin-2") == world.clock.now()


def test_each_line_of_its_log_is_about_the_saga_that_its_thread_works_on(
    world: PrivateWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", log)
    with Site(world).at_work() as site:
        for number in range(CONCURRENCY):
            site.queue.send(task(number))
        eventually(lambda: site.steps.at_work == CONCURRENCY)
        site.steps.let_go.set()
        eventually(lambda: len(site.queue.deleted) == CONCURRENCY)
    done = [line for line in map(json.loads, log.getvalue().splitlines()) if line["message"] == "step done"]
    assert sorted(line["correlation_id"] for line in done) == [f"s{number}" for number in range(CONCURRENCY)]


def test_reports_go_on_after_whatever_went_wrong(world: PrivateWorld) -> None:
    world.provider.faults = [Fault("survey", before=KeyError("not a step's error"))]
    before = world.clusters.reported_at("berlin-1")
    world.clock.advance(60)
    with Site(world).at_work():
        eventually(lambda: world.clusters.reported_at("berlin-1") > before)
