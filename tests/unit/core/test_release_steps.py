"""Removing one resource: from its intent, until its absence has lasted."""

from __future__ import annotations

import pytest

from lambdas.core.errors import RetryableError, StepError, TerminalError
from lambdas.core.states import ResourceStatus, SagaStatus
from lambdas.core.steps.saga import ReleaseReason
from tests.fakes.provider import Fault, WorkerKilled, lost_reply
from tests.unit.core.world import DISK, POLICY, World

DONE = {"next": "DONE", "delay": 0}
DELETE = {"next": "DELETE", "delay": 0}


@pytest.fixture
def compensating(world: World) -> str:
    """A saga whose disk was begun and that is being undone."""
    saga_id = world.provisioning_saga()
    world.provisioning.create(saga_id, DISK)
    world.compensate(saga_id)
    return saga_id


def test_what_was_only_planned_is_absent_without_asking_the_cloud(world: World) -> None:
    saga_id = world.provisioning_saga()
    world.compensate(saga_id)
    assert world.release.delete(saga_id, DISK) == DONE
    assert world.release.observe(saga_id, DISK) == DONE
    assert world.status(saga_id, DISK) is ResourceStatus.ABSENT
    assert world.cloud.calls == []


def test_delete_removes_what_there_is_and_waits(world: World, compensating: str) -> None:
    assert world.release.delete(compensating, DISK) == {"next": "WAIT", "delay": 2}
    resource = world.resource(compensating, DISK)
    assert (resource.status, resource.release_began_at) == (ResourceStatus.DELETING, world.clock.now())
    assert world.cloud.holding() == []


def test_the_release_is_in_the_ledger_before_the_cloud_is_asked(world: World, compensating: str) -> None:
    world.cloud.faults = [Fault("delete", before=WorkerKilled())]
    with pytest.raises(WorkerKilled):
        world.release.delete(compensating, DISK)
    assert world.status(compensating, DISK) is ResourceStatus.DELETING


def test_absence_counts_once_it_has_lasted_for_the_settling_window(world: World, compensating: str) -> None:
    world.release.delete(compensating, DISK)
    assert world.release.observe(compensating, DISK) == {"next": "WAIT", "delay": 60}
    world.clock.advance(59)
    assert world.release.observe(compensating, DISK) == {"next": "WAIT", "delay": 1}
    assert world.status(compensating, DISK) is ResourceStatus.DELETING
    world.clock.advance(1)
    assert world.release.observe(compensating, DISK) == DONE
    assert world.status(compensating, DISK) is ResourceStatus.ABSENT


def test_no_look_is_wasted_before_the_window_is_over(world: World, compensating: str) -> None:
    world.cloud.settling_seconds = 500
    world.release.delete(compensating, DISK)
    assert world.release.observe(compensating, DISK) == {"next": "WAIT", "delay": 500}


def test_without_a_settling_window_the_first_absence_counts(world: World, compensating: str) -> None:
    world.cloud.settling_seconds = 0
    world.release.delete(compensating, DISK)
    assert world.release.observe(compensating, DISK) == DONE


def test_a_create_that_arrives_late_is_removed_and_starts_the_window_anew(world: World, compensating: str) -> None:
    world.release.delete(compensating, DISK)
    world.cloud.arrive_late(world.intent(compensating, DISK), "machine", seconds=30)
    assert world.release.observe(compensating, DISK)["next"] == "WAIT"
    world.clock.advance(30)
    assert world.release.observe(compensating, DISK) == DELETE
    assert world.resource(compensating, DISK).absent_since is None
    world.release.delete(compensating, DISK)
    world.release.observe(compensating, DISK)
    world.clock.advance(59)
    assert world.release.observe(compensating, DISK)["next"] == "WAIT"
    world.clock.advance(1)
    assert world.release.observe(compensating, DISK) == DONE
    assert world.cloud.holding() == []


def test_a_look_overtaken_by_one_that_found_something_does_not_settle(world: World, compensating: str) -> None:
    world.release.delete(compensating, DISK)
    world.release.observe(compensating, DISK)
    world.clock.advance(60)

    def another_finds_something() -> None:
        world.cloud.arrive_late(world.intent(compensating, DISK), "machine", seconds=0)
        assert world.release.observe(compensating, DISK) == DELETE

    world.ledger.meanwhile = [another_finds_something]
    assert world.release.observe(compensating, DISK) == {"next": "WAIT", "delay": 1}
    assert world.release.observe(compensating, DISK) == DELETE
    world.make_absent(compensating, DISK)
    assert world.cloud.holding() == []


def test_what_is_still_there_is_deleted_again(world: World, compensating: str) -> None:
    world.cloud.stubborn = True
    world.release.delete(compensating, DISK)
    assert world.release.observe(compensating, DISK) == DELETE
    world.cloud.stubborn = False
    world.make_absent(compensating, DISK)


