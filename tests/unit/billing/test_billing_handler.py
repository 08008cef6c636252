"""Billing's own steps: what starts a collection, begins it, and remembers what failed."""

from __future__ import annotations

import json
from datetime import timedelta
from operator import itemgetter
from typing import Any, cast

import pytest

from lambdas.adapters.observability import StepHandler
from lambdas.billing.handler import billing_handler, start_handler
from lambdas.core.billing.sources import AnySource, Sources
from lambdas.core.billing.windows import Holder, SourceState
from lambdas.core.steps.billing import BillingSteps
from lambdas.core.steps.summarising import SummarisingSteps
from tests.fakes.billing import SINCE, daily, hourly
from tests.fakes.clock import FakeClock
from tests.fakes.context import Context
from tests.fakes.windows import FakeWindows

WINDOW = "2026-01-01T05"


class Declared:
    """Some sources."""

    def __init__(self, *sources: AnySource) -> None:
        self._sources = {it.name: it for it in sources}

    def declared(self) -> Sources:
        return self._sources


class Summarising:
    """Says of which window it was asked."""

    def summarise(self, window: str) -> dict[str, Any]:
        return {"status": "PENDING", "wait": 5, "window": window}


class Starts:
    """Remembers what was started."""

    def __init__(self) -> None:
        self.windows: list[str] = []

    def start(self, window: str) -> None:
        self.windows.append(window)


def handler(windows: FakeWindows, collectors: dict[str, str] | None = None) -> StepHandler:
    functions = {"gcp-bigquery": "gcp:7", "azure-cost-query": "azure:9"} if collectors is None else collectors
    steps = BillingSteps(Declared(hourly(), daily()), functions, windows, FakeClock(SINCE + timedelta(hours=5)))
    return billing_handler(lambda: steps, lambda: cast(SummarisingSteps, Summarising()))


def called(handler: StepHandler, **event: Any) -> Any:
    return handler({"window": WINDOW} | event, Context("billing", "request"))


def failed(windows: FakeWindows, error: str, cause: str) -> str:
    called(handler(windows), step="note_failure", source="hourly", error=error, cause=cause)
    state = windows.state("hourly")
    assert state is not None
    assert state.failure is not None
    return state.failure.message


def held_for(window: str) -> FakeWindows:
    windows = FakeWindows()
    holder = Holder(run="run", window=window, until=SINCE + timedelta(hours=5, minutes=6))
    state = SourceState(source="hourly", since=SINCE, closed_through=SINCE, holder=holder)
    windows.change_state("hourly", lambda _: state)
    return windows


def test_a_collection_is_started_for_the_hour_that_has_begun() -> None:
    starts = Starts()
    start = start_handler(lambda: starts, FakeClock(SINCE + timedelta(hours=5, minutes=3)))
    start({}, Context("start", "request"))
    assert starts.windows == [WINDOW]


def test_a_plan_names_every_source_and_who_reads_it() -> None:
    plan = called(handler(FakeWindows()), step="plan")
    assert plan["window"] == WINDOW
    assert sorted(plan["sources"], key=itemgetter("source")) == [
        {"source": "daily", "collector": "azure:9"},
        {"source": "hourly", "collector": "gcp:7"},
    ]


def test_sources_take_turns_at_being_the_first_to_be_read() -> None:
    hours = ["2026-01-01T05", "2026-01-01T06", "2026-01-01T07"]
    plans = [called(handler(FakeWindows()), step="plan", window=it)["sources"] for it in hours]
    first = [plan[0]["source"] for plan in plans]
    assert first[0] == first[2] != first[1]


def test_a_kind_that_nothing_reads_is_the_operator_s_to_deploy() -> None:
    with pytest.raises(Exception, match="azure-cost-query: deploy again"):
        called(handler(FakeWindows(), {"gcp-bigquery": "gcp:7"}), step="plan")


def test_a_failure_is_remembered_in_the_words_of_the_function_that_failed() -> None:
    cause = json.dumps({"errorType": "TerminalError", "errorMessage": "AccessDenied: no", "stackTrace": ["line"]})
    assert failed(FakeWindows(), "TerminalError", cause) == "AccessDenied: no"


def test_a_failure_that_is_no_function_s_is_remembered_as_it_is_and_not_at_any_length() -> None:
    assert failed(FakeWindows(), "States.HeartbeatTimeout", "x" * 4000) == "x" * 500


def test_who_failed_holds_the_source_no_longer() -> None:
    windows = held_for(WINDOW)
    failed(windows, "TerminalError", "no")
    state = windows.state("hourly")
    assert state is not None
    assert state.holder is None


def test_a_failure_takes_the_source_from_no_other_execution() -> None:
    windows = held_for("2026-01-01T06")
    failed(windows, "States.HeartbeatTimeout", "")
    state = windows.state("hourly")
    assert state is not None
    assert state.holder is not None


def test_a_source_that_is_declared_no_more_has_no_failure() -> None:
    windows = FakeWindows()
    called(handler(windows), step="note_failure", source="gone", error="TerminalError", cause="no")
    assert windows.states() == []


def test_a_summary_is_asked_for_by_its_window() -> None:
    assert called(handler(FakeWindows()), step="summarise") == {"status": "PENDING", "wait": 5, "window": WINDOW}
