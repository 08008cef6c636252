"""A table of a local account in virtual time, a mapping of its stream in memory, and functions as a test wants them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from local.clock import VirtualClock
from local.queues.invoking import Ending
from local.stepfunctions import Engine
from local.streams import Mapping, StreamPolling
from local.streams.moto_source import MotoStreams

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:worker:live"
DESTINATION = "arn:aws:sqs:us-east-1:123456789012:lost"
ANSWERED = Ending("answered", b"null")
FAILED = Ending("failed")
THROTTLED = Ending("throttled")


@dataclass(frozen=True)
class Call:
    """A function's call: when it began, in seconds from the test's beginning, and which items it was told of."""

    at: float
    keys: Sequence[str]
    records: Sequence[dict[str, Any]]

    def failing(self, key: str) -> Ending:
        """The answer that says that the record of an item has failed."""
        (number,) = [it["dynamodb"]["SequenceNumber"] for it in self.records if _key(it) == key]
        return Ending("answered", json.dumps({"batchItemFailures": [{"itemIdentifier": number}]}).encode())


class Workers:
    """Functions: `behave(call)` says after how many seconds a call ends, and how."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._began = engine.clock.now()
        self.behave: Callable[[Call], tuple[float, Ending]] = lambda _call: (0.0, ANSWERED)
        self.calls: list[Call] = []
        self.running = 0
        self.most_running = 0

    def call(self, function_arn: str, payload: bytes, ended: Callable[[Ending], None]) -> None:
        assert function_arn == FUNCTION
        records = json.loads(payload)["Records"]
        now = self._engine.clock.now()
        call = Call(round(now - self._began, 1), [_key(it) for it in records], records)
        self.calls.append(call)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        seconds, ending = self.behave(call)
        self._engine.call_at(now + seconds, lambda: self._end(ending, ended))

    def _end(self, ending: Ending, ended: Callable[[Ending], None]) -> None:
        self.running -= 1
        ended(ending)

    def told(self) -> list[Sequence[str]]:
        return [call.keys for call in self.calls]


class Shelf(MotoStreams):
    """moto's streams, with mappings that a test puts here."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[Mapping] = []

    def mappings(self) -> Sequence[Mapping]:
        return list(self.kept)


class Stage:
    """A table with a stream, and a mapping of it to a function."""

    def __init__(self, clock: VirtualClock, dynamodb: Any) -> None:
        self.dynamodb = dynamodb
        self.engine = Engine(clock=clock)
        self.workers = Workers(self.engine)
        self.shelf = Shelf()
        self.given_up: list[dict[str, Any]] = []
        self.polling = StreamPolling(self.engine, self.shelf, self.workers, self._give_up)
        self.arn = make_table(dynamodb)

    def start(self, **mapping: Any) -> None:
        self.shelf.kept = [Mapping("m", self.arn, FUNCTION, **mapping)]
        self.polling.start()
        self.engine.run()

    def change(self, **mapping: Any) -> None:
        self.shelf.kept = [replace(self.shelf.kept[0], **mapping)]
        self.polling.wake()

    def write(self, *keys: str, **attributes: str) -> None:
        for key in keys:
            item = {"pk": {"S": key}, **{name: {"S": value} for name, value in attributes.items()}}
            self.dynamodb.put_item(TableName="t", Item=item)
        self.polling.wake()

    def _give_up(self, arn: str, text: str) -> None:
        assert arn == DESTINATION
        self.given_up.append(json.loads(text))


def make_table(dynamodb: Any) -> str:
    """The table `t`, by the ARN of its stream."""
    made = dynamodb.create_table(
        TableName="t",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    return str(made["TableDescription"]["LatestStreamArn"])


def _key(record: dict[str, Any]) -> str:
    return str(record["dynamodb"]["Keys"]["pk"]["S"])
