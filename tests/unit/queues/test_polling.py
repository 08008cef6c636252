"""Mappings in virtual time: what functions are given and when, and what becomes of the messages."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import replace

import pytest

from local.event_pump import NotSupported
from local.queues import Mapping
from local.queues.invoking import Ending
from tests.unit.queues.stage import ANSWERED, ARN, FAILED, FUNCTION, THROTTLED, Call, Stage


def test_a_message_is_handed_to_the_function_at_once_and_deleted(stage: Stage) -> None:
    stage.start()
    stage.send("one")
    stage.engine.run()
    (call,) = stage.workers.calls
    assert (call.at, call.function, call.bodies) == (0, FUNCTION, ["one"])
    assert stage.left() == 0


def test_the_event_says_of_a_message_what_lambda_says(stage: Stage) -> None:
    stage.start()
    kind = {"kind": {"DataType": "String", "StringValue": "order"}}
    stage.send('{"n": 1}', MessageAttributes=kind)
    stage.engine.run()
    (record,) = stage.workers.calls[0].event["Records"]
    assert set(record.pop("attributes")) == {
        *("ApproximateReceiveCount", "SentTimestamp", "SenderId", "ApproximateFirstReceiveTimestamp")
    }
    assert record.pop("messageId")
    assert record.pop("receiptHandle")
    assert record == {
        "body": '{"n": 1}',
        "md5OfBody": hashlib.md5(b'{"n": 1}', usedforsecurity=False).hexdigest(),
        "messageAttributes": {
            "kind": {"dataType": "String", "stringValue": "order", "stringListValues": [], "binaryListValues": []}
        },
        "eventSource": "aws:sqs",
        "eventSourceARN": f"{ARN}work",
        "awsRegion": "us-east-1",
    }


def test_messages_that_wait_are_taken_in_batches(stage: Stage) -> None:
    stage.send(*"abcdefg")
    stage.start(batch_size=3)
    assert [call.bodies for call in stage.workers.calls] == [list("abc"), list("def"), ["g"]]


def test_a_batching_window_gathers_until_it_closes_or_the_batch_is_full(stage: Stage) -> None:
    stage.start(batch_size=3, window=10)
    stage.send("a")
    stage.engine.advance(6)
    stage.send("b")
    stage.engine.advance(6)
    stage.send(*"cdef")
    stage.engine.advance(9)
    stage.engine.advance(2)
    assert [(call.at, list(call.bodies)) for call in stage.workers.calls] == [
        *((10, ["a", "b"]), (12, ["c", "d", "e"]), (22, ["f"]))
    ]
    assert stage.left() == 0


@pytest.mark.parametrize(("limit", "at_once"), [(2, 2), (7, 7), (None, 5)])
def test_never_more_calls_than_the_limit_run_at_a_time(stage: Stage, limit: int | None, at_once: int) -> None:
    stage.workers.behave = lambda call: (1 + int(call.bodies[0]) % 7, ANSWERED)
    stage.start(batch_size=1, limit=limit)
    for number in range(60):
        stage.send(str(number))
        stage.engine.advance(0.25)
    stage.engine.run()
    assert stage.workers.most_running == at_once
    assert sorted(stage.workers.bodies()) == sorted(map(str, range(60)))
    assert stage.left() == 0


def test_what_waits_for_a_free_place_is_not_received_before(stage: Stage) -> None:
    stage.workers.behave = lambda _call: (50, ANSWERED)
    stage.start(batch_size=1, limit=2)
    stage.send(*"abcdefgh")
    stage.engine.run()
    assert [call.at for call in stage.workers.calls] == [0, 0, 50, 50, 100, 100, 150, 150]
    assert all(call.receive_counts() == [1] for call in stage.workers.calls)
    assert stage.left(stage.dead) == 0


def test_what_a_killed_worker_held_comes_again_after_the_visibility_timeout(stage: Stage) -> None:
    killed = iter([True, False])
    stage.workers.behave = lambda _call: (7, FAILED if next(killed) else ANSWERED)
    stage.start()
    stage.send("work")
    stage.engine.run()
    assert [(call.at, call.receive_counts()) for call in stage.workers.calls] == [(0, [1]), (60, [2])]
    assert stage.left() == 0


def test_a_message_whose_call_outlives_the_visibility_timeout_is_handed_to_another(stage: Stage) -> None:
    calls = iter([100, 1])
    stage.workers.behave = lambda _call: (next(calls), ANSWERED)
    stage.start()
    stage.send("slow")
    stage.engine.run()
    assert [call.at for call in stage.workers.calls] == [0, 60]
    assert stage.left() == 0


def test_a_message_that_fails_too_often_goes_to_the_dead_letter_queue(stage: Stage) -> None:
    stage.workers.behave = lambda call: (1, FAILED if "poison" in call.bodies else ANSWERED)
    stage.start(batch_size=1)
    stage.send("poison", "good")
    stage.engine.run()
    assert [call.at for call in stage.workers.calls if "poison" in call.bodies] == [0, 60, 120]
    assert stage.left() == 0
    (dead,) = stage.sqs.receive_message(QueueUrl=stage.dead)["Messages"]
    assert dead["Body"] == "poison"


def test_only_the_messages_that_a_function_reports_as_failed_come_again(stage: Stage) -> None:
    def behave(call: Call) -> tuple[float, Ending]:
        failed = [it["messageId"] for it in call.event["Records"] if it["body"] == "b" and call.at < 60]
        report = {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}
        return 1, Ending("answered", json.dumps(report).encode())

    stage.workers.behave = behave
    stage.start(reports_item_failures=True)
    stage.send(*"abc")
    stage.engine.run()
    assert [call.bodies for call in stage.workers.calls] == [["a", "b", "c"], ["b"]]
    assert stage.left() == 0


@pytest.mark.parametrize(
    ("answer", "deleted"),
    [
        ("null", True),
        ("{}", True),
        ('{"batchItemFailures": null}', True),
        ('{"batchItemFailures": []}', True),
        ('"done"', False),
        ('{"batchItemFailures": [{"itemIdentifier": ""}]}', False),
        ('{"batchItemFailures": [{"itemIdentifier": null}]}', False),
        ('{"batchItemFailures": [{"id": "x"}]}', False),
        ('{"batchItemFailures": [{"itemIdentifier": "nobody"}]}', False),
    ],
)
def test_an_answer_that_reports_nothing_is_success_and_one_that_is_not_understood_is_failure(
    stage: Stage, answer: str, deleted: bool
) -> None:
    stage.workers.behave = lambda _call: (1, Ending("answered", answer.encode()))
    stage.start(reports_item_failures=True)
    stage.send("m")
    stage.engine.advance(30)
    assert (stage.left() == 0) is deleted


def test_an_answer_means_nothing_where_failures_are_not_to_be_reported(stage: Stage) -> None:
    stage.workers.behave = lambda call: (
        1,
        Ending("answered", b'{"batchItemFailures": [{"itemIdentifier": "nobody"}]}'),
    )
    stage.start()
    stage.send("m")
    stage.engine.run()
    assert stage.left() == 0


def test_a_throttled_batch_is_tried_again_while_it_is_hidden_and_keeps_its_place(stage: Stage) -> None:
    stage.workers.behave = lambda call: (0, ANSWERED if call.at >= 10 else THROTTLED)
    stage.start(batch_size=1, limit=2)
    stage.send(*"abc")
    stage.engine.run()
    assert [(call.at, call.bodies[0]) for call in stage.workers.calls] == [
        *((0, "a"), (0, "b"), (1, "a"), (1, "b"), (3, "a"), (3, "b"), (7, "a"), (7, "b")),
        *((15, "a"), (15, "b"), (15, "c")),
    ]
    assert stage.left() == 0


def test_a_batch_that_stays_throttled_is_dropped_and_comes_again_from_the_queue(stage: Stage) -> None:
    stage.workers.behave = lambda call: (0, ANSWERED if call.at >= 60 else THROTTLED)
    stage.start()
    stage.send("m")
    stage.engine.run()
    assert [call.at for call in stage.workers.calls] == [0, 1, 3, 7, 15, 31, 60]
    assert stage.workers.calls[-1].receive_counts() == [2]


def test_a_delayed_message_is_taken_when_its_delay_is_over(stage: Stage) -> None:
    stage.start()
    stage.send("later", DelaySeconds=90)
    stage.engine.run()
    assert [call.at for call in stage.workers.calls] == [90]


def test_a_message_that_another_consumer_took_and_gave_up_is_taken_when_it_is_visible(stage: Stage) -> None:
    stage.sqs.send_message(QueueUrl=stage.url, MessageBody="m")
    stage.sqs.receive_message(QueueUrl=stage.url, VisibilityTimeout=20)
    stage.start()
    assert [call.at for call in stage.workers.calls] == [20]


def test_a_disabled_mapping_takes_nothing_until_it_is_enabled(stage: Stage) -> None:
    stage.start(enabled=False)
    stage.send("m")
    stage.engine.run()
    assert stage.workers.calls == []
    stage.change(enabled=True)
    stage.engine.run()
    assert stage.workers.bodies() == ["m"]


def test_what_is_under_way_when_a_mapping_is_disabled_is_still_deleted_when_it_is_done(stage: Stage) -> None:
    stage.workers.behave = lambda _call: (10, ANSWERED)
    stage.start(batch_size=1, limit=2)
    stage.send(*"abc")
    stage.engine.advance(5)
    stage.change(enabled=False)
    stage.engine.run()
    assert stage.workers.bodies() == ["a", "b"]
    assert stage.left() == 1


def test_a_changed_mapping_goes_on_with_what_it_says_now(stage: Stage) -> None:
    stage.workers.behave = lambda _call: (10, ANSWERED)
    stage.start(batch_size=1, limit=2)
    stage.send(*"abcdef")
    stage.engine.advance(5)
    stage.change(function_arn=f"{FUNCTION}2", batch_size=3, limit=3)
    stage.engine.run()
    assert [(call.at, call.function[-1], list(call.bodies)) for call in stage.workers.calls] == [
        *((0, "e", ["a"]), (0, "e", ["b"]), (5, "2", ["c", "d", "e"]), (10, "2", ["f"]))
    ]


def test_an_idle_queue_is_not_looked_at(stage: Stage) -> None:
    stage.start()
    stage.send("m")
    stage.engine.run()
    assert stage.engine.step() is False


def test_a_queue_that_is_gone_is_an_empty_one(stage: Stage) -> None:
    stage.sqs.delete_queue(QueueUrl=stage.url)
    stage.start()
    assert stage.workers.calls == []


@pytest.mark.parametrize(
    ("mapping", "reason"),
    [
        (Mapping("m", "arn:aws:dynamodb:us-east-1:123456789012:table/t/stream/s", FUNCTION), "standard queues"),
        (Mapping("m", f"{ARN}q.fifo", FUNCTION), "standard queues"),
        (Mapping("m", f"{ARN}q", FUNCTION, unsupported=("FilterCriteria",)), "FilterCriteria"),
        (Mapping("m", f"{ARN}q", FUNCTION, batch_size=11), "batching window"),
    ],
)
def test_what_cannot_be_played_is_refused_by_name_or_left_out_with_a_word(
    stage: Stage, caplog: pytest.LogCaptureFixture, mapping: Mapping, reason: str
) -> None:
    stage.shelf.kept = [mapping]
    with pytest.raises(NotSupported, match=reason):
        stage.polling.start()
    stage.start()
    stage.shelf.kept.append(replace(mapping, id="new"))
    stage.send("m")
    with caplog.at_level(logging.WARNING):
        stage.engine.run()
    assert reason in caplog.text
    assert stage.workers.bodies() == ["m"]
