"""Queues of a local account in virtual time, mappings in memory, and functions that take as long as a test says."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from local.clock import VirtualClock
from local.queues import Mapping, QueuePolling
from local.queues.invoking import Ending
from local.queues.moto_source import MotoQueues
from local.stepfunctions import Engine

ARN = "arn:aws:sqs:us-east-1:123456789012:"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:worker:live"
ANSWERED = Ending("answered", b"null")
FAILED = Ending("failed")
THROTTLED = Ending("throttled")


@dataclass(frozen=True)
class Call:
    """A function's call: when it began, in seconds from the test's beginning, and the bodies it was given."""

    at: float
    function: str
    bodies: Sequence[str]
    event: dict[str, Any]

    def receive_counts(self) -> list[int]:
        return [int(record["attributes"]["ApproximateReceiveCount"]) for record in self.event["Records"]]


class Workers:
    """Functions: `behave(call)` says after how many seconds a call ends, and how; None is never."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._began = engine.clock.now()
        self.behave: Callable[[Call], tuple[float, Ending] | None] = lambda _call: (0.0, ANSWERED)
        self.calls: list[Call] = []
        self.running = 0
        self.most_running = 0

    def call(self, function_arn: str, payload: bytes, ended: Callable[[Ending], None]) -> None:
        event = json.loads(payload)
        now = self._engine.clock.now()
        call = Call(round(now - self._began, 1), function_arn, [it["body"] for it in event["Records"]], event)
        self.calls.append(call)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        behaviour = self.behave(call)
        if behaviour is not None:
            seconds, ending = behaviour
            self._engine.call_at(now + seconds, lambda: self._end(ending, ended))

    def _end(self, ending: Ending, ended: Callable[[Ending], None]) -> None:
        self.running -= 1
        ended(ending)

    def bodies(self) -> list[str]:
        return [body for call in self.calls for body in call.bodies]


class Shelf(MotoQueues):
    """moto's queues, with mappings that a test puts here."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[Mapping] = []

    def mappings(self) -> Sequence[Mapping]:
        return list(self.kept)


class Stage:
    """A queue with a dead-letter queue (three receives, 60 seconds of hiding) and a mapping to a function."""

    def __init__(self, clock: VirtualClock, sqs: Any) -> None:
        self.sqs = sqs
        self.engine = Engine(clock=clock)
        self.workers = Workers(self.engine)
        self.shelf = Shelf()
        self.polling = QueuePolling(self.engine, self.shelf, self.workers)
        self.dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
        redrive = json.dumps({"deadLetterTargetArn": f"{ARN}dead", "maxReceiveCount": 3})
        attributes = {"RedrivePolicy": redrive, "VisibilityTimeout": "60"}
        self.url = sqs.create_queue(QueueName="work", Attributes=attributes)["QueueUrl"]

    def start(self, **mapping: Any) -> None:
        self.shelf.kept = [Mapping("m", f"{ARN}work", FUNCTION, **mapping)]
        self.polling.start()
        self.engine.run()

    def change(self, **mapping: Any) -> None:
        self.shelf.kept = [replace(self.shelf.kept[0], **mapping)]
        self.polling.wake()

    def send(self, *bodies: str, **more: Any) -> None:
        for body in bodies:
            self.sqs.send_message(QueueUrl=self.url, MessageBody=body, **more)
        self.polling.wake()

    def left(self, url: str | None = None) -> int:
        """How many messages a queue holds, hidden ones included."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=url or self.url, AttributeNames=names)["Attributes"]
        return sum(int(number) for number in found.values())
