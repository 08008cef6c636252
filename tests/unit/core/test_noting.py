"""What a passing fault leaves in the ledger, and what it must not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lambdas.core.errors import CapacityError, RetryableError
from lambdas.core.model import Event
from lambdas.core.noting import NotingProvider
from lambdas.core.states import ResourceStatus
from tests.fakes.provider import Fault
from tests.unit.core.world import DISK, World

BUSY = RetryableError("Throttling", "slow down")


def events_of_faults(world: World, saga_id: str) -> list[Event]:
    return [event for event in world.ledger.events(saga_id) if event.error]


def test_a_create_that_met_a_passing_fault_says_so_in_an_event(world: World) -> None:
    saga_id = world.provisioning_saga()
    world.cloud.faults = [Fault("create", before=BUSY)]
    with pytest.raises(RetryableError, match="slow down"):
        world.provisioning.create(saga_id, DISK)
    (event,) = events_of_faults(world, saga_id)
    assert (event.resource_id, event.status, event.step, event.error) == (DISK, "CREATING", "create", "Throttling")
    assert event.message == "Throttling: slow down; it is tried again"
    assert world.resource(saga_id, DISK).trouble == 1


def test_looks_and_deletes_are_told_apart(world: World) -> None:
    saga_id = world.provisioning_saga()
    world.make_ready(saga_id, DISK)
    world.compensate(saga_id)
    world.cloud.faults = [Fault("delete", before=BUSY), Fault("find", before=BUSY)]
    with pytest.raises(RetryableError):
        world.release.delete(saga_id, DISK)
    with pytest.raises(RetryableError):
        world.release.observe(saga_id, DISK)
    assert [(it.status, it.step) for it in events_of_faults(world, saga_id)] == [
        ("DELETING", "delete"),
        ("DELETING", "observe"),
    ]


def test_faults_are_counted_until_the_resource_is_ready(world: World) -> None:
    saga_id = world.provisioning_saga()
    world.cloud.faults = [Fault("create", before=BUSY), Fault("create", before=BUSY)]
    for _ in range(2):
        with pytest.raises(RetryableError):
            world.provisioning.create(saga_id, DISK)
    assert world.resource(saga_id, DISK).trouble == 2
    world.make_ready(saga_id, DISK)
    assert world.resource(saga_id, DISK).trouble == 0


def test_what_does_not_pass_is_left_to_whoever_records_it(world: World) -> None:
    saga_id = world.provisioning_saga()
    world.cloud.faults = [Fault("create", before=CapacityError("Full", "no room"))]
    with pytest.raises(CapacityError):
        world.provisioning.create(saga_id, DISK)
    assert events_of_faults(world, saga_id) == []


def test_a_ledger_that_does_not_take_the_note_hides_no_fault(world: World) -> None:
    saga_id = world.provisioning_saga()
    world.provisioning.create(saga_id, DISK)
    intent = world.intent(saga_id, DISK)
    world.cloud.faults = [Fault("find", before=BUSY)]
    world.ledger.unavailable = 1
    with pytest.raises(RetryableError, match="slow down"):
        NotingProvider(world.cloud, world.ledger).find(intent)
    assert events_of_faults(world, saga_id) == []


def test_a_call_that_comes_when_all_is_over_stirs_nothing(world: World) -> None:
    saga_id = world.committed_saga()
    version = world.saga(saga_id).version
    world.cloud.faults = [Fault("find", before=BUSY)]
    with pytest.raises(RetryableError):
        NotingProvider(world.cloud, world.ledger).find(world.intent(saga_id, DISK))
    assert world.saga(saga_id).version == version
    assert world.status(saga_id, DISK) is ResourceStatus.READY


def test_a_note_does_not_make_a_deadline_later(world: World) -> None:
    saga_id = world.provisioning_saga()
    world.provisioning.create(saga_id, DISK)
    created_at = world.resource(saga_id, DISK).created_at
    world.clock.advance(60)
    world.cloud.faults = [Fault("observe", before=BUSY)]
    with pytest.raises(RetryableError):
        world.provisioning.observe(saga_id, DISK)
    assert world.resource(saga_id, DISK).created_at == created_at
    assert created_at == world.clock.now() - timedelta(seconds=60)
