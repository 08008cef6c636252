"""What watches over sagas, in virtual time on three clouds: nothing that ends badly, expires or vanishes stays."""

from __future__ import annotations

from typing import Any

import pytest

from local.simulators.faults import Fault, FaultKind
from tests.simulation.guarded import GuardedWorld
from tests.simulation.requests import three_clouds
from tests.whole import whole

HOUR = 3600


def changed(world: GuardedWorld, changes: Any) -> GuardedWorld:
    return GuardedWorld(world.clock, world.clouds, changes=changes)


def status(world: GuardedWorld, saga_id: str) -> str:
    return world.ledger.saga(saga_id).status


def test_an_aborted_execution_is_undone(guarded: GuardedWorld) -> None:
    saga_id = guarded.submit(three_clouds())
    guarded.engine.advance(3)
    assert guarded.inventory()
    guarded.stop(saga_id)
    guarded.run()
    assert status(guarded, saga_id) == "ROLLED_BACK"
    assert not guarded.inventory()


def test_an_execution_aborted_before_it_began_is_undone(guarded: GuardedWorld) -> None:
    saga_id = guarded.submit(three_clouds())
    guarded.stop(saga_id)
    guarded.run()
    assert status(guarded, saga_id) == "ROLLED_BACK"


def test_an_execution_that_times_out_is_undone(guarded: GuardedWorld) -> None:
    world = changed(guarded, lambda definition: definition.update(TimeoutSeconds=4))
    saga_id = world.submit(three_clouds())
    world.engine.advance(3)
    assert world.inventory()
    world.run()
    assert status(world, saga_id) == "ROLLED_BACK"
    assert not world.inventory()


def test_an_execution_that_fails_where_no_catch_can_see_it_is_undone(guarded: GuardedWorld) -> None:
    def break_the_join(definition: dict[str, Any]) -> None:
        definition["States"]["ProvisionWave"]["OutputPath"] = "$.missing"

    world = changed(guarded, break_the_join)
    saga_id = world.submit(three_clouds())
    world.engine.advance(2)
    assert world.inventory()
    world.run()
    execution = f"{world.provisioning.replace(':stateMachine:', ':execution:')}:{saga_id}"
    assert world.engine.execution(execution).status == "FAILED"
    assert status(world, saga_id) == "ROLLED_BACK"
    assert not world.inventory()


def test_an_execution_that_fails_after_the_commit_changes_nothing(guarded: GuardedWorld) -> None:
    def fail_in_the_end(definition: dict[str, Any]) -> None:
        definition["States"]["SagaCommitted"] = {"Type": "Fail", "Error": "TooLate"}

    world = changed(guarded, fail_in_the_end)
    saga_id = world.submit(three_clouds())
    world.run()
    assert status(world, saga_id) == "COMMITTED"
    assert len(world.inventory()) > 6


def test_a_saga_is_released_when_its_time_has_run_out(guarded: GuardedWorld) -> None:
    saga_id = guarded.submit({**three_clouds(), "ttl": "8h"})
    submitted = guarded.clock.now()
    guarded.engine.advance(8 * HOUR - 5)
    assert status(guarded, saga_id) == "COMMITTED"
    guarded.run()
    assert status(guarded, saga_id) == "RELEASED"
    assert guarded.clock.now() - submitted < 8.5 * HOUR
    assert not guarded.inventory()
    assert guarded.shelf.kept == {}


def test_a_saga_whose_time_runs_out_while_it_provisions_is_rolled_back(guarded: GuardedWorld) -> None:
    guarded.clouds["gcp"].arm([Fault(operation="instances.insert", fault=FaultKind.ERROR, times=None)])
    saga_id = guarded.submit({**three_clouds(), "ttl": "20s"})
    guarded.run()
    assert status(guarded, saga_id) == "ROLLED_BACK"
    assert not guarded.inventory()


def test_a_saga_that_was_destroyed_before_its_time_stays_so(guarded: GuardedWorld) -> None:
    saga_id = guarded.submit({**three_clouds(), "ttl": "8h"})
    guarded.engine.advance(HOUR)
    guarded.sagas.destroy(saga_id)
    guarded.engine.advance(HOUR)
    before = whole(guarded.ledger, saga_id)
    assert before.saga.status == "RELEASED"
    guarded.run()
    assert whole(guarded.ledger, saga_id) == before


def late_orphan(world: GuardedWorld, cloud: str, operation: str) -> str:
    """A saga that has rolled back, and of which something takes effect an hour and a half later."""
    world.clouds[cloud].arm([Fault(operation=operation, fault=FaultKind.LATE, delay=1.5 * HOUR, times=None)])
    saga_id = world.provision(three_clouds()).saga.id
    assert status(world, saga_id) == "ROLLED_BACK"
    assert not world.inventory()
    world.clouds[cloud].disarm()
    world.engine.advance(1.5 * HOUR)
    assert {it["cloud"] for it in world.inventory()} == {cloud}
    return saga_id


@pytest.mark.parametrize(
    ("cloud", "operation"),
    [
        ("aws", "CreateVolume"),
        ("azure", "NetworkInterfaces_CreateOrUpdate"),
        ("gcp", "disks.insert"),
    ],
)
def test_what_takes_effect_long_after_everybody_gave_up_is_swept(
    guarded: GuardedWorld, cloud: str, operation: str
) -> None:
    saga_id = late_orphan(guarded, cloud, operation)
    assert guarded.sweep()["orphans"] == []
    guarded.engine.advance(HOUR)
    found = guarded.sweep()
    assert {(it["cloud"], it["saga_id"]) for it in found["orphans"]} == {(cloud, saga_id)}
    assert not guarded.inventory()
    assert status(guarded, saga_id) == "ROLLED_BACK"


