"""The stream's function: tells what has changed, counts what has ended, and asks for what it could not tell again."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from lambdas.adapters.ledger_items import batch_items, event_item, header_item, resource_item, shard_item
from lambdas.adapters.ledger_stream import NamesOfSagas
from lambdas.announce.handler import Announcer, announce_handler
from lambdas.core.changes import new_shards
from lambdas.core.errors import RetryableError
from lambdas.core.model import Division, Event, Position, Resource, Saga
from lambdas.core.states import ResourceStatus, SagaStatus
from tests.fakes.announcements import FakeAnnouncements
from tests.fakes.context import Context
from tests.unit.adapters.conftest import log_text
from tests.unit.core.test_announcing import NOW, OPENED, resource, saga

__all__ = ["log_text"]

WHEN = int(datetime(2026, 11, 26, 9, 5, tzinfo=UTC).timestamp())


class Silent:
    """A ledger that does not answer."""

    def saga(self, saga_id: str) -> Saga:
        raise RetryableError("Throttled", saga_id)


class Knowing:
    """A ledger that knows one saga, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def saga(self, saga_id: str) -> Saga:
        self.asked += 1
        return saga(SagaStatus.PROVISIONING, id=saga_id)


def record(number: int, before: Saga | Resource | None, after: Saga | Resource, key: str) -> dict[str, Any]:
    images = {"OldImage": before, "NewImage": after}
    items = {
        name: {"pk": {"S": "s-1"}, "sk": {"S": key}, "document": {"S": it.model_dump_json()}}
        for name, it in images.items()
        if it is not None
    }
    change = {"ApproximateCreationDateTime": float(WHEN), "SequenceNumber": str(number), **items}
    return {"eventName": "MODIFY", "dynamodb": change}


def opened(number: int) -> dict[str, Any]:
    return record(number, None, saga(SagaStatus.PENDING), "HEADER")


def committed(number: int) -> dict[str, Any]:
    after = saga(SagaStatus.COMMITTED, finished_at=NOW)
    return record(number, saga(SagaStatus.PROVISIONING), after, "HEADER")


def ready(number: int) -> dict[str, Any]:
    before = resource(ResourceStatus.CREATING, created_at=OPENED, trouble=2)
    after = resource(ResourceStatus.READY, created_at=OPENED, ready_at=NOW, cloud_id="vol-1")
    return record(number, before, after, "RESOURCE#data")


def handled(
    records: Sequence[dict[str, Any]], announcements: FakeAnnouncements, ledger: Any = None
) -> list[dict[str, str]]:
    """What is reported to have failed."""
    asked: Any = ledger or Knowing()
    handler = announce_handler(lambda: Announcer(announcements, NamesOfSagas(lambda: asked)))
    answer = handler({"Records": list(records)}, Context())
    assert answer is not None
    failures: list[dict[str, str]] = answer["batchItemFailures"]
    return failures


def documents(output: str, metric: str) -> list[dict[str, Any]]:
    return [it for it in map(json.loads, output.splitlines()) if metric in it]


def test_what_has_changed_is_told_in_order() -> None:
    announcements = FakeAnnouncements()
    assert handled([opened(1), ready(2), committed(3)], announcements) == []
    assert [it.KIND for it in announcements.announced] == ["Saga changed", "Resource changed", "Saga changed"]


def test_every_figure_is_a_document_of_its_own_with_its_own_dimensions(capsys: pytest.CaptureFixture[str]) -> None:
    handled([ready(1), committed(2)], FakeAnnouncements())
    output = capsys.readouterr().out
    wanted = {
        "SagasEnded": ("ending", "COMMITTED", [1.0], "Count"),
        "SagaSeconds": ("ending", "COMMITTED", [300.0], "Seconds"),
        "TimeToReady": ("provider", "aws", [300.0], "Seconds"),
        "FaultsRecovered": ("provider", "aws", [2.0], "Count"),
    }
    for metric, (dimension, value, values, unit) in wanted.items():
        [document] = documents(output, metric)
        [described] = document["_aws"]["CloudWatchMetrics"]
        assert described["Namespace"] == "skysaga"
        assert [sorted(it) for it in described["Dimensions"]] == [sorted(["service", dimension])]
        assert described["Metrics"] == [{"Name": metric, "Unit": unit}]
        assert (document[dimension], document[metric]) == (value, values)