def test_deletes_become_rarer_the_longer_it_takes(world: World, compensating: str) -> None:
    world.cloud.stubborn = True
    delays = []
    for _ in range(4):
        delays.append(world.release.delete(compensating, DISK)["delay"])
        world.clock.advance(200)
    assert delays == [2, 100, 200, 240]


def test_what_is_not_gone_by_the_deadline_is_an_error_that_lists_it(world: World, compensating: str) -> None:
    world.cloud.stubborn = True
    world.release.delete(compensating, DISK)
    world.clock.advance(POLICY.release_timeout)
    assert world.release.observe(compensating, DISK) == DELETE
    world.clock.advance(1)
    with pytest.raises(TerminalError, match=f"StillThere: not gone after 900 s: {compensating}-{DISK}/network"):
        world.release.observe(compensating, DISK)


def test_what_is_gone_after_the_deadline_still_settles(world: World, compensating: str) -> None:
    world.release.delete(compensating, DISK)
    world.clock.advance(POLICY.release_timeout + 1)
    assert world.release.observe(compensating, DISK)["next"] == "WAIT"


@pytest.mark.parametrize(
    "fault",
    [
        Fault("delete", before=RetryableError("Throttling", "slow down")),
        Fault("delete", before=WorkerKilled()),
        Fault("delete", after=lost_reply()),
        Fault("delete", after=WorkerKilled()),
    ],
    ids=["refused", "killed before", "reply lost", "killed after"],
)
def test_a_delete_repeated_after_a_crash_ends_in_absence(world: World, compensating: str, fault: Fault) -> None:
    world.cloud.faults = [fault]
    with pytest.raises((StepError, WorkerKilled)):
        world.release.delete(compensating, DISK)
    world.make_absent(compensating, DISK)
    assert world.cloud.holding() == []


def test_a_repeated_delete_keeps_the_moment_the_release_began(world: World, compensating: str) -> None:
    world.release.delete(compensating, DISK)
    began = world.clock.now()
    world.clock.advance(5)
    world.release.delete(compensating, DISK)
    assert world.resource(compensating, DISK).release_began_at == began


def test_what_is_absent_is_neither_deleted_nor_looked_for_again(world: World, compensating: str) -> None:
    world.make_absent(compensating, DISK)
    calls = list(world.cloud.calls)
    assert world.release.delete(compensating, DISK) == DONE
    assert world.release.observe(compensating, DISK) == DONE
    assert world.cloud.calls == calls


def test_a_failed_create_is_released_from_its_intent_without_any_operation_recorded(world: World) -> None:
    saga_id = world.provisioning_saga()
    world.cloud.faults = [Fault("create", after=lost_reply())]
    with pytest.raises(RetryableError):
        world.provisioning.create(saga_id, DISK)
    world.sagas.fail(saga_id, DISK, "ReadTimeout")
    assert world.cloud.holding() == [DISK]
    world.compensate(saga_id)
    world.make_absent(saga_id, DISK)
    assert world.cloud.holding() == []


def test_a_look_that_fails_leaves_the_window_as_it_was(world: World, compensating: str) -> None:
    world.release.delete(compensating, DISK)
    world.release.observe(compensating, DISK)
    since = world.resource(compensating, DISK).absent_since
    world.cloud.faults = [Fault("find", before=RetryableError("Throttling", "slow down"))]
    with pytest.raises(RetryableError):
        world.release.observe(compensating, DISK)
    assert world.resource(compensating, DISK).absent_since == since


def test_what_was_stuck_is_deleted_again_when_resumed_with_a_new_deadline(world: World, compensating: str) -> None:
    world.cloud.stubborn = True
    world.release.delete(compensating, DISK)
    world.sagas.stick(compensating, DISK, "StillThere")
    world.sagas.conclude(compensating, 0)
    assert world.saga(compensating).status is SagaStatus.NEEDS_ATTENTION
    world.clock.advance(100_000)
    world.sagas.fence(compensating, ReleaseReason.DESTROY)
    world.release.delete(compensating, DISK)
    resource = world.resource(compensating, DISK)
    assert (resource.status, resource.release_began_at) == (ResourceStatus.DELETING, world.clock.now())
    world.cloud.stubborn = False
    world.make_absent(compensating, DISK)


def test_a_resumed_release_settles_anew_however_long_ago_the_first_absence_was_seen(
    world: World, compensating: str
) -> None:
    world.release.delete(compensating, DISK)
    world.release.observe(compensating, DISK)
    world.clock.advance(100_000)
    world.sagas.conclude(compensating, 0)
    world.sagas.fence(compensating, ReleaseReason.DESTROY)
    world.release.delete(compensating, DISK)
    assert world.release.observe(compensating, DISK) == {"next": "WAIT", "delay": 60}