def test_the_hourly_sweep_finds_it_by_itself(guarded: GuardedWorld) -> None:
    saga_id = late_orphan(guarded, "gcp", "disks.insert")
    guarded.sweep_every_hour()
    guarded.engine.advance(3 * HOUR)
    assert not guarded.inventory()
    assert status(guarded, saga_id) == "ROLLED_BACK"


def test_a_dry_run_lists_it_and_changes_nothing(guarded: GuardedWorld) -> None:
    saga_id = late_orphan(guarded, "gcp", "disks.insert")
    guarded.engine.advance(HOUR)
    before = whole(guarded.ledger, saga_id), guarded.inventory()
    found = guarded.sweep(dry_run=True)
    assert {it["saga_id"] for it in found["orphans"]} == {saga_id}
    assert found["releases"] == []
    assert (whole(guarded.ledger, saga_id), guarded.inventory()) == before
    guarded.sweep()
    assert not guarded.inventory()


@pytest.mark.parametrize("cloud", ["aws", "azure", "gcp"])
def test_what_no_saga_of_ours_knows_is_listed_and_not_touched(guarded: GuardedWorld, cloud: str) -> None:
    strange = guarded.clouds[cloud].intent("disk", "data")
    guarded.clouds[cloud].provider.create(strange, "disk")
    guarded.engine.advance(100 * HOUR)
    before = guarded.inventory()
    found = guarded.sweep()
    assert [(it["cloud"], it["saga_id"]) for it in found["unknown"]] == [(cloud, strange.saga_id)]
    assert (found["releases"], guarded.inventory()) == ([], before)


def test_a_committed_saga_is_not_swept_however_old_it_is(guarded: GuardedWorld) -> None:
    saga_id = guarded.provision(three_clouds()).saga.id
    guarded.engine.advance(1000 * HOUR)
    before = whole(guarded.ledger, saga_id), guarded.inventory()
    assert guarded.sweep()["releases"] == []
    assert (whole(guarded.ledger, saga_id), guarded.inventory()) == before


def test_a_saga_whose_execution_vanished_unnoticed_is_taken_up_by_the_sweep(guarded: GuardedWorld) -> None:
    saga_id = guarded.submit(three_clouds())
    guarded.engine.advance(3)
    guarded.lose_events()
    guarded.stop(saga_id)
    guarded.run()
    assert (status(guarded, saga_id), bool(guarded.inventory())) == ("PROVISIONING", True)
    guarded.engine.advance(HOUR)
    assert guarded.sweep()["overdue"] == []
    guarded.engine.advance(1.5 * HOUR)
    assert [it["saga_id"] for it in guarded.sweep()["overdue"]] == [saga_id]
    assert status(guarded, saga_id) == "ROLLED_BACK"
    assert not guarded.inventory()


def test_a_release_that_was_aborted_is_taken_up_by_the_sweep(guarded: GuardedWorld) -> None:
    saga_id = guarded.provision(three_clouds()).saga.id
    guarded.sagas.destroy(saga_id)
    guarded.engine.advance(3)
    for execution in list(guarded.engine.core.executions):
        if execution.running and execution.map_run is None:
            guarded.engine.handle("AWSStepFunctions.StopExecution", b'{"executionArn": "%s"}' % execution.arn.encode())
    guarded.run()
    assert status(guarded, saga_id) == "RELEASING"
    guarded.engine.advance(2.5 * HOUR)
    guarded.sweep()
    assert status(guarded, saga_id) == "RELEASED"
    assert not guarded.inventory()


def test_a_cloud_that_removes_nothing_for_hours_is_asked_again_by_every_sweep_until_it_does(
    guarded: GuardedWorld,
) -> None:
    saga_id = guarded.provision(three_clouds()).saga.id
    guarded.clouds["azure"].arm([Fault(operation="*_Delete", fault=FaultKind.THROTTLE, times=None)])
    guarded.sagas.destroy(saga_id)
    guarded.sweep_every_hour()
    guarded.engine.advance(5 * HOUR)
    assert status(guarded, saga_id) in ("NEEDS_ATTENTION", "RELEASING")
    assert {it["cloud"] for it in guarded.inventory()} == {"azure"}
    guarded.clouds["azure"].disarm()
    guarded.engine.advance(3 * HOUR)
    assert status(guarded, saga_id) == "RELEASED", "a release that was under way ends, and the next begins"
    assert not guarded.inventory()


def test_a_cloud_that_cannot_be_looked_at_fails_the_sweep_and_the_others_are_swept(guarded: GuardedWorld) -> None:
    saga_id = late_orphan(guarded, "gcp", "disks.insert")
    guarded.engine.advance(HOUR)
    guarded.clouds["azure"].arm([Fault(operation="*_List", fault=FaultKind.ERROR, times=None)])
    execution = guarded.engine.start_execution(guarded.sweeping, {})
    guarded.engine.advance(HOUR / 2)
    assert guarded.engine.execution(execution).error == "NotAllSwept"
    guarded.clouds["azure"].disarm()
    guarded.run()
    assert status(guarded, saga_id) == "ROLLED_BACK"
    assert not guarded.inventory()
