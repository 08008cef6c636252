"""How fresh a source is, and when it is late: judged by its own rhythm."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from lambdas.core.billing.freshness import Freshness, all_fresh, closed, first_open_month, version_of
from lambdas.core.billing.sources import AnySource, BigQueryExport, CostExport, RateCard, Rates
from lambdas.core.billing.spans import Span
from lambdas.core.billing.windows import Asked, Failure, SourceState
from tests.fakes.costs import SINCE, collect, cost_explorer
from tests.fakes.windows import FakeWindows

NOW = datetime(2026, 11, 26, 12, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)

PRIVATE = RateCard(
    name="berlin",
    since=SINCE,
    provider="vsphere",
    currency="EUR",
    rates=Rates(cpu_hour=Decimal(1), memory_gb_hour=Decimal(0), disk_gb_hour=Decimal(0)),
)
GOOGLE = BigQueryExport(name="shop", since=SINCE + 7 * HOUR, project="shop-427", table="shop.billing.export")
AZURE = CostExport(
    name="azure",
    since=SINCE,
    subscription="sub-1",
    account_url="https://costs.blob.core.windows.net",
    container="c",
    export="focus",
)


def fresh(source: AnySource, windows: FakeWindows, now: datetime = NOW) -> Freshness:
    [found] = all_fresh({source.name: source}, windows.states(), now)
    return found


def test_a_source_that_was_never_read_is_behind_by_every_window_that_is_worth_reading() -> None:
    found = fresh(cost_explorer(), FakeWindows())
    assert (found.windows_behind, found.windows_open, found.late) == (25 * 24 + 8, 25 * 24 + 12, True)
    assert (found.collected_at, found.data_through, found.closed_through) == (None, None, SINCE)


def test_a_source_that_was_declared_just_now_is_not_late_yet() -> None:
    source = PRIVATE.model_copy(update={"since": NOW.replace(minute=0) - HOUR})
    assert not fresh(source, FakeWindows()).late


@pytest.mark.parametrize(("hours", "late"), [(1, False), (2, False), (3, True), (30, True)])
def test_an_hourly_source_is_late_when_it_missed_more_than_two_hours(hours: int, late: bool) -> None:
    windows = FakeWindows()
    through = NOW.replace(minute=0) - hours * HOUR
    collect(windows, PRIVATE, through, through)
    found = fresh(PRIVATE, windows)
    assert (found.windows_behind, found.late) == (hours, late)


@pytest.mark.parametrize(("hours", "late"), [(6, False), (11, True)])
def test_a_source_of_whole_days_is_late_by_how_often_it_is_read(hours: int, late: bool) -> None:
    source, windows = cost_explorer(), FakeWindows()
    at = NOW - hours * HOUR
    collect(windows, source, (at - source.rhythm.lag).replace(minute=0), at)
    found = fresh(source, windows)
    assert (found.windows_behind, found.late) == (hours, late)


def test_what_was_collected_just_now_is_late_as_long_as_its_newest_hours_were_not_read() -> None:
    windows = FakeWindows()
    collect(windows, PRIVATE, SINCE + 24 * HOUR, NOW)
    found = fresh(PRIVATE, windows)
    assert (found.windows_behind, found.late) == (24 * 24 + 12, True)


def test_a_hole_in_what_was_read_is_seen() -> None:
    windows, until = FakeWindows(), NOW.replace(minute=0)
    hole = Asked(start=SINCE, end=SINCE + 48 * HOUR, at=NOW), Asked(start=SINCE + 50 * HOUR, end=until, at=NOW)
    collect(windows, PRIVATE, until, NOW, asked=hole)
    found = fresh(PRIVATE, windows)
    assert (found.windows_behind, found.late) == (2, True)


def test_a_source_is_late_when_it_should_have_been_closed() -> None:
    settled = datetime(2026, 12, 6, tzinfo=UTC)
    for after, late in ((timedelta(hours=2), False), (timedelta(hours=3), True)):
        windows = FakeWindows()
        collect(windows, AZURE, settled - 5 * HOUR, settled - HOUR)
        assert fresh(AZURE, windows, settled + after).late is late


def test_a_failure_is_told_and_alone_is_not_late() -> None:
    windows = FakeWindows()
    failure = Failure(at=NOW, error="TerminalError", message="403: no access")
    collect(windows, GOOGLE, NOW.replace(minute=0) - 2 * HOUR, NOW, failure=failure)
    found = fresh(GOOGLE, windows)
    assert (found.failure, found.late, found.windows_behind) == (failure, False, 0)
    assert (found.provider, found.account, found.kind) == ("gcp", "shop-427", "gcp-bigquery")


def test_of_a_source_that_is_wanted_from_another_hour_on_nothing_is_closed_yet() -> None:
    windows = FakeWindows()
    collect(windows, PRIVATE, NOW.replace(minute=0), NOW, closed_through=NOW.replace(minute=0) - 6 * HOUR)
    earlier = PRIVATE.model_copy(update={"since": SINCE - 24 * HOUR})
    assert fresh(earlier, windows).closed_through == SINCE - 24 * HOUR
    assert fresh(earlier, windows).windows_behind == 24


def test_the_version_changes_with_what_was_collected_and_with_the_hour() -> None:
    state = SourceState(source="a", since=SINCE, closed_through=SINCE, collected_at=NOW)
    later = state.model_copy(update={"collected_at": NOW + HOUR})
    held = state.model_copy(update={"version": 7})
    assert version_of([state], NOW) == version_of([held], NOW + timedelta(minutes=20))
    assert len({version_of([state], NOW), version_of([later], NOW), version_of([state], NOW + HOUR)}) == 3


def test_costs_may_have_changed_since_the_month_before_the_first_open_one() -> None:
    source = cost_explorer()
    november = SourceState(source=source.name, since=SINCE, closed_through=datetime(2026, 11, 1, tzinfo=UTC))
    before = closed({source.name: source}, [november])
    assert before == {source.name: Span(SINCE, datetime(2026, 11, 1, tzinfo=UTC))}
    assert first_open_month({source.name: source}, before, NOW) == "2026-10"
    assert first_open_month({GOOGLE.name: GOOGLE}, {}, NOW) == "2026-10"
    assert first_open_month({}, {}, NOW) == "2026-11"


def test_a_source_that_is_new_or_wanted_from_another_hour_on_may_have_changed_since_its_first_one() -> None:
    source = cost_explorer().model_copy(update={"since": datetime(2026, 3, 1, tzinfo=UTC)})
    assert first_open_month({source.name: source}, {}, NOW) == "2026-02"
    before = {source.name: Span(SINCE, datetime(2026, 11, 1, tzinfo=UTC))}
    assert first_open_month({source.name: source}, before, NOW) == "2026-02"
