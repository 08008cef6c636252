"""From a collector's payload to the task that it ends, hands over or leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from lambdas.adapters.collecting import CollectorParts, collect_handler
from lambdas.adapters.observability import StepHandler
from lambdas.core.billing.sources import Sources
from lambdas.core.billing.spans import Span
from lambdas.core.errors import RetryableError, TerminalError, Throttled
from lambdas.core.ports.costs import Page, Rows, Unchanged
from tests.fakes.billing import SINCE, hourly
from tests.fakes.clock import FakeClock
from tests.fakes.context import Context
from tests.fakes.cost_files import FakeStaging
from tests.fakes.tasks import FakeTasks
from tests.fakes.windows import FakeWindows

TOKEN = "token-1"
EVENT = {"source": "hourly", "window": "2026-01-01T05", "token": TOKEN, "started_at": "2026-01-01T05:00:02.123Z"}


class TimedContext(Context):
    """A call with so much time left."""

    def __init__(self, seconds: float) -> None:
        super().__init__("skysaga-gcp-costs:7", "request")
        self.get_remaining_time_in_millis = lambda: int(seconds * 1000)  # type: ignore[method-assign]  # Powertools declares a static method


@dataclass
class World:
    """A collector of one source, which answers once with a page or an error."""

    answer: Page | Exception = Page(Rows([]), None)  # noqa: RUF009 - nothing changes it
    tasks: FakeTasks = field(default_factory=FakeTasks)
    windows: FakeWindows = field(default_factory=FakeWindows)
    handed_over: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    made: int = 0

    def declared(self) -> Sources:
        return {"hourly": hourly()}

    def page(self, span: Span, cursor: str | None, unless: datetime | None) -> Page | Unchanged:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def handler(self) -> StepHandler:
        parts = CollectorParts(
            self,
            self.windows,
            FakeStaging(),
            self.tasks,
            FakeClock(SINCE + timedelta(hours=5)),
            lambda function, event: self.handed_over.append((function, event)),
            lambda seconds: None,
        )

        def make(_: object) -> World:
            self.made += 1
            return self

        return collect_handler(make, lambda: parts)


def test_a_read_that_is_complete_ends_the_task() -> None:
    world = World()
    world.handler()(EVENT, TimedContext(900))
    assert world.tasks.succeeded == [(TOKEN, {"status": "STAGED", "wait": 0})]
    assert world.tasks.beats == [TOKEN, TOKEN]


def test_low_on_time_the_same_version_is_called_again_with_the_same_event() -> None:
    world = World()
    world.handler()(EVENT, TimedContext(30))
    assert world.handed_over == [("arn:aws:lambda:us-east-1:123456789012:function:skysaga-gcp-costs:7", EVENT)]
    assert world.tasks.succeeded == []


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (RetryableError("ServiceUnavailable", "for now"), "RetryableError"),
        (TerminalError("AccessDenied", "the role may not"), "TerminalError"),
    ],
)
def test_an_error_ends_the_task_under_a_name_that_the_state_machine_knows(error: Exception, name: str) -> None:
    world = World(error)
    world.handler()(EVENT, TimedContext(900))
    assert world.tasks.failed == [(TOKEN, name, str(error))]


def test_a_throttled_source_is_waited_for_by_the_state_machine() -> None:
    world = World(Throttled("429", "slow down", 240))
    world.handler()(EVENT, TimedContext(900))
    assert world.tasks.succeeded == [(TOKEN, {"status": "PENDING", "wait": 240})]


def test_a_task_that_nobody_waits_for_is_left_without_an_answer() -> None:
    world = World(tasks=FakeTasks(ended={TOKEN}))
    world.handler()(EVENT, TimedContext(900))
    assert (world.tasks.succeeded, world.tasks.failed, world.handed_over) == ([], [], [])


def test_a_source_that_is_declared_no_more_fails_for_good() -> None:
    world = World()
    world.handler()({**EVENT, "source": "gone"}, TimedContext(900))
    assert [(name, cause) for _, name, cause in world.tasks.failed] == [
        ("TerminalError", "NoSuchSource: the source 'gone' is not declared any more")
    ]


def test_a_source_is_made_once_while_the_function_is_warm() -> None:
    world = World()
    handler = world.handler()
    handler(EVENT, TimedContext(900))
    handler(EVENT, TimedContext(900))
    assert world.made == 1
