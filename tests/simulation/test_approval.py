"""Sagas that want approval, in virtual time on three clouds: it is waited for, and waiting leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

import pytest

from tests.simulation.answers import Answer
from tests.simulation.clouds import Clouds as Kept
from tests.simulation.conftest import Clouds
from tests.simulation.exhaustive import single_upsets
from tests.simulation.guarded import GuardedWorld
from tests.simulation.requests import one_disk
from tests.simulation.runs import Scenario, run_plan
from tests.simulation.world import World

HOUR: Final = 3600
BEFORE: Final = ("provisioning", "commit")
_EVERY: Final = 17


@pytest.fixture(name="guarded")
def _guarded(clouds: Clouds) -> Iterator[GuardedWorld]:
    fresh = clouds.world()
    world = GuardedWorld(fresh.clock, fresh.clouds)
    yield world
    world.engine.close()


def waiting(world: World, before: str, **more: Any) -> str:
    """A saga that waits for approval, for ten minutes so far."""
    saga_id = world.submit(one_disk(approval={"before": before, "within": "2h"}, **more))
    world.engine.advance(600)
    assert world.ledger.saga(saga_id).status == "AWAITING_APPROVAL"
    return saga_id


@pytest.mark.parametrize(("before", "there"), [("provisioning", 0), ("commit", 1)])
def test_it_waits_with_nothing_there_or_with_everything(guarded: GuardedWorld, before: str, there: int) -> None:
    saga_id = waiting(guarded, before)
    assert len(guarded.inventory()) == there
    guarded.sagas.approve(saga_id, "boss")
    guarded.run()
    assert guarded.ledger.saga(saga_id).status == "COMMITTED"
    assert len(guarded.inventory()) == 1


@pytest.mark.parametrize("before", BEFORE)
def test_what_nobody_approves_is_undone_when_the_time_is_over(guarded: GuardedWorld, before: str) -> None:
    saga_id = waiting(guarded, before)
    guarded.engine.advance(2 * HOUR)
    assert guarded.ledger.saga(saga_id).status == "ROLLED_BACK"
    assert not guarded.inventory()


@pytest.mark.parametrize("before", BEFORE)
def test_cancelling_does_not_wait_for_the_time_to_be_over(guarded: GuardedWorld, before: str) -> None:
    saga_id = waiting(guarded, before)
    guarded.sagas.cancel(saga_id)
    guarded.engine.advance(300)
    assert guarded.ledger.saga(saga_id).status == "ROLLED_BACK"
    assert not guarded.inventory()


@pytest.mark.parametrize("before", BEFORE)
def test_an_execution_that_is_aborted_while_it_waits_is_undone(guarded: GuardedWorld, before: str) -> None:
    saga_id = waiting(guarded, before)
    guarded.stop(saga_id)
    guarded.run()
    assert guarded.ledger.saga(saga_id).status == "ROLLED_BACK"
    assert not guarded.inventory()


def test_a_saga_whose_time_to_live_runs_out_while_it_waits_is_undone(guarded: GuardedWorld) -> None:
    saga_id = waiting(guarded, "commit", ttl="1h")
    guarded.run()
    assert guarded.ledger.saga(saga_id).status == "ROLLED_BACK"
    assert not guarded.inventory()


def test_the_sweep_leaves_alone_what_waits_and_takes_up_what_nobody_waits_for(guarded: GuardedWorld) -> None:
    saga_id = waiting(guarded, "commit")
    guarded.lose_events()
    guarded.stop(saga_id)
    guarded.clock.advance(2 * HOUR)
    assert guarded.sweep()["overdue"] == []
    guarded.clock.advance(2 * HOUR)
    assert [it["saga_id"] for it in guarded.sweep()["overdue"]] == [saga_id]
    assert guarded.ledger.saga(saga_id).status == "ROLLED_BACK"
    assert not guarded.inventory()


@pytest.mark.parametrize("verb", ["approve", "cancel", None])
@pytest.mark.parametrize("before", BEFORE)
def test_single_upsets_all_over_a_saga_that_wants_approval_violate_nothing(
    kept: Kept, before: str, verb: str | None
) -> None:
    answer = Answer(before, within=120, verb=verb, delay=3.0)
    scenario = Scenario(1, one_disk(**answer.wish), answer=answer)
    upsets = single_upsets(kept, (), scenario)
    found = {
        upset: result.violations
        for upset in islice(upsets, BEFORE.index(before), None, _EVERY)
        if (result := run_plan(kept, scenario, [upset])).violations
    }
    assert found == {}


def test_an_answer_may_be_faster_than_the_function_that_asked(kept: Kept) -> None:
    answer = Answer("provisioning", within=120, verb="approve", delay=0.05)
    for seed in range(1, 9):
        scenario = Scenario(seed, one_disk(**answer.wish), answer=answer)
        assert run_plan(kept, scenario, ()).violations == []
