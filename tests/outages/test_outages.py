"""Infrastructure fails in the middle of sagas: nothing is lost, nothing is there twice, every saga ends as it must.

On AWS, whose functions start soonest, and on private clusters; `python -m tests.outages` does it on all clouds for as
long as wanted.
"""

from __future__ import annotations

from collections import Counter

from tests.outages.rounds import EACH, Summary, clear, run_round
from tests.outages.sagas import COMMITTED, ROLLED_BACK
from tests.outages.site import Site
from tests.outages.troubles import KilledAgents, KilledEngine, KilledRuntime, KilledWorkers, RefusingLedger

ON = ("aws", "vsphere", "scvmm", "outpost")


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


def test_agents_killed_or_drained_in_the_middle_of_a_machine_are_made_up_for_by_others(site: Site) -> None:
    summary = Summary()
    run_round(site, KilledAgents, summary, on=("aws", "outpost"), times=6)
    assert summary.violations == []
    assert summary.endings == Counter(EACH)
    assert summary.struck["agents killed"] >= 2
    assert summary.struck["agents drained"] >= 1


def test_once_everything_is_destroyed_nothing_is_there_and_nothing_is_claimed(site: Site) -> None:
    assert clear(site) == []
