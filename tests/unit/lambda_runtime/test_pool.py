"""Which worker a call gets: an idle one, one that soon is, or a new one."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import cast

import pytest

from local.lambda_runtime.functions import CodeArchive, DeployedFunction
from local.lambda_runtime.pool import PATIENCE_SECONDS, STALLED_SECONDS, WorkerPool
from local.lambda_runtime.worker import Worker


@dataclass
class Idler:
    """A worker that does nothing."""

    function: DeployedFunction
    alive: bool = True

    def close(self) -> None:
        self.alive = False

    kill = close


@dataclass
class Started:
    """Starts workers, and counts them."""

    workers: list[Idler] = field(default_factory=list)

    def __call__(self, function: DeployedFunction) -> Worker:
        self.workers.append(Idler(function))
        return cast("Worker", self.workers[-1])


@pytest.fixture
def started() -> Started:
    return Started()


@pytest.fixture
def pool(started: Started) -> WorkerPool:
    return WorkerPool(started, limit=3)


FUNCTION = DeployedFunction(
    arn="arn:aws:lambda:us-east-1:123456789012:function:one",
    version="1",
    handler="one.handler",
    runtime="python3.11",
    timeout=30,
    memory=256,
    code=CodeArchive("0" * 64, bytes),
)


def test_the_first_call_starts_a_worker_and_the_next_one_gets_it(pool: WorkerPool, started: Started) -> None:
    first = pool.acquire(FUNCTION)
    pool.release(first)
    assert pool.acquire(FUNCTION) is first
    assert len(started.workers) == 1


def test_a_call_waits_for_a_busy_worker_that_is_soon_idle(pool: WorkerPool, started: Started) -> None:
    first = pool.acquire(FUNCTION)
    soon = threading.Timer(PATIENCE_SECONDS / 5, pool.release, [first])
    soon.start()
    assert pool.acquire(FUNCTION) is first
    assert len(started.workers) == 1


def test_a_call_waits_no_longer_than_it_is_patient(pool: WorkerPool, started: Started) -> None:
    first = pool.acquire(FUNCTION)
    assert pool.acquire(FUNCTION) is not first
    assert len(started.workers) == 2


def test_a_worker_that_dies_busy_is_replaced(pool: WorkerPool, started: Started) -> None:
    first = pool.acquire(FUNCTION)
    assert pool.kill_busy()
    pool.release(first)
    assert pool.acquire(FUNCTION) is not first


def test_many_short_calls_at_once_share_a_worker(pool: WorkerPool, started: Started) -> None:
    pool.release(pool.acquire(FUNCTION))

    def call(_: int) -> None:
        pool.release(pool.acquire(FUNCTION))

    with ThreadPoolExecutor(8) as callers:
        list(callers.map(call, range(50)))
    assert len(started.workers) == 1


def test_long_polls_do_not_keep_others_from_being_served(pool: WorkerPool, started: Started) -> None:
    for _ in range(3):
        pool.acquire(FUNCTION)
    began = time.monotonic()
    another = pool.acquire(FUNCTION)
    assert another is cast("Worker", started.workers[3])
    assert STALLED_SECONDS <= time.monotonic() - began < 3 * STALLED_SECONDS
    pool.release(another)
    assert pool.acquire(FUNCTION) is another


def test_who_waits_for_workers_that_work_starts_no_more_of_them(pool: WorkerPool, started: Started) -> None:
    def work(_: int) -> None:
        worker = pool.acquire(FUNCTION)
        time.sleep(PATIENCE_SECONDS * 2)
        pool.release(worker)

    with ThreadPoolExecutor(9) as callers:
        list(callers.map(work, range(12)))
    assert len(started.workers) == 3


def test_when_long_polls_are_over_no_more_workers_stay_than_there_may_be(pool: WorkerPool, started: Started) -> None:
    polls = [pool.acquire(FUNCTION) for _ in range(5)]
    for worker in polls:
        pool.release(worker)
    assert sum(it.alive for it in started.workers) == 3