def test_what_was_not_taken_is_asked_for_again_from_there_and_not_counted_yet(
    capsys: pytest.CaptureFixture[str],
) -> None:
    announcements = FakeAnnouncements(deaf_from=1)
    assert handled([opened(1), ready(2), committed(3)], announcements) == [{"itemIdentifier": "2"}]
    output = capsys.readouterr().out
    assert documents(output, "TimeToReady") == documents(output, "SagasEnded") == []


def test_what_comes_again_is_told_as_the_same() -> None:
    announcements = FakeAnnouncements()
    for _ in range(2):
        handled([ready(2)], announcements)
    first, second = announcements.announced
    assert first == second


def test_a_record_that_cannot_be_read_holds_up_what_comes_after_it_and_nothing_before(log_text: io.StringIO) -> None:
    broken = ready(2)
    broken["dynamodb"]["NewImage"]["document"]["S"] = '{"secret": "KeptToThemselves"}'
    announcements = FakeAnnouncements()
    assert handled([opened(1), broken, committed(3)], announcements) == [{"itemIdentifier": "2"}]
    assert [it.id for it in announcements.announced] == ["s-1/7"]
    assert '"error":"ValidationError"' in log_text.getvalue()
    assert "KeptToThemselves" not in log_text.getvalue()


def test_a_saga_whose_header_has_not_passed_is_looked_up_once() -> None:
    announcements, ledger = FakeAnnouncements(), Knowing()
    assert handled([ready(1), ready(2)], announcements, ledger) == []
    assert ledger.asked == 1
    assert {it.labels["team"] for it in announcements.announced} == {"payments"}  # type: ignore[attr-defined]


def test_a_saga_whose_header_has_passed_is_not_looked_up() -> None:
    ledger = Knowing()
    handled([opened(1), ready(2)], FakeAnnouncements(), ledger)
    assert ledger.asked == 0


def test_a_ledger_that_does_not_answer_has_its_record_come_again() -> None:
    assert handled([ready(5)], FakeAnnouncements(), Silent()) == [{"itemIdentifier": "5"}]


def test_what_is_neither_header_nor_resource_is_passed_over() -> None:
    announcements = FakeAnnouncements()
    claim = {"pk": {"S": "CLUSTERS"}, "sk": {"S": "CLAIMED#east"}}
    change = {"ApproximateCreationDateTime": float(WHEN), "SequenceNumber": "1", "NewImage": claim}
    assert (
        handled([{"dynamodb": change}, {"dynamodb": {"SequenceNumber": "2", "OldImage": claim}}], announcements) == []
    )
    assert announcements.announced == []


def test_a_large_saga_that_is_opened_is_told_as_one_although_its_header_is_written_last() -> None:
    large = saga(SagaStatus.PENDING, waves=(), division=Division(waves=(1,), shards=1))
    planned = resource(ResourceStatus.PLANNED, position=Position(wave=0, shard=0))
    [shard] = new_shards(large, [planned])
    event = Event(seq=1, shard=0, at=OPENED, status=ResourceStatus.PLANNED, resource_id="data")
    items = [
        shard_item(shard),
        *batch_items(large, [planned]),
        resource_item(planned, 0),
        event_item("s-1", event),
        header_item(large),
    ]
    announcements, ledger = FakeAnnouncements(), Knowing()

    assert handled([inserted(number, item) for number, item in enumerate(items)], announcements, ledger) == []

    assert [it.KIND for it in announcements.announced] == ["Saga changed"]
    assert ledger.asked == 0
    assert [item["sk"]["S"].partition("#")[0] for item in items] == [
        "SHARD",
        "BATCH",
        "RESOURCE",
        "SHARDEVENT",
        "HEADER",
    ]


def inserted(number: int, item: dict[str, Any]) -> dict[str, Any]:
    change = {"ApproximateCreationDateTime": float(WHEN), "SequenceNumber": str(number), "NewImage": item}
    return {"eventName": "INSERT", "dynamodb": change}
