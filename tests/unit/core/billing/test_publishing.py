"""From the staged pages of a read to the windows that they fill."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

import pytest

from lambdas.core.billing.planning import settled_at
from lambdas.core.billing.spans import HOUR, Span
from lambdas.core.billing.windows import Read, Segment, SourceState, Window, WindowStatus
from lambdas.core.errors import RetryableError, TerminalError
from lambdas.core.ports.costs import Row, Rows
from lambdas.core.steps.publishing import Published, PublishingSteps
from tests.fakes.billing import SINCE, hourly, monthly
from tests.fakes.clock import FakeClock
from tests.fakes.cost_files import FakeCostFiles, FakeStaging
from tests.fakes.windows import FakeWindows

SOURCE = hourly()


def row(charge: str, hour: int = 0, cost: str = "1.5") -> Row:
    start = SINCE + hour * HOUR
    return {
        "x_Charge": charge,
        "ChargePeriodStart": start,
        "ChargePeriodEnd": start + HOUR,
        "BillingPeriodStart": SOURCE.calendar.period_of(start).start,
        "BilledCost": Decimal(cost),
        "BillingCurrency": "USD",
    }


class Press(NamedTuple):
    """A publisher and everything around it."""

    windows: FakeWindows
    files: FakeCostFiles
    clock: FakeClock

    def stage(self, number: int, *rows: Row, hours: int = 3) -> None:
        """Stage a read of the first hours, as a collector would."""
        segment = Segment(run="run", first=0, count=1)
        read = Read(id=f"read-{number}", start=SINCE, end=SINCE + hours * HOUR, begun_at=self.clock.now())
        self.files.staging.put("hourly", read.id, "run", 0, Rows(rows))
        read = read.model_copy(update={"segments": (segment,), "complete": True})
        self.windows.change_state("hourly", lambda it: _state(it).model_copy(update={"read": read}))

    def publish(self) -> Published:
        return PublishingSteps(self.files, self.windows, self.clock).publish(SOURCE)

    def window(self, hour: int) -> Window:
        found = self.windows.windows("hourly", Span(SINCE + hour * HOUR, SINCE + (hour + 1) * HOUR))
        return found[0]

    def kept(self) -> list[str]:
        return sorted(str(it["x_Charge"]) for file in self.files.files.values() for it in file.rows)


def _state(state: SourceState | None) -> SourceState:
    return state or SourceState(source="hourly", since=SINCE, closed_through=SINCE)


@pytest.fixture
def press() -> Press:
    return Press(FakeWindows(), FakeCostFiles(FakeStaging()), FakeClock(SINCE + 2 * HOUR))


def settle(press: Press) -> None:
    press.clock.advance_to(settled_at(SOURCE, SINCE + timedelta(days=1)) + HOUR)


def test_every_window_of_the_span_is_collected_the_empty_ones_without_a_file(press: Press) -> None:
    press.stage(1, row("a", 0), row("b", 2))
    assert press.publish()["filled"] == 3
    assert [press.window(it).status for it in range(3)] == [WindowStatus.COLLECTED] * 3
    assert [press.window(it).key is not None for it in range(3)] == [True, False, True]
    assert press.window(0).contents.billed == {"USD": Decimal("1.5")}


def test_a_file_lies_in_its_source_s_billing_period(press: Press) -> None:
    press.stage(1, row("a", 0), row("b", 9), hours=10)
    press.publish()
    assert sorted(press.files.files) == [
        "costs/source=hourly/billing_period=2025-12/2026-01-01T00.parquet",  # the month is Pacific time's
        "costs/source=hourly/billing_period=2026-01/2026-01-01T09.parquet",
    ]


def test_the_same_again_changes_nothing(press: Press) -> None:
    press.stage(1, row("a"))
    press.publish()
    before = (press.window(0), dict(press.files.files))
    press.clock.advance(60)
    press.stage(2, row("a"))
    press.publish()
    assert (press.window(0), press.files.files) == before


def test_something_else_restates_the_window_and_replaces_its_file(press: Press) -> None:
    press.stage(1, row("a"))
    press.publish()
    press.clock.advance(60)
    press.stage(2, row("a", cost="2"), row("late"))
    assert press.publish()["restated"] == 1
    assert press.window(0).status is WindowStatus.RESTATED
    assert press.kept() == ["a", "late"]


def test_what_is_gone_leaves_an_empty_file(press: Press) -> None:
    press.stage(1, row("a"))
    press.publish()
    press.clock.advance(60)
    press.stage(2)
    press.publish()
    assert press.kept() == []
    assert press.window(0).contents.rows == 0


def test_a_read_that_began_when_the_source_had_settled_closes_its_windows_and_seals_their_files(press: Press) -> None:
    press.stage(1, row("a"))
    press.publish()
    settle(press)
    press.stage(2, row("a"))
    assert press.publish()["closed"] == 3
    assert press.window(0).status is WindowStatus.CLOSED
    assert [it.closed for it in press.files.files.values()] == [True]
    state = press.windows.state("hourly")
    assert state is not None
    assert state.closed_through == SINCE + 3 * HOUR


def test_a_closed_window_never_changes_and_what_came_too_late_is_told(press: Press) -> None:
    settle(press)
    press.stage(1, row("a"))
    press.publish()
    press.clock.advance(60)
    press.stage(2, row("a"), row("too-late"))
    assert press.publish()["late"] == ["2026-01-01T00"]
    assert press.kept() == ["a"]


def test_a_publisher_that_died_after_the_file_is_completed_by_the_next(press: Press) -> None:
    press.stage(1, row("a"))
    press.windows._hop = _dies  # before the record is written
    with pytest.raises(SystemExit):
        press.publish()
    press.windows._hop = lambda: None
    assert press.kept() == ["a"]
    press.publish()
    assert press.kept() == ["a"]
    file = press.files.files[press.window(0).key or ""]
    assert press.window(0).etag == file.etag


def test_of_two_publishers_of_one_read_the_slower_writes_nothing_once_the_window_is_closed(press: Press) -> None:
    settle(press)
    press.stage(1, row("a"))
    slow = Press(press.windows, press.files, press.clock)

    def meanwhile() -> None:
        press.files.hop = lambda: None
        press.publish()

    press.files.hop = meanwhile
    with pytest.raises(RetryableError):
        slow.publish()
    (file,) = press.files.files.values()
    assert press.window(0).etag == file.etag


def test_a_file_of_an_older_read_that_no_record_knows_is_replaced(press: Press) -> None:
    press.stage(1, row("a"))
    press.windows._hop = _dies
    with pytest.raises(SystemExit):
        press.publish()
    press.windows._hop = lambda: None
    press.clock.advance(60)
    press.stage(2, row("b"))
    press.publish()
    assert press.kept() == ["b"]


def test_a_publisher_that_was_overtaken_replaces_nothing(press: Press) -> None:
    press.stage(1, row("a"))
    slow = Press(press.windows, press.files, press.clock)

    def meanwhile() -> None:
        press.files.hop = lambda: None
        press.publish()
        press.clock.advance(60)
        press.stage(2, row("newer"))
        press.publish()

    press.files.hop = meanwhile
    with pytest.raises(RetryableError):
        slow.publish()
    assert press.kept() == ["newer"]


def test_a_twin_that_dies_before_the_record_leaves_the_file_that_is_recorded(press: Press) -> None:
    press.stage(1, row("a"))

    def meanwhile() -> None:
        if press.files.files:
            press.files.hop = lambda: None
            press.windows._hop = _dies
            with pytest.raises(SystemExit):
                press.publish()
            press.windows._hop = lambda: None

    press.files.hop = meanwhile
    press.publish()
    assert press.files.files[press.window(0).key or ""].etag == press.window(0).etag


def test_a_read_that_knew_of_nothing_new_counts_as_a_read(press: Press) -> None:
    press.stage(1, row("a"))
    press.publish()
    press.clock.advance(3600)
    press.stage(2)
    press.windows.change_state(
        "hourly",
        lambda it: _state(it).model_copy(update={"read": it.read.model_copy(update={"unchanged": True})}),  # type: ignore[union-attr]  # it was just staged
    )
    press.publish()
    state = press.windows.state("hourly")
    assert state is not None
    assert [it.at for it in state.asked] == [press.clock.now()]
    assert press.kept() == ["a"]


def test_what_cannot_be_published_is_read_anew(press: Press, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise TerminalError("InvalidRows", "row 1 of the page run-000000")

    press.stage(1, row("a"))
    monkeypatch.setattr(press.files, "arrange", refuse)
    with pytest.raises(TerminalError):
        press.publish()
    state = press.windows.state("hourly")
    assert state is not None
    assert (state.read, state.asked) == (None, ())


def test_a_file_that_somebody_removed_is_made_anew(press: Press) -> None:
    press.stage(1, row("a"))
    press.publish()
    press.files.files.clear()
    press.clock.advance(60)
    press.stage(2, row("b"))
    press.publish()
    assert press.kept() == ["b"]


def test_an_export_that_has_vanished_does_not_empty_the_month_that_it_told_of(press: Press) -> None:
    source = monthly().model_copy(update={"name": "hourly"})
    steps = PublishingSteps(press.files, press.windows, press.clock)
    press.stage(1, row("a"))
    steps.publish(source)
    press.clock.advance(60)
    press.stage(2)
    with pytest.raises(TerminalError, match="NothingLeft"):
        steps.publish(source)
    assert press.kept() == ["a"]


def test_nothing_staged_is_nothing_to_do(press: Press) -> None:
    assert press.publish()["filled"] == 0


def test_data_through_is_no_later_than_the_read(press: Press) -> None:
    press.stage(1, row("ahead", 2))
    press.publish()
    state = press.windows.state("hourly")
    assert state is not None
    assert state.data_through == SINCE + 2 * HOUR


def _dies() -> None:
    raise SystemExit
