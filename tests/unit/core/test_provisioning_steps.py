"""Creating one resource: whatever dies in between, one thing of each part is begun, and never past the fence."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from lambdas.core.errors import CapacityError, RetryableError, SagaNotFound, StepError, TerminalError
from lambdas.core.states import ResourceStatus, SagaStatus
from tests.fakes.documents import aws_instance
from tests.fakes.provider import Fault, WorkerKilled, lost_reply
from tests.unit.core.world import DISK, POLICY, WEB, World

DONE = {"next": "DONE", "delay": 0}
CREATE = {"next": "CREATE", "delay": 0}
WAIT = {"next": "WAIT", "delay": 2}


def creates(world: World) -> list[str]:
    return [part for operation, _, part in world.cloud.calls if operation == "create"]


def test_create_begins_the_first_part_and_waits(world: World) -> None:
    world.cloud.seconds_to_ready = 10
    saga_id = world.provisioning_saga()
    assert world.provisioning.create(saga_id, DISK) == WAIT
    resource = world.resource(saga_id, DISK)
    assert (resource.status, resource.created_at) == (ResourceStatus.CREATING, world.clock.now())
    assert resource.operations == {"network": "operation-of-network"}
    assert world.cloud.begun == [(DISK, "network")]


def test_the_intent_is_in_the_ledger_before_the_cloud_is_asked(world: World) -> None:
    saga_id = world.provisioning_saga()
    world.cloud.faults = [Fault("create", before=WorkerKilled())]
    with pytest.raises(WorkerKilled):
        world.provisioning.create(saga_id, DISK)
    assert world.status(saga_id, DISK) is ResourceStatus.CREATING
    assert world.ledger.events(saga_id)[-1].status == "CREATING"
    assert world.cloud.begun == []


def test_no_cloud_is_asked_when_the_intent_cannot_be_written(world: World) -> None:
    saga_id = world.provisioning_saga()
    world.ledger.unavailable = 1
    with pytest.raises(RetryableError):
        world.provisioning.create(saga_id, DISK)
    assert world.cloud.calls == []


def test_parts_are_begun_one_after_the_other_each_when_the_one_before_is_ready(world: World) -> None:
    world.cloud.seconds_to_ready = 10
    saga_id = world.provisioning_saga()
    world.provisioning.create(saga_id, DISK)
    assert world.provisioning.observe(saga_id, DISK) == WAIT
    world.clock.advance(10)
    assert world.provisioning.observe(saga_id, DISK) == CREATE
    assert world.provisioning.create(saga_id, DISK)["next"] == "WAIT"
    assert world.provisioning.observe(saga_id, DISK)["next"] == "WAIT"
    world.clock.advance(10)
    assert world.provisioning.observe(saga_id, DISK) == DONE
    assert world.cloud.begun == [(DISK, "network"), (DISK, "machine")]


def test_parts_that_are_ready_at_once_are_begun_by_the_same_call(world: World) -> None:
    saga_id = world.provisioning_saga()
    assert world.provisioning.create(saga_id, DISK) == WAIT
    assert [(operation, part) for operation, _, part in world.cloud.calls] == [
        ("create", "network"),
        ("observe", "network"),
        ("create", "machine"),
    ]
    assert world.resource(saga_id, DISK).operations.keys() == {"network", "machine"}
    assert world.provisioning.observe(saga_id, DISK) == DONE


def test_a_ready_resource_carries_the_clouds_id_and_the_moment(world: World) -> None:
    saga_id = world.provisioning_saga()
    world.make_ready(saga_id, DISK)
    resource = world.resource(saga_id, DISK)
    assert (resource.cloud_id, resource.ready_at) == (f"{saga_id}-{DISK}", world.clock.now())


def test_a_ready_resource_is_neither_created_nor_looked_at_again(world: World) -> None:
    saga_id = world.provisioning_saga()
    world.make_ready(saga_id, DISK)
    calls = list(world.cloud.calls)
    assert world.provisioning.create(saga_id, DISK) == DONE
    assert world.provisioning.observe(saga_id, DISK) == DONE
    assert world.cloud.calls == calls


def test_an_instance_is_created_with_the_cloud_ids_of_its_disks(world: World) -> None:
    saga_id = world.provisioning_saga()
    world.make_ready(saga_id, DISK)
    name = f"{saga_id}-{DISK}"
    assert [tuple(disk) for disk in world.intent(saga_id, WEB).disks] == [(DISK, name, name, "eu-west-1a")]


CRASHES: dict[str, Callable[[World], None]] = {
    "before the intent": lambda world: setattr(world.ledger, "unavailable", 1),
    "after the intent, before the cloud is asked": lambda world: world.cloud.faults.append(
        Fault("create", before=WorkerKilled())
    ),
    "refused before any effect": lambda world: world.cloud.faults.append(
        Fault("create", before=RetryableError("Throttling", "slow down"))
    ),
    "after the effect, before its reply": lambda world: world.cloud.faults.append(Fault("create", after=lost_reply())),
    "after the reply, before it is recorded": lambda world: world.cloud.faults.append(
        Fault("create", after=WorkerKilled())
    ),
    "after all, before the step's own reply": lambda world: None,
}


@pytest.mark.parametrize("crash", CRASHES)
@pytest.mark.parametrize("seconds", [0, 10], ids=["ready at once", "ready later"])
@pytest.mark.parametrize("part", ["network", "machine"])
def test_a_create_repeated_after_a_crash_begins_each_part_once_and_in_order(
    world: World, part: str, seconds: float, crash: str
) -> None:
    world.cloud.seconds_to_ready = seconds
    saga_id = world.provisioning_saga()
    if part == "machine":
        world.cloud.seconds_to_ready = 10
        world.provisioning.create(saga_id, DISK)
        world.cloud.seconds_to_ready = seconds
        world.clock.advance(10)
    CRASHES[crash](world)
    try:
        world.provisioning.create(saga_id, DISK)
    except (WorkerKilled, StepError):
        assert crash != "after all, before the step's own reply"
    for _ in range(3):
        world.provisioning.create(saga_id, DISK)
        world.clock.advance(seconds)
    assert world.provisioning.observe(saga_id, DISK) == DONE
    assert world.cloud.begun == [(DISK, "network"), (DISK, "machine")]


def test_a_repeated_create_does_not_begin_the_next_part_while_the_one_before_is_not_ready(world: World) -> None:
    world.cloud.seconds_to_ready = 10
    saga_id = world.provisioning_saga()
    for _ in range(3):
        assert world.provisioning.create(saga_id, DISK)["next"] == "WAIT"
    assert creates(world) == ["network"]


def test_two_deliveries_at_once_write_one_intent(world: World) -> None:
    saga_id = world.provisioning_saga()
    world.ledger.meanwhile = [lambda: world.provisioning.create(saga_id, DISK)]
    world.provisioning.create(saga_id, DISK)
    statuses = [event.status for event in world.ledger.events(saga_id) if event.message is None]
    assert statuses == ["PENDING", "PROVISIONING", "CREATING"]
    assert world.cloud.begun[0] == (DISK, "network")
    assert len(set(world.cloud.begun)) == len(world.cloud.begun)


@pytest.mark.parametrize("stop", ["compensate", "cancel"])
def test_no_create_begins_once_the_saga_is_fenced_or_cancelled(world: World, stop: str) -> None:
    saga_id = world.provisioning_saga()
    getattr(world, stop)(saga_id)
    assert world.provisioning.create(saga_id, DISK) == DONE
    assert world.status(saga_id, DISK) is ResourceStatus.PLANNED
    assert world.cloud.calls == []


@pytest.mark.parametrize("stop", ["compensate", "cancel"])
def test_a_fence_that_goes_up_between_the_look_and_the_intent_still_stops_the_create(world: World, stop: str) -> None:
    saga_id = world.provisioning_saga()
    world.ledger.meanwhile = [lambda: getattr(world, stop)(saga_id)]
    assert world.provisioning.create(saga_id, DISK) == DONE
    assert world.status(saga_id, DISK) is ResourceStatus.PLANNED
    assert world.cloud.calls == []


@pytest.mark.parametrize("stop", ["compensate", "cancel"])
def test_the_next_part_does_not_begin_once_the_saga_is_fenced_or_cancelled(world: World, stop: str) -> None:
    world.cloud.seconds_to_ready = 10
    saga_id = world.provisioning_saga()
    world.provisioning.create(saga_id, DISK)
    world.clock.advance(10)
    getattr(world, stop)(saga_id)
    assert world.provisioning.create(saga_id, DISK) == DONE
    assert world.provisioning.observe(saga_id, DISK) == DONE
    assert world.cloud.begun == [(DISK, "network")]


@pytest.mark.parametrize("stop", ["compensate", "cancel"])
def test_nor_does_one_that_the_same_call_would_begin(world: World, stop: str) -> None:
    saga_id = world.provisioning_saga()
    world.ledger.meanwhile = [lambda: None, lambda: getattr(world, stop)(saga_id)]
    assert world.provisioning.create(saga_id, DISK) == WAIT
    assert world.provisioning.observe(saga_id, DISK) == DONE
    assert world.cloud.begun == [(DISK, "network")]
    assert world.resource(saga_id, DISK).operations.keys() == {"network"}


def test_no_create_begins_before_the_saga_has(world: World) -> None:
    saga_id = world.open()
    assert world.provisioning.create(saga_id, DISK) == DONE
    assert world.cloud.calls == []


def test_an_operation_whose_record_comes_late_is_kept_for_the_release(world: World) -> None:
    saga_id = world.provisioning_saga()

    def release_first() -> None:
        world.compensate(saga_id)
        world.release.delete(saga_id, DISK)

    world.ledger.meanwhile = [lambda: None, release_first]
    world.provisioning.create(saga_id, DISK)
    resource = world.resource(saga_id, DISK)
    assert (resource.status, resource.operations) == (
        ResourceStatus.DELETING,
        {"network": "operation-of-network"},
    )


@pytest.mark.parametrize("error", [RetryableError, CapacityError, TerminalError])
def test_what_the_cloud_refuses_is_raised_by_its_name_and_leaves_the_intent(
    world: World, error: type[StepError]
) -> None:
    saga_id = world.provisioning_saga()
    world.cloud.faults = [Fault("create", before=error("SomeCode", "no"))]
    with pytest.raises(error, match=r"^SomeCode: no$"):
        world.provisioning.create(saga_id, DISK)
    assert world.status(saga_id, DISK) is ResourceStatus.CREATING


def test_what_fails_after_it_was_accepted_is_raised_by_the_look(world: World) -> None:
    world.cloud.seconds_to_ready = 10
    saga_id = world.provisioning_saga()
    world.provisioning.create(saga_id, DISK)
    world.cloud.fail_part("network", CapacityError("ZONE_RESOURCE_POOL_EXHAUSTED", "full"))
    with pytest.raises(CapacityError, match="ZONE_RESOURCE_POOL_EXHAUSTED"):
        world.provisioning.observe(saga_id, DISK)


def test_a_look_before_anything_was_begun_asks_for_the_create(world: World) -> None:
    saga_id = world.provisioning_saga()
    world.cloud.faults = [Fault("create", before=WorkerKilled())]
    with pytest.raises(WorkerKilled):
        world.provisioning.create(saga_id, DISK)
    assert world.provisioning.observe(saga_id, DISK) == CREATE


def test_a_look_at_what_is_only_planned_does_nothing(world: World) -> None:
    saga_id = world.provisioning_saga()
    assert world.provisioning.observe(saga_id, DISK) == DONE
    assert world.cloud.calls == []


def test_looks_become_rarer_the_longer_it_takes(world: World) -> None:
    world.cloud.seconds_to_ready = 1000
    saga_id = world.provisioning_saga()
    world.provisioning.create(saga_id, DISK)
    delays = []
    for _ in range(6):
        delay = world.provisioning.observe(saga_id, DISK)["delay"]
        delays.append(delay)
        world.clock.advance(max(delay, 40))
    assert delays == [2, 20, 40, 60, 60, 60]


def test_what_is_not_ready_by_the_deadline_has_failed(world: World) -> None:
    world.cloud.seconds_to_ready = 10_000
    saga_id = world.provisioning_saga()
    world.provisioning.create(saga_id, DISK)
    world.clock.advance(POLICY.create_timeout)
    assert world.provisioning.observe(saga_id, DISK)["next"] == "WAIT"
    world.clock.advance(1)
    with pytest.raises(TerminalError, match="DeadlineExceeded: not ready after 600 s"):
        world.provisioning.observe(saga_id, DISK)


def test_what_is_ready_just_after_the_deadline_is_taken(world: World) -> None:
    saga_id = world.provisioning_saga()
    world.provisioning.create(saga_id, DISK)
    world.provisioning.observe(saga_id, DISK)
    world.provisioning.create(saga_id, DISK)
    world.clock.advance(POLICY.create_timeout + 1)
    assert world.provisioning.observe(saga_id, DISK) == DONE


def test_a_look_that_is_overtaken_by_the_fence_changes_nothing(world: World) -> None:
    saga_id = world.provisioning_saga(aws_instance())
    world.provisioning.create(saga_id, WEB)

    def release_first() -> None:
        world.compensate(saga_id)
        world.release.delete(saga_id, WEB)

    world.ledger.meanwhile = [release_first]
    assert world.provisioning.observe(saga_id, WEB) == DONE
    assert world.status(saga_id, WEB) is ResourceStatus.DELETING


def test_a_saga_or_resource_that_is_not_in_the_ledger_is_an_error(world: World) -> None:
    with pytest.raises(SagaNotFound):
        world.provisioning.create("s-unknown", DISK)
    with pytest.raises(SagaNotFound):
        world.provisioning.create(world.provisioning_saga(), "nothing")


def test_the_time_of_the_intent_stays_the_first_ones(world: World) -> None:
    world.cloud.seconds_to_ready = 100
    saga_id = world.provisioning_saga()
    world.provisioning.create(saga_id, DISK)
    began = world.clock.now()
    world.clock.advance(30)
    world.provisioning.create(saga_id, DISK)
    assert world.resource(saga_id, DISK).created_at == began
    assert world.clock.now() - began == timedelta(seconds=30)
    assert world.saga(saga_id).status is SagaStatus.PROVISIONING
