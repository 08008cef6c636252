"""Rules and schedules as they are deployed, whoever keeps them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Target:
    """Who is called and with what: a fixed `input`, a part of the event, a document made from it, or all of it."""

    arn: str
    id: str = ""
    input: str | None = None
    input_path: str | None = None
    input_paths: Mapping[str, str] = field(default_factory=dict)
    input_template: str | None = None
    unsupported: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rule:
    """A rule of the default event bus: by pattern, by schedule, or both."""

    name: str
    targets: Sequence[Target]
    pattern: Mapping[str, Any] | None = None
    expression: str | None = None
    enabled: bool = True
    arn: str = ""

    @property
    def key(self) -> str:
        """What tells it from all others."""
        return f"rule/{self.name}"


@dataclass(frozen=True)
class Schedule:
    """A schedule of EventBridge Scheduler; moments are seconds since the epoch, and a flexible window is none."""

    group: str
    name: str
    expression: str
    target: Target
    created: float
    timezone: str = "UTC"
    start: float | None = None
    end: float | None = None
    delete_when_done: bool = False
    enabled: bool = True

    @property
    def key(self) -> str:
        """What tells it from all others."""
        return f"schedule/{self.group}/{self.name}"


class Source(Protocol):
    """Where rules and schedules are kept."""

    def rules(self) -> Sequence[Rule]:
        """The rules of the default event bus."""
        ...

    def schedules(self) -> Sequence[Schedule]:
        """Every schedule of every group."""
        ...

    def delete_schedule(self, schedule: Schedule) -> None:
        """Remove one that has fired for the last time; one that is gone already is no failure."""
        ...
