"""A table's stream calls its function as Lambda has it: in order, in batches, again, and in the end no more."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.event_pump.errors import NotSupported
from local.queues.invoking import Ending
from tests.unit.streams.stage import ANSWERED, DESTINATION, FAILED, THROTTLED, Call, Stage


def test_a_function_is_told_what_was_and_what_is(stage: Stage) -> None:
    stage.start()
    stage.write("a", colour="red")
    stage.write("a", colour="blue")
    stage.dynamodb.delete_item(TableName="t", Key={"pk": {"S": "a"}})
    stage.polling.wake()
    stage.engine.run()
    records = [it for call in stage.workers.calls for it in call.records]
    assert [it["eventName"] for it in records] == ["INSERT", "MODIFY", "REMOVE"]
    assert records[1]["eventSourceARN"] == stage.arn
    assert records[1]["dynamodb"]["OldImage"] == {"pk": {"S": "a"}, "colour": {"S": "red"}}
    assert records[1]["dynamodb"]["NewImage"] == {"pk": {"S": "a"}, "colour": {"S": "blue"}}
    assert "OldImage" not in records[0]["dynamodb"]
    assert "NewImage" not in records[2]["dynamodb"]
    assert isinstance(records[0]["dynamodb"]["ApproximateCreationDateTime"], float)


def test_what_was_written_before_is_read_from_the_beginning_or_not_at_all(stage: Stage) -> None:
    stage.write("a", "b")
    stage.start(from_the_beginning=False)
    stage.write("c")
    stage.engine.run()
    assert stage.workers.told() == [["c"]]
    stage.shelf.kept = []
    stage.polling.wake()
    stage.engine.run()
    stage.start()
    assert stage.workers.told()[1:] == [["a", "b", "c"]]


def test_a_batch_holds_so_many_and_one_call_runs_at_a_time(stage: Stage) -> None:
    stage.workers.behave = lambda _: (1.0, ANSWERED)
    stage.write("a", "b", "c", "d", "e")
    stage.start(batch_size=2)
    assert stage.workers.told() == [["a", "b"], ["c", "d"], ["e"]]
    assert [it.at for it in stage.workers.calls] == [0.0, 1.0, 2.0]
    assert stage.workers.most_running == 1


def test_a_window_waits_for_a_batch_to_fill(stage: Stage) -> None:
    stage.start(batch_size=3, window=2)
    stage.write("a")
    stage.engine.call_at(stage.engine.clock.now() + 1, lambda: stage.write("b"))
    stage.engine.run()
    assert [(it.at, it.keys) for it in stage.workers.calls] == [(2.0, ["a", "b"])]
    stage.write("c", "d", "e")
    stage.engine.run()
    assert [(it.at, it.keys) for it in stage.workers.calls][1:] == [(2.0, ["c", "d", "e"])]


def test_what_no_filter_lets_through_is_passed_over(stage: Stage) -> None:
    named = json.dumps({"dynamodb": {"Keys": {"pk": {"S": [{"prefix": "yes"}]}}}})
    blue = json.dumps({"dynamodb": {"NewImage": {"colour": {"S": ["blue"]}}}})
    stage.start(filters=(named, blue), batch_size=2)
    stage.write("no-1", "yes-1", "no-2", "no-3")
    stage.write("no-4", colour="blue")
    stage.write("no-5", "no-6")
    stage.engine.run()
    assert stage.workers.told() == [["yes-1", "no-4"]]


def test_what_failed_is_told_again_with_all_that_comes_after_it(stage: Stage) -> None:
    def behave(call: Call) -> tuple[float, Ending]:
        return 0.0, call.failing("b") if len(stage.workers.calls) < 3 else ANSWERED

    stage.workers.behave = behave
    stage.write("a", "b", "c")
    stage.start(reports_item_failures=True)
    assert stage.workers.told() == [["a", "b", "c"], ["b", "c"], ["b", "c"]]


@pytest.mark.parametrize(
    "answer", [b"not json", b'{"batchItemFailures": [{"itemIdentifier": "7"}]}', b'{"batchItemFailures": [{}]}']
)
def test_an_answer_that_cannot_be_understood_has_dealt_with_nothing(stage: Stage, answer: bytes) -> None:
    stage.workers.behave = lambda _: (0.0, Ending("answered", answer) if len(stage.workers.calls) < 2 else ANSWERED)
    stage.write("a", "b")
    stage.start(reports_item_failures=True)
    assert stage.workers.told() == [["a", "b"], ["a", "b"]]


def test_a_function_that_is_killed_is_told_all_of_it_again_and_nothing_overtakes_it(stage: Stage) -> None:
    stage.workers.behave = lambda _: (0.0, FAILED if len(stage.workers.calls) < 3 else ANSWERED)
    stage.write("a")
    stage.start(batch_size=1)
    stage.write("b")
    stage.engine.run()
    assert stage.workers.told() == [["a"], ["a"], ["a"], ["b"]]
    assert [it.at for it in stage.workers.calls] == [0.0, 1.0, 3.0, 3.0]


def test_a_batch_that_fails_is_split_until_the_one_that_is_bad_stands_alone(stage: Stage) -> None:
    stage.workers.behave = lambda call: (0.0, FAILED if "c" in call.keys else ANSWERED)
    stage.write("a", "b", "c", "d")
    stage.start(bisects=True, retries=1, destination=DESTINATION)
    told = stage.workers.told()
    assert told[:3] == [["a", "b", "c", "d"], ["a", "b"], ["c", "d"]]
    assert told[-1] == ["d"]
    [lost] = stage.given_up
    assert lost["DDBStreamBatchInfo"]["batchSize"] == 1


def test_what_was_tried_often_enough_is_given_up_and_said_where_it_stands_and_not_what_it_is(stage: Stage) -> None:
    stage.workers.behave = lambda call: (0.0, FAILED if "bad" in call.keys else ANSWERED)
    stage.write("bad", colour="KeptToThemselves")
    stage.start(retries=2, batch_size=1, destination=DESTINATION)
    stage.write("good")
    stage.engine.run()
    assert stage.workers.told() == [["bad"], ["bad"], ["bad"], ["good"]]
    [lost] = stage.given_up
    assert lost["requestContext"]["condition"] == "RetryAttemptsExhausted"
    where = lost["DDBStreamBatchInfo"]
    assert where["startSequenceNumber"] == stage.workers.calls[0].records[0]["dynamodb"]["SequenceNumber"]
    assert "KeptToThemselves" not in json.dumps(lost)


def test_what_has_become_too_old_is_given_up(stage: Stage) -> None:
    stage.workers.behave = lambda call: (0.0, FAILED if "a" in call.keys else ANSWERED)
    stage.write("a")
    stage.start(oldest=10, batch_size=1, destination=DESTINATION)
    stage.write("b")
    stage.engine.run()
    assert stage.given_up[0]["requestContext"]["condition"] == "RecordAgeExceeded"
    assert stage.workers.told()[-1] == ["b"]


def test_a_call_that_is_throttled_is_made_again_and_is_no_try(stage: Stage) -> None:
    stage.workers.behave = lambda _: (0.0, THROTTLED if len(stage.workers.calls) < 5 else ANSWERED)
    stage.write("a")
    stage.start(retries=0, destination=DESTINATION)
    assert stage.workers.told() == [["a"]] * 5
    assert stage.given_up == []


def test_another_version_of_the_function_goes_on_where_the_one_before_was(stage: Stage) -> None:
    stage.start()
    stage.write("a")
    stage.engine.run()
    stage.change(batch_size=50)
    stage.write("b")
    stage.engine.run()
    assert stage.workers.told() == [["a"], ["b"]]


def test_a_mapping_that_is_disabled_reads_nothing(stage: Stage) -> None:
    stage.start(enabled=False)
    stage.write("a")
    stage.engine.run()
    assert stage.workers.calls == []


@pytest.mark.parametrize(
    ("mapping", "name"),
    [({"unsupported": ("ScalingConfig",)}, "ScalingConfig"), ({"filters": ('{"a": 1}',)}, "the filter")],
)
def test_what_cannot_be_played_is_refused_by_name(stage: Stage, mapping: dict[str, Any], name: str) -> None:
    with pytest.raises(NotSupported, match=name):
        stage.start(**mapping)
