"""What a target is told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.event_pump.deployed import Target
from local.event_pump.errors import NotSupported
from local.event_pump.inputs import check, render

EVENT: dict[str, Any] = {
    "time": "2026-01-01T00:00:00Z",
    "detail": {"name": 'say "hi"', "count": 3, "items": [{"id": 7}], "nothing": None},
}


def told(template: str, **paths: str) -> str:
    return render(Target("arn", input_paths=paths, input_template=template), EVENT, "rule", "arn:rule")


def test_without_more_it_is_the_event() -> None:
    assert json.loads(render(Target("arn"), EVENT)) == EVENT


def test_a_fixed_input_is_given_as_it_is() -> None:
    assert render(Target("arn", input='{"a":  1}'), EVENT) == '{"a":  1}'


def test_a_path_picks_a_part() -> None:
    assert render(Target("arn", input_path="$.detail.items[0]"), EVENT) == '{"id": 7}'


def test_outside_quotation_marks_a_placeholder_is_json() -> None:
    document = told('{"a": <n>, "b": <c>, "c": <l>}', n="$.detail.name", c="$.detail.count", l="$.detail.items")
    assert json.loads(document) == {"a": 'say "hi"', "b": 3, "c": [{"id": 7}]}


def test_inside_quotation_marks_it_is_text() -> None:
    assert json.loads(told('"<n> <c> times"', n="$.detail.name", c="$.detail.count")) == 'say "hi" 3 times'


def test_what_the_event_lacks_is_empty() -> None:
    assert json.loads(told('{"a": <x>, "b": "<x>"}', x="$.detail.missing")) == {"a": "", "b": ""}


def test_the_rule_and_the_event_are_there_without_a_path() -> None:
    assert told('"<aws.events.rule-name>"') == '"rule"'
    assert json.loads(told("<aws.events.event>")) == EVENT


@pytest.mark.parametrize(
    "target",
    [
        Target("arn", input_path="$..name"),
        Target("arn", input_paths={"a": "$.detail[*]"}, input_template="<a>"),
        Target("arn", input_template="<missing>"),
    ],
)
def test_what_cannot_be_filled_is_refused(target: Target) -> None:
    with pytest.raises(NotSupported):
        check(target)
