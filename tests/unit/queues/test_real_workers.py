"""Batches in the real Lambda runtime: a worker process that is killed loses no message and deletes none."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.aws.account import create_app
from local.aws.clients import create_client
from local.clock import WallClock
from local.http_server import serve
from local.lambda_runtime.runtime import LambdaRuntime
from local.queues import Mapping, QueuePolling
from local.queues.invoking import CallsInThreads
from local.stepfunctions import Engine
from tests.unit.lambda_runtime.deployments import DeploymentsInMemory, archive
from tests.unit.queues.stage import ARN, Shelf

HANDLER = """
import json, os, time

def handler(event, context):
    (record,) = event["Records"]
    order = json.loads(record["body"])
    count = record["attributes"]["ApproximateReceiveCount"]
    with open(order["diary"], "a") as diary:
        diary.write(f"{order['name']} {count}\\n")
    while count == "1" and os.path.exists(order["hold"]):
        time.sleep(0.01)
"""
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:worker"


class MovedClock(WallClock):
    """Real time, of which some can be skipped."""

    skipped = 0.0

    def now(self) -> float:
        return super().now() + self.skipped


class Site:
    """A queue, the runtime and a mapping between them."""

    def __init__(self, clock: MovedClock, sqs: Any, runtime: LambdaRuntime, folder: Path) -> None:
        self.clock, self.runtime = clock, runtime
        self._sqs = sqs
        self._diary = folder / "diary"
        self.hold = folder / "hold"
        self.url = sqs.create_queue(QueueName="work", Attributes={"VisibilityTimeout": "60"})["QueueUrl"]
        shelf = Shelf()
        shelf.kept = [Mapping("m", f"{ARN}work", FUNCTION, batch_size=1, limit=2)]
        self.engine = Engine(clock=clock)
        self.polling = QueuePolling(self.engine, shelf, CallsInThreads(runtime.invoke))
        self.polling.start()

    def send(self, name: str) -> None:
        order = {"name": name, "diary": str(self._diary), "hold": str(self.hold)}
        self._sqs.send_message(QueueUrl=self.url, MessageBody=json.dumps(order))
        self.polling.wake()

    def skip(self, seconds: float) -> None:
        self.clock.skipped += seconds
        self.engine.call_at(0.0, self.polling.wake)  # long ago, so that the engine looks at its clock again

    def diary(self) -> list[str]:
        return self._diary.read_text().splitlines() if self._diary.exists() else []

    def left(self) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self._sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(map(int, found.values()))


@pytest.fixture
def site(
    start_runtime: Callable[..., LambdaRuntime], deployments: DeploymentsInMemory, tmp_path: Path
) -> Iterator[Site]:
    clock = MovedClock()
    deployments.deploy("worker", "app.handler", code=archive({"app.py": HANDLER}), timeout=30)
    with serve(create_app(clock), name="account") as server:
        site = Site(clock, create_client("sqs", server.url, "us-east-1"), start_runtime(), tmp_path)
        yield site
        site.engine.close()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def test_a_message_whose_worker_is_killed_is_dealt_with_by_another(site: Site) -> None:
    site.hold.touch()
    site.send("a")
    wait_for(lambda: site.diary() == ["a 1"])
    assert site.runtime.kill("worker")
    site.skip(30)
    site.send("b")  # the timeline goes on while the killed one's message is hidden
    wait_for(lambda: site.diary() == ["a 1", "b 1"])
    site.hold.unlink()
    wait_for(lambda: site.left() == 1)
    site.skip(31)
    wait_for(lambda: site.left() == 0)
    assert site.diary() == ["a 1", "b 1", "a 2"]


def test_calls_that_last_hold_up_nothing_but_their_own_places(site: Site) -> None:
    site.hold.touch()
    for name in "abc":
        site.send(name)
    wait_for(lambda: sorted(site.diary()) == ["a 1", "b 1"])
    happened: list[float] = []
    site.engine.call_at(site.clock.now(), lambda: happened.append(1))
    wait_for(lambda: happened == [1])
    assert sorted(site.diary()) == ["a 1", "b 1"]
    site.hold.unlink()
    wait_for(lambda: site.left() == 0)
    assert sorted(site.diary()) == ["a 1", "b 1", "c 1"]
