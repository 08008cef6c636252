"""Sagas that want approval, in virtual time on three clouds: it is waited for, and waiting leaves nothing behind."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.simulation.guarded import GuardedWorld
from tests.simulation.requests import one_disk
from tests.simulation.world import World

HOUR: Final = 3600
BEFORE: Final = ("provisioning", "commit")


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
