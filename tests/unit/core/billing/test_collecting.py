"""Reading a source: page by page, from wherever the last one to do so came to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from io import BytesIO
from typing import BinaryIO, NamedTuple

import pytest

from lambdas.core.billing.spans import Span
from lambdas.core.billing.windows import Read, SourceState
from lambdas.core.errors import CursorExpired, Overtaken, TerminalError, Throttled
from lambdas.core.ports.costs import ExportedFile, Page, Rows, Unchanged
from lambdas.core.steps.collecting import (
    BUSY_SECONDS,
    MOST_WAITS,
    CollectingSteps,
    Collection,
    CollectionStatus,
    Errand,
    Surroundings,
)
from tests.fakes.billing import SINCE, hourly
from tests.fakes.clock import FakeClock
from tests.fakes.cost_files import FakeStaging
from tests.fakes.windows import FakeWindows

Answer = Page | Unchanged | Exception


def page(number: int, cursor: str | None) -> Page:
    return Page(Rows([{"x_Charge": str(number)}]), cursor)


TOKEN = "token-1"
THREE_PAGES: list[Answer] = [page(1, "b"), page(2, "c"), page(3, None)]


class Script:
    """A source that answers one after the other, and remembers what it was asked."""

    def __init__(self, answers: list[Answer]) -> None:
        self.answers = answers
        self.asked: list[tuple[Span, str | None, datetime | None]] = []

    def page(self, span: Span, cursor: str | None, unless: datetime | None) -> Page | Unchanged:
        self.asked.append((span, cursor, unless))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Desk(NamedTuple):
    """A collector and everything around it."""

    script: Script
    windows: FakeWindows
    staging: FakeStaging
    clock: FakeClock
    paused: list[float]

    def collect(
        self,
        window: str = "2026-01-01T05",
        token: str = TOKEN,
        left: Callable[[], float] = lambda: 900.0,
        alive: Callable[[], bool] = lambda: True,
        call: str = "first",
        pause: Callable[[float], object] | None = None,
    ) -> Collection | None:
        steps = CollectingSteps(hourly(), self.script, self.windows, self.staging, self.clock)
        errand = Errand(window, token, self.clock.now() + timedelta(minutes=70), call)
        return steps.collect(errand, Surroundings(alive, left, pause or self.pause))

    def pause(self, seconds: float) -> None:
        self.paused.append(seconds)
        self.clock.advance(seconds)

    @property
    def read(self) -> Read:
        state = self.windows.state("hourly")
        assert state is not None
        assert state.read is not None
        return state.read

    def staged(self) -> list[str]:
        return [str(row["x_Charge"]) for row in self.staging.rows("hourly", self.read)]


@pytest.fixture
def desk() -> Desk:
    return Desk(Script(list(THREE_PAGES)), FakeWindows(), FakeStaging(), FakeClock(SINCE + timedelta(hours=5)), [])


def test_a_read_stages_every_page_of_what_is_due(desk: Desk) -> None:
    assert desk.collect() == {"status": CollectionStatus.STAGED, "wait": 0}
    assert desk.staged() == ["1", "2", "3"]
    assert {span for span, _, _ in desk.script.asked} == {Span(SINCE, SINCE + timedelta(hours=3))}
    assert [cursor for _, cursor, _ in desk.script.asked] == [None, "b", "c"]


def test_nothing_due_is_done_and_lets_go_of_the_source(desk: Desk) -> None:
    desk = desk._replace(clock=FakeClock(SINCE))
    assert desk.collect() == {"status": CollectionStatus.DONE, "wait": 0}
    state = desk.windows.state("hourly")
    assert state is not None
    assert state.holder is None


def test_low_on_time_it_hands_over_and_its_successor_carries_on_from_the_cursor(desk: Desk) -> None:
    seconds = iter([900.0, 900.0, 10.0])
    assert desk.collect(left=lambda: next(seconds)) is None
    assert desk.staged() == ["1"] or desk.staged() == ["1", "2"]
    assert desk.collect() == {"status": CollectionStatus.STAGED, "wait": 0}
    assert desk.staged() == ["1", "2", "3"]
    assert len(desk.script.asked) == 3


def test_a_retry_with_another_token_carries_on_in_the_same_execution(desk: Desk) -> None:
    desk.script.answers.insert(1, RuntimeError("killed"))
    with pytest.raises(RuntimeError):
        desk.collect(token="token-1")
    assert desk.collect(token="token-2") == {"status": CollectionStatus.STAGED, "wait": 0}
    assert desk.staged() == ["1", "2", "3"]
    assert len(desk.read.segments) == 2


def test_who_was_overtaken_notices_at_the_next_page_and_what_it_stages_does_not_count(desk: Desk) -> None:
    intruder = Desk(Script([page(2, "c"), page(3, None)]), desk.windows, desk.staging, desk.clock, [])

    def overtake() -> bool:
        if desk.script.asked:
            intruder.collect(token="token-2")
        return True

    with pytest.raises(Overtaken):
        desk.collect(token="token-1", alive=overtake)
    assert desk.staged() == ["1", "2", "3"]


def test_a_call_that_was_delivered_twice_replaces_no_page_that_counts(desk: Desk) -> None:
    class Delivery(Script):
        """Files of another delivery, which has come since the first call asked."""

        def page(self, span: Span, cursor: str | None, unless: datetime | None) -> Page | Unchanged:
            desk.collect()
            return super().page(span, cursor, unless)

    twin = Desk(Delivery([page(7, "z")]), desk.windows, desk.staging, desk.clock, [])
    with pytest.raises(Overtaken):
        twin.collect(call="second")
    assert desk.staged() == ["1", "2", "3"]


def test_a_task_that_nobody_waits_for_any_more_is_left(desk: Desk) -> None:
    with pytest.raises(Overtaken):
        desk.collect(alive=lambda: False)
    assert desk.windows.states() == []
    alive = iter([True, False])
    with pytest.raises(Overtaken):
        desk.collect(alive=lambda: next(alive))
    assert desk.staged() == ["1"]


def test_a_call_that_comes_late_does_not_take_the_source_from_its_successor(desk: Desk) -> None:
    def ended_here() -> bool:
        with pytest.raises(Overtaken):
            desk.collect(token="token-1", alive=lambda: False)
        return True

    assert desk.collect(token="token-2", alive=ended_here) == {"status": CollectionStatus.STAGED, "wait": 0}


def test_a_source_that_another_hour_s_execution_reads_is_waited_for(desk: Desk) -> None:
    desk.script.answers.insert(1, RuntimeError("killed"))
    with pytest.raises(RuntimeError):
        desk.collect(window="2026-01-01T05")
    waiting = desk.collect(window="2026-01-01T06", token="token-2")
    assert waiting is not None
    assert waiting["status"] is CollectionStatus.PENDING
    desk.clock.advance(400)
    assert desk.collect(window="2026-01-01T06", token="token-3") == {"status": CollectionStatus.STAGED, "wait": 0}


def test_a_short_wait_is_waited_for_here_and_a_long_one_by_the_state_machine(desk: Desk) -> None:
    desk.script.answers.insert(1, Throttled("429", "slow down", 12))
    desk.script.answers.insert(3, Throttled("429", "slow down", 600))
    assert desk.collect() == {"status": CollectionStatus.PENDING, "wait": 600}
    assert desk.paused == [12]


def test_a_source_that_said_when_is_not_asked_before_by_anybody(desk: Desk) -> None:
    desk.script.answers.insert(0, Throttled("429", "slow down", 1800))
    desk.collect()
    desk.clock.advance(1000)
    assert desk.collect(window="2026-01-01T06", token="token-2") == {"status": CollectionStatus.PENDING, "wait": 800}
    assert len(desk.script.asked) == 1


def test_what_a_source_says_to_who_was_overtaken_counts_too(desk: Desk) -> None:
    class Late(Script):
        """Answers when somebody else has taken over."""

        def page(self, span: Span, cursor: str | None, unless: datetime | None) -> Page | Unchanged:
            desk.collect(token="token-2")
            return super().page(span, cursor, unless)

    desk.script.answers[1:] = [Throttled("429", "slow down", 30)]
    late = Desk(Late([Throttled("429", "slow down", 1800)]), desk.windows, desk.staging, desk.clock, [])
    with pytest.raises(Overtaken):
        late.collect(token="token-1")
    assert desk.collect(token="token-3") == {"status": CollectionStatus.PENDING, "wait": 1800}


def test_what_a_source_says_to_somebody_else_is_heeded_before_the_next_page(desk: Desk) -> None:
    def quiet(state: SourceState | None) -> SourceState:
        assert state is not None
        return state.model_copy(update={"quiet_until": desk.clock.now() + timedelta(seconds=300)})

    class Talkative(Script):
        """Says to somebody else, at the same time, when it may be asked again."""

        def page(self, span: Span, cursor: str | None, unless: datetime | None) -> Page | Unchanged:
            desk.windows.change_state("hourly", quiet)
            return super().page(span, cursor, unless)

    talkative = desk._replace(script=Talkative(list(THREE_PAGES)))
    assert talkative.collect() == {"status": CollectionStatus.PENDING, "wait": 300}
    assert desk.staged() == ["1"]


def test_a_source_that_asks_for_patience_stays_held_meanwhile(desk: Desk) -> None:
    desk.script.answers[:0] = [Throttled("JobRunning", "still running", 20)] * 30
    waiting: list[Collection | None] = []

    def pause(seconds: float) -> None:
        desk.clock.advance(seconds)
        if len(desk.script.answers) == len(THREE_PAGES):
            waiting.append(desk.collect(window="2026-01-01T06", token="token-2"))

    assert desk.collect(pause=pause) == {"status": CollectionStatus.STAGED, "wait": 0}
    assert waiting == [{"status": CollectionStatus.PENDING, "wait": BUSY_SECONDS}]


def test_a_source_that_says_to_come_again_at_once_is_left_alone_for_a_moment(desk: Desk) -> None:
    desk.script.answers.insert(0, Throttled("429", "slow down", 0))
    assert desk.collect() == {"status": CollectionStatus.STAGED, "wait": 0}
    assert desk.paused == [1]


def test_a_read_that_was_begun_meanwhile_is_not_replaced(desk: Desk) -> None:
    class Slow(FakeWindows):
        """Whose second write is overtaken by a whole reading."""

        def change_state(self, source: str, change: Callable[[SourceState | None], SourceState]) -> SourceState:
            if self.state(source) is not None:
                desk.collect(call="second")
            return super().change_state(source, change)

    slow = Slow()
    slow._states = desk.windows._states
    with pytest.raises(Overtaken):
        desk._replace(windows=slow).collect()
    assert desk.staged() == ["1", "2", "3"]


def test_a_wait_beyond_the_limit_is_left_to_the_next_hour(desk: Desk) -> None:
    desk.script.answers.insert(0, Throttled("429", "slow down", 2 * 3600))
    assert desk.collect() == {"status": CollectionStatus.DONE, "wait": 0}


def test_an_execution_waits_only_so_often(desk: Desk) -> None:
    desk.script.answers[:0] = [Throttled("429", "slow down", 30) for _ in range(MOST_WAITS + 1)]
    for number in range(MOST_WAITS):
        waiting = desk.collect(token=f"token-{number}")
        assert waiting is not None
        assert waiting["status"] is CollectionStatus.PENDING
        desk.clock.advance(30)
    assert desk.collect(token="token-last") == {"status": CollectionStatus.DONE, "wait": 0}


def test_an_expired_cursor_begins_the_read_again_and_drops_what_was_staged(desk: Desk) -> None:
    desk.script.answers.insert(2, CursorExpired("gone"))
    desk.script.answers[3:] = list(THREE_PAGES)
    assert desk.collect() == {"status": CollectionStatus.STAGED, "wait": 0}
    assert desk.staged() == ["1", "2", "3"]


def test_a_source_that_changes_under_every_reading_fails_and_is_begun_anew_next_hour(desk: Desk) -> None:
    desk.script.answers[:] = [CursorExpired("gone") for _ in range(10)]
    with pytest.raises(TerminalError):
        desk.collect()
    desk.script.answers[:] = list(THREE_PAGES)
    desk.clock.advance(3600)
    assert desk.collect(window="2026-01-01T06", token="token-2") == {"status": CollectionStatus.STAGED, "wait": 0}


def test_a_source_that_knows_of_nothing_new_has_no_page(desk: Desk) -> None:
    desk.script.answers[:] = [Unchanged()]
    assert desk.collect() == {"status": CollectionStatus.STAGED, "wait": 0}
    assert desk.read.unchanged
    assert desk.read.pages == 0


def test_the_token_is_in_no_record(desk: Desk) -> None:
    desk.collect(token="a-secret-token")
    state = desk.windows.state("hourly")
    assert state is not None
    assert "a-secret-token" not in state.model_dump_json()


class SlowStaging(FakeStaging):
    """Copies a file in three slow reads."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self._clock = clock

    def put(self, source: str, read: str, run: str, number: int, content: Rows | ExportedFile) -> None:
        assert isinstance(content, ExportedFile)
        with content.open() as file:
            while file.read(1):
                self._clock.advance(200)


@contextmanager
def opened() -> Iterator[BinaryIO]:
    yield BytesIO(b"abc")


def test_a_file_that_takes_long_is_beaten_for_and_its_source_held(desk: Desk) -> None:
    desk.script.answers[:] = [Page(ExportedFile("csv", opened), None)]
    slow = desk._replace(staging=SlowStaging(desk.clock))
    beats: list[datetime] = []

    def alive() -> bool:
        beats.append(desk.clock.now())
        return True

    assert slow.collect(alive=alive) == {"status": CollectionStatus.STAGED, "wait": 0}
    assert len(beats) == 5  # before it takes the source, at each slow read, and after the page
    state = desk.windows.state("hourly")
    assert state is not None
    assert state.holder is not None
    assert state.holder.until > desk.clock.now()


def test_a_file_that_nobody_waits_for_any_more_is_not_read_to_its_end(desk: Desk) -> None:
    desk.script.answers[:] = [Page(ExportedFile("csv", opened), None)]
    slow = desk._replace(staging=SlowStaging(desk.clock))
    answers = iter([True, False])
    with pytest.raises(Overtaken):
        slow.collect(alive=lambda: next(answers))
