"""The pump's view of moto's EventBridge and Scheduler is what their APIs say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from moto import mock_aws

from local.event_pump import Rule, Schedule, Target
from local.event_pump.moto_source import MotoEventSource

ALIAS = "arn:aws:states:us-east-1:123456789012:stateMachine:m:live"
ROLE = "arn:aws:iam::123456789012:role/r"


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    with mock_aws():
        yield


def client(service: str) -> Any:
    session: Any = boto3.Session(region_name="us-east-1")
    return session.client(service)


def test_a_rule_is_there_with_its_pattern_and_targets() -> None:
    events = client("events")
    pattern = {"source": ["aws.states"], "detail": {"status": ["FAILED"]}}
    arn = events.put_rule(Name="rescue", EventPattern=json.dumps(pattern))["RuleArn"]
    transformer = {"InputPathsMap": {"n": "$.detail.name"}, "InputTemplate": '{"saga_id": <n>}'}
    events.put_targets(
        Rule="rescue", Targets=[{"Id": "t", "Arn": ALIAS, "RoleArn": ROLE, "InputTransformer": transformer}]
    )
    target = Target(ALIAS, id="t", input_paths={"n": "$.detail.name"}, input_template='{"saga_id": <n>}')
    assert MotoEventSource().rules() == [Rule("rescue", (target,), pattern, arn=arn)]


def test_a_rule_by_schedule_that_is_disabled_says_so() -> None:
    client("events").put_rule(Name="r", ScheduleExpression="rate(5 minutes)", State="DISABLED")
    (rule,) = MotoEventSource().rules()
    assert (rule.expression, rule.pattern, rule.enabled) == ("rate(5 minutes)", None, False)


def test_what_a_target_has_that_nobody_plays_is_named() -> None:
    events = client("events")
    events.put_rule(Name="r", ScheduleExpression="rate(5 minutes)")
    events.put_targets(Rule="r", Targets=[{"Id": "t", "Arn": ALIAS, "SqsParameters": {"MessageGroupId": "g"}}])
    assert MotoEventSource().rules()[0].targets[0].unsupported == ("SqsParameters",)


def test_a_schedule_is_there_with_all_that_decides_when_it_fires() -> None:
    scheduler = client("scheduler")
    scheduler.create_schedule_group(Name="g")
    start, end = (datetime(2030, 1, day, tzinfo=UTC) for day in (1, 2))
    scheduler.create_schedule(
        Name="s",
        GroupName="g",
        ScheduleExpression="rate(1 hour)",
        ScheduleExpressionTimezone="Europe/Berlin",
        StartDate=start,
        EndDate=end,
        FlexibleTimeWindow={"Mode": "OFF"},
        ActionAfterCompletion="DELETE",
        Target={"Arn": ALIAS, "RoleArn": ROLE, "Input": "{}"},
    )
    created = scheduler.get_schedule(Name="s", GroupName="g")["CreationDate"].timestamp()
    (schedule,) = MotoEventSource().schedules()
    assert schedule == Schedule(
        "g",
        "s",
        "rate(1 hour)",
        Target(ALIAS, input="{}"),
        created=schedule.created,
        timezone="Europe/Berlin",
        start=start.timestamp(),
        end=end.timestamp(),
        delete_when_done=True,
    )
    assert abs(schedule.created - created) < 1


def test_a_schedule_that_is_done_is_gone_for_the_api_too() -> None:
    scheduler = client("scheduler")
    scheduler.create_schedule(
        Name="s",
        ScheduleExpression="at(2030-01-01T00:00:00)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": ALIAS, "RoleArn": ROLE},
    )
    source = MotoEventSource()
    (schedule,) = source.schedules()
    source.delete_schedule(schedule)
    source.delete_schedule(schedule)
    assert scheduler.list_schedules()["Schedules"] == []
