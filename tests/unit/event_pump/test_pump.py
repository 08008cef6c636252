"""The pump on the engine's clock: firings, events, deliveries, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from local.clock import VirtualClock
from local.event_pump import EventPump, NotSupported, Rule, Schedule, Target
from local.event_pump.targets import LocalTargets
from local.stepfunctions import Engine

NOW = 1_700_000_000.0  # 2023-11-14T22:13:20Z
TARGET = Target("arn:aws:lambda:us-east-1:123456789012:function:f", input="{}")


@dataclass
class Shelf:
    """Rules and schedules in memory."""

    kept_rules: list[Rule] = field(default_factory=list)
    kept: dict[str, Schedule] = field(default_factory=dict)

    def rules(self) -> Sequence[Rule]:
        return list(self.kept_rules)

    def schedules(self) -> Sequence[Schedule]:
        return list(self.kept.values())

    def delete_schedule(self, schedule: Schedule) -> None:
        self.kept.pop(schedule.name, None)

    def put(self, name: str = "s", expression: str = "rate(1 hour)", **more: Any) -> None:
        self.kept[name] = Schedule("default", name, expression, more.pop("target", TARGET), created=NOW, **more)


class Stage:
    """A pump with an engine in virtual time, and targets that write down what they are told and when."""

    def __init__(self) -> None:
        self.clock = VirtualClock(NOW)
        self.shelf = Shelf()
        self.told: list[tuple[float, str]] = []
        self.failures = 0
        self.engine = Engine(clock=self.clock, on_status_change=self.changed)
        targets = LocalTargets(self.engine.start_execution, self.hear, lambda service: None)
        self.pump = EventPump(self.engine, self.shelf, targets)

    def changed(self, detail: dict[str, Any]) -> None:
        self.pump.status_changed(detail)

    def hear(self, _arn: str, text: str) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError("not now")
        self.told.append((self.clock.now() - NOW, text))

    def moments(self) -> list[float]:
        return [moment for moment, _ in self.told]


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_a_rate_fires_again_and_again(stage: Stage) -> None:
    stage.shelf.put()
    stage.pump.start()
    stage.engine.advance(3 * 3600)
    assert stage.moments() == [3600, 7200, 10800]


def test_a_one_time_schedule_fires_once_and_is_deleted_where_it_says_so(stage: Stage) -> None:
    stage.shelf.put("goes", "at(2023-11-14T22:14:00)", delete_when_done=True)
    stage.shelf.put("stays", "at(2023-11-14T22:14:10)")
    stage.pump.start()
    stage.engine.run()
    assert stage.moments() == [40, 50]
    assert set(stage.shelf.kept) == {"stays"}


def test_a_recurring_schedule_keeps_to_its_first_and_last_moment(stage: Stage) -> None:
    stage.shelf.put(start=NOW + 600, end=NOW + 8000)
    stage.pump.start()
    stage.engine.run()
    assert stage.moments() == [600, 4200, 7800]


def test_what_is_changed_or_deleted_no_longer_fires_and_what_is_new_does(stage: Stage) -> None:
    stage.shelf.put("a")
    stage.shelf.put("b")
    stage.pump.start()
    stage.shelf.put("a", "at(2023-11-14T22:13:30)")
    del stage.shelf.kept["b"]
    stage.pump.refresh()
    stage.engine.run()
    assert stage.moments() == [10]


def test_refreshing_changes_nothing_for_what_has_not_changed(stage: Stage) -> None:
    stage.shelf.put()
    stage.pump.start()
    stage.engine.advance(1800)
    stage.pump.refresh()
    stage.engine.advance(1800)
    assert stage.moments() == [3600]


def test_what_is_disabled_does_not_fire(stage: Stage) -> None:
    stage.shelf.put(enabled=False)
    stage.pump.start()
    stage.engine.run()
    assert stage.told == []


def test_a_rule_fires_on_schedule_with_a_scheduled_event(stage: Stage) -> None:
    stage.shelf.kept_rules.append(
        Rule("r", [replace(TARGET, input=None)], expression="cron(20 22 * * ? *)", arn="arn:rule")
    )
    stage.pump.start()
    stage.engine.advance(3600)
    ((moment, text),) = stage.told
    assert moment == 400
    event = json.loads(text)
    assert (event["source"], event["detail-type"], event["resources"]) == (
        "aws.events",
        "Scheduled Event",
        ["arn:rule"],
    )


def test_an_execution_that_fails_reaches_the_rule_that_listens_for_it(stage: Stage) -> None:
    definition = {"StartAt": "No", "States": {"No": {"Type": "Fail", "Error": "No"}}}
    machine = stage.engine.create_state_machine("m", definition)
    other = stage.engine.create_state_machine("other", definition)
    pattern = {"source": ["aws.states"], "detail": {"status": ["FAILED"], "stateMachineArn": [machine]}}
    told = Target(TARGET.arn, input_paths={"n": "$.detail.name"}, input_template='{"saga_id": <n>}')
    stage.shelf.kept_rules.append(Rule("r", [told], pattern=pattern))
    stage.pump.start()
    stage.engine.start_execution(machine, name="one")
    stage.engine.start_execution(other, name="two")
    stage.engine.run()
    assert [text for _, text in stage.told] == ['{"saga_id": "one"}']


def test_a_target_that_fails_is_called_again_ever_less_often(stage: Stage) -> None:
    stage.shelf.put(expression="at(2023-11-14T22:13:30)")
    stage.failures = 3
    stage.pump.start()
    stage.engine.run()
    assert stage.moments() == [10 + 1 + 2 + 4]


def test_a_target_that_fails_for_a_day_is_given_up(stage: Stage) -> None:
    stage.shelf.put(expression="at(2023-11-14T22:13:30)")
    stage.failures = 10_000
    stage.pump.start()
    stage.engine.run()
    assert stage.told == []
    assert 0.9 * 86_400 < stage.clock.now() - NOW < 86_400 + 20


@pytest.mark.parametrize(
    ("schedule", "named"),
    [
        ({"expression": "every hour"}, "schedule/default/s: 'every hour'"),
        ({"timezone": "Mars/Olympus", "expression": "cron(0 1 * * ? *)"}, "Mars/Olympus"),
        ({"target": Target("arn:aws:ecs:us-east-1:1:cluster/c")}, "arn:aws:ecs"),
        ({"target": replace(TARGET, unsupported=("EcsParameters",))}, "EcsParameters"),
        ({"target": replace(TARGET, input='"<aws.scheduler.attempt-number>"')}, "aws.scheduler"),
    ],
)
def test_what_it_cannot_play_it_refuses_by_name_at_the_start(
    stage: Stage, schedule: dict[str, Any], named: str
) -> None:
    stage.shelf.put(**schedule)
    with pytest.raises(NotSupported, match=named):
        stage.pump.start()


def test_what_comes_later_and_cannot_be_played_is_left_out_and_the_rest_goes_on(stage: Stage) -> None:
    stage.pump.start()
    stage.shelf.put("bad", "every hour")
    stage.shelf.put("good", "at(2023-11-14T22:13:30)")
    stage.pump.refresh()
    stage.engine.run()
    assert stage.moments() == [10]
