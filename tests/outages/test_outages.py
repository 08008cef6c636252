"""Infrastructure fails in the middle of sagas: nothing is lost, nothing is there twice, every saga ends as it must.

On AWS alone, whose functions start soonest; `python -m tests.outages` does it on three clouds for as long as wanted.
"""

from __future__ import annotations

from collections import Counter

from tests.outages.rounds import EACH, Summary, run_round
from tests.outages.sagas import COMMITTED, ROLLED_BACK
from tests.outages.site import Site
from tests.outages.troubles import KilledEngine, KilledRuntime, KilledWorkers, RefusingLedger

ON = ("aws",)


def test_an_engine_killed_again_and_again_loses_no_execution_and_starts_none_twice(site: Site) -> None:
    summary = Summary()
    run_round(site, KilledEngine, summary, on=ON, times=12)
    assert summary.violations == []
    assert summary.endings == Counter(EACH)
    assert summary.struck["engine killed"] >= 5


def test_calls_that_died_with_the_whole_lambda_runtime_are_made_again(site: Site) -> None:
    summary = Summary()
    run_round(site, KilledRuntime, summary, on=ON, wanted=(COMMITTED, ROLLED_BACK), times=2)
    assert summary.violations == []
    assert summary.endings == Counter((COMMITTED, ROLLED_BACK))
    assert summary.struck["runtime killed"] >= 1


def test_workers_killed_whatever_they_are_doing_leave_nothing_half_done(site: Site) -> None:
    summary = Summary()
    run_round(site, KilledWorkers, summary, on=ON, wanted=(COMMITTED, ROLLED_BACK), times=20)
    assert summary.violations == []
    assert summary.endings == Counter((COMMITTED, ROLLED_BACK))
    assert summary.struck["workers killed"] >= summary.struck["in a call"] > 0


def test_a_ledger_that_refuses_throttles_and_loses_replies_loses_no_event(site: Site) -> None:
    summary = Summary()
    run_round(site, RefusingLedger, summary, on=ON, wanted=(COMMITTED, ROLLED_BACK), times=2)
    assert summary.violations == []
    assert summary.endings == Counter((COMMITTED, ROLLED_BACK))
    assert {"refuse", "lost", "twice", "ThrottlingException", "InternalServerError"} <= set(summary.struck)
