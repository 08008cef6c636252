"""Rules and schedules as deployed in moto's EventBridge and Scheduler, read in this process.

The only module here that knows moto's inside (pinned; `tests/contract/moto/test_event_source.py` holds it to what the
APIs say).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import moto.backends

from local.event_pump.deployed import Rule, Schedule, Target

# Whoever is called, in which role, and how often it is tried, matters nowhere here.
_HONOURED: Final = frozenset({"Arn", "Id", "RoleArn", "Input", "InputPath", "InputTransformer", "RetryPolicy"})


class MotoEventSource:
    """Reads one region of the account."""

    def __init__(self, account: str = "123456789012", region: str = "us-east-1") -> None:
        self._account = account
        self._region = region

    def rules(self) -> Sequence[Rule]:
        """The rules of the default event bus."""
        bus = self._backend("events").event_buses["default"]
        return [_rule(model) for model in list(bus.rules.values())]

    def schedules(self) -> Sequence[Schedule]:
        """Every schedule of every group."""
        groups = list(self._backend("scheduler").schedule_groups.values())
        return [_schedule(model) for group in groups for model in list(group.schedules.values())]

    def delete_schedule(self, schedule: Schedule) -> None:
        """Remove one that has fired for the last time; one that is gone already is no failure."""
        group = self._backend("scheduler").schedule_groups.get(schedule.group)
        if group is not None:
            group.schedules.pop(schedule.name, None)

    def _backend(self, service: str) -> Any:
        return moto.backends.get_backend(service)[self._account][self._region]


def _rule(model: Any) -> Rule:
    pattern = model.event_pattern.dump()
    return Rule(
        name=model.name,
        arn=model.arn,
        targets=tuple(_target(target) for target in model.targets),
        pattern=json.loads(pattern) if pattern else None,
        expression=model.scheduled_expression or None,
        enabled=model.state == "ENABLED",
    )


def _schedule(model: Any) -> Schedule:
    return Schedule(
        group=model.group_name,
        name=model.name,
        expression=model.schedule_expression,
        timezone=model.schedule_expression_timezone,
        target=_target(model.target),
        created=float(model.creation_date),
        start=_moment(model.start_date),
        end=_moment(model.end_date),
        delete_when_done=model.action_after_completion == "DELETE",
        enabled=model.state == "ENABLED",
    )


def _target(target: Mapping[str, Any]) -> Target:
    transformer = target.get("InputTransformer") or {}
    return Target(
        arn=target["Arn"],
        id=target.get("Id", ""),
        input=target.get("Input"),
        input_path=target.get("InputPath"),
        input_paths=dict(transformer.get("InputPathsMap") or {}),
        input_template=transformer.get("InputTemplate"),
        unsupported=tuple(sorted(set(target) - _HONOURED)),
    )


def _moment(value: Any) -> float | None:
    """Seconds since the epoch, from a number or an ISO 8601 text."""
    if value is None or value == "":
        return None
    if isinstance(value, str) and not value.replace(".", "", 1).isdigit():
        return datetime.fromisoformat(value).timestamp()
    return float(value)
