"""The sweep finds what should not exist and what nobody works on, says so, and touches nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from lambdas.core.model import Intent, Saga
from lambdas.core.policy import Policy
from lambdas.core.ports.ledger import Snapshot, Standing
from lambdas.core.ports.provider import Marked
from lambdas.core.states import ResourceStatus, SagaStatus
from lambdas.core.steps.saga import ReleaseReason
from lambdas.core.steps.sweep import CloudFindings, CloudSweep, LedgerSweep, Overdue, most_listed
from lambdas.core.targets import AwsTarget, Target
from tests.fakes.documents import aws_disk
from tests.unit.core.large import become, open_large
from tests.unit.core.world import DISK, WEB, World
from tests.whole import whole

HOUR = 3600
COMPENSATE, DESTROY, EXPIRE, SWEEP = (ReleaseReason(it) for it in ("COMPENSATE", "DESTROY", "EXPIRE", "SWEEP"))


def cloud_sweep(world: World) -> CloudSweep:
    return CloudSweep("aws", world.ledger, world.cloud, world.clock, Policy())


def ledger_sweep(world: World) -> LedgerSweep:
    return LedgerSweep(world.ledger, world.clock, Policy())


def decide(world: World, *findings: CloudFindings, overdue: list[Overdue] | None = None, dry_run: bool = False):  # type: ignore[no-untyped-def]  # a verdict
    return ledger_sweep(world).decide(findings, overdue or [], dry_run=dry_run)


def rolled_back(world: World) -> str:
    """A saga that was undone, of which a create had been sent that nobody has seen take effect."""
    saga_id = world.provisioning_saga()
    world.provisioning.create(saga_id, DISK)
    world.compensate(saga_id)
    world.make_absent(saga_id, DISK)
    world.release.delete(saga_id, WEB)
    assert world.sagas.conclude(saga_id, 0)["next"] == "ROLLED_BACK"
    return saga_id


def late(world: World, intent: Intent) -> None:
    world.cloud.arrive_late(intent, "network", 0)


def test_what_was_found_says_in_which_target_and_is_listed_as_far_as_there_is_room(world: World) -> None:
    saga_id = rolled_back(world)
    for part in ("network", "machine"):
        world.cloud.arrive_late(world.intent(saga_id, DISK), part, 0)
    world.clock.advance(HOUR)

    found = cloud_sweep(world).look(AwsTarget(name="payments", role_arn="arn:role"), most=1)

    assert (found["target"], found["orphan_count"]) == ("payments", 2)
    assert [it["target"] for it in found["orphans"]] == ["payments"]


@pytest.mark.parametrize(("targets", "most"), [(1, 100), (3, 33), (1000, 1)])
def test_the_more_targets_a_cloud_has_the_less_is_listed_of_each(targets: int, most: int) -> None:
    assert most_listed(targets) == most


def test_what_appears_after_its_saga_has_ended_is_an_orphan_once_it_is_old_enough(world: World) -> None:
    saga_id = rolled_back(world)
    late(world, world.intent(saga_id, DISK))
    assert cloud_sweep(world).look()["orphans"] == []
    world.clock.advance(HOUR)
    found = cloud_sweep(world).look()
    (orphan,) = found["orphans"]
    assert orphan == {
        "cloud": "aws",
        "target": "default",
        "saga_id": saga_id,
        "resource_id": DISK,
        "cloud_id": f"{saga_id}/network",
    }
    assert decide(world, found)["releases"][0]["reason"] == "SWEEP"


def test_an_orphan_is_released_and_its_saga_ends_as_it_had_ended(world: World) -> None:
    saga_id = rolled_back(world)
    late(world, world.intent(saga_id, DISK))
    assert world.sagas.fence(saga_id, SWEEP)["next"] == "RELEASE"
    assert world.saga(saga_id).status is SagaStatus.COMPENSATING
    assert world.status(saga_id, DISK) is ResourceStatus.DELETING
    world.make_absent(saga_id, DISK)
    assert world.sagas.conclude(saga_id, 0)["next"] == "ROLLED_BACK"
    assert world.cloud.holding() == []


def test_reopening_again_after_a_crash_in_the_middle_reopens_the_rest(world: World) -> None:
    saga_id = rolled_back(world)
    world.ledger.change_saga(
        saga_id, lambda now: now.saga.model_copy(update={"status": SagaStatus.COMPENSATING, "finished_at": None})
    )
    world.sagas.fence(saga_id, SWEEP)
    assert world.status(saga_id, DISK) is ResourceStatus.DELETING


def test_what_the_cloud_was_never_asked_for_is_not_reopened(world: World) -> None:
    saga_id = rolled_back(world)
    world.sagas.fence(saga_id, SWEEP)
    assert world.status(saga_id, WEB) is ResourceStatus.ABSENT


def test_what_lives_in_a_committed_saga_or_in_one_at_work_is_nobodys_orphan(world: World) -> None:
    world.committed_saga()
    at_work = world.provisioning_saga()
    world.provisioning.create(at_work, DISK)
    world.clock.advance(100 * HOUR)
    assert cloud_sweep(world).look()["orphan_count"] == 0


@pytest.mark.parametrize("reason", [SWEEP])
def test_a_committed_saga_is_never_swept(world: World, reason: ReleaseReason) -> None:
    saga_id = world.committed_saga()
    assert world.sagas.fence(saga_id, reason)["next"] == "COMMITTED"
    assert world.saga(saga_id).status is SagaStatus.COMMITTED


def test_what_came_to_life_when_the_rest_of_its_saga_was_given_up_is_an_orphan(world: World) -> None:
    saga_id = world.provisioning_saga()
    world.make_ready(saga_id, DISK)
    world.provisioning.create(saga_id, WEB)
    world.compensate(saga_id)
    world.make_absent(saga_id, WEB)
    world.sagas.stick(saga_id, DISK, "AccessDenied: no")
    assert world.sagas.conclude(saga_id, 0)["next"] == "NEEDS_ATTENTION"
    late(world, world.intent(saga_id, WEB))
    world.clock.advance(HOUR)
    assert [it["resource_id"] for it in cloud_sweep(world).look()["orphans"]] == [WEB]


def test_what_an_unknown_saga_marked_is_listed_and_never_released(world: World) -> None:
    saga_id = rolled_back(world)
    stranger = world.intent(saga_id, DISK).model_copy(update={"saga_id": "s-of-another-deployment"})
    late(world, stranger)
    world.clock.advance(HOUR)
    found = cloud_sweep(world).look()
    assert [it["saga_id"] for it in found["unknown"]] == ["s-of-another-deployment"]
    verdict = decide(world, found)
    assert (len(verdict["unknown"]), verdict["releases"]) == (1, [])


class Inventory:
    """A cloud that holds what it is told."""

    def __init__(self, *marked: Marked) -> None:
        self._marked = marked

    def inventory(self, target: Target | None = None) -> Sequence[Marked]:
        return self._marked


def test_all_that_is_found_of_a_large_saga_is_compared_with_each_of_its_pages_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [f"data-{place:04d}" for place in range(1_200)]
    saga_id = open_large(world, *map(aws_disk, ids))
    become(world, saga_id, SagaStatus.COMMITTED)
    held = [Marked(saga_id, resource_id, f"vol-{resource_id}") for resource_id in [*ids, "data-9999"]]
    pages: list[str | None] = []
    read = world.ledger.page

    def page(saga_id: str, after: str | None, limit: int) -> Snapshot:
        pages.append(after)
        return read(saga_id, after, limit)

    monkeypatch.setattr(world.ledger, "page", page)

    found = CloudSweep("aws", world.ledger, Inventory(*reversed(held)), world.clock, Policy()).look()

    assert (found["marked"], found["orphan_count"]) == (1_201, 0)
    assert [it["resource_id"] for it in found["unknown"]] == ["data-9999"]
    assert pages == [None, "data-0499", "data-0999"]


def test_what_is_left_of_a_large_saga_is_counted_and_as_much_of_it_listed_as_there_is_room_for(world: World) -> None:
    ids = [f"data-{place:04d}" for place in range(1_200)]
    saga_id = open_large(world, *map(aws_disk, ids))
    become(world, saga_id, SagaStatus.COMPENSATING, SagaStatus.ROLLED_BACK)
    world.clock.advance(2 * HOUR)
    held = [Marked(saga_id, resource_id, f"vol-{resource_id}") for resource_id in ids]

    found = CloudSweep("aws", world.ledger, Inventory(*held), world.clock, Policy()).look()

    assert (found["orphan_count"], found["unknown_count"]) == (1_200, 0)
    assert [it["resource_id"] for it in found["orphans"]] == ids[:100]


def test_a_dry_run_lists_and_releases_nothing(world: World) -> None:
    saga_id = rolled_back(world)
    late(world, world.intent(saga_id, DISK))
    world.clock.advance(HOUR)
    before = whole(world.ledger, saga_id)
    verdict = decide(world, cloud_sweep(world).look(), dry_run=True)
    assert (len(verdict["orphans"]), verdict["releases"]) == (1, [])
    assert whole(world.ledger, saga_id) == before


def test_a_saga_gets_one_release_however_much_of_it_is_found(world: World) -> None:
    saga_id = rolled_back(world)
    for part in ("network", "machine"):
        world.cloud.arrive_late(world.intent(saga_id, DISK), part, 0)
    world.clock.advance(HOUR)
    found = cloud_sweep(world).look()
    assert found["orphan_count"] == 2
    assert len(decide(world, found, found)["releases"]) == 1


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (SagaStatus.PENDING, COMPENSATE),
        (SagaStatus.PROVISIONING, COMPENSATE),
        (SagaStatus.COMPENSATING, COMPENSATE),
        (SagaStatus.RELEASING, DESTROY),
    ],
)
def test_a_saga_whose_execution_has_vanished_is_taken_up(
    world: World, status: SagaStatus, reason: ReleaseReason
) -> None:
    saga_id = at(world, status)
    world.clock.advance(2 * HOUR)
    assert ledger_sweep(world).look()["overdue"] == []
    world.clock.advance(1)
    overdue = ledger_sweep(world).look()["overdue"]
    assert overdue == [{"saga_id": saga_id, "status": status, "reason": reason}]
    (release,) = decide(world, overdue=overdue)["releases"]
    assert world.sagas.fence(release["saga_id"], ReleaseReason(release["reason"]))["next"] == "RELEASE"


def at(world: World, status: SagaStatus) -> str:
    if status is SagaStatus.PENDING:
        return world.open(aws_disk(WEB))
    saga_id = world.committed_saga() if status is SagaStatus.RELEASING else world.provisioning_saga()
    if status is not SagaStatus.PROVISIONING:
        world.sagas.fence(saga_id, DESTROY)
    assert world.saga(saga_id).status is status
    return saga_id


def test_a_saga_that_was_heard_of_lately_is_left_to_its_execution(world: World) -> None:
    saga_id = world.provisioning_saga()
    world.clock.advance(3 * HOUR)
    world.provisioning.create(saga_id, DISK)
    assert ledger_sweep(world).look()["overdue"] == []


@pytest.mark.parametrize("ended", [SagaStatus.COMMITTED, SagaStatus.ROLLED_BACK])
def test_a_saga_that_has_ended_may_be_silent_for_ever(world: World, ended: SagaStatus) -> None:
    saga_id = world.committed_saga() if ended is SagaStatus.COMMITTED else rolled_back(world)
    world.clock.advance(1000 * HOUR)
    assert world.saga(saga_id).status is ended
    assert ledger_sweep(world).look() == {"overdue": [], "needing_attention": 0}


def test_a_saga_whose_expiry_was_missed_is_released_an_hour_later(world: World) -> None:
    saga_id = world.committed_saga()
    until = world.clock.now() + timedelta(hours=8)
    world.ledger.change_saga(saga_id, lambda now: now.saga.model_copy(update={"expires_at": until}))
    world.clock.advance(8.5 * HOUR)
    assert ledger_sweep(world).look()["overdue"] == []
    world.clock.advance(HOUR)
    assert ledger_sweep(world).look()["overdue"] == [{"saga_id": saga_id, "status": "COMMITTED", "reason": EXPIRE}]


def test_waiting_for_approval_is_no_silence_as_long_as_there_is_time_for_it(world: World) -> None:
    saga_id = world.awaiting_approval()
    week = timedelta(days=7)

    def longer(now: Standing) -> Saga:
        approval = now.saga.approval
        assert approval is not None
        return now.saga.model_copy(
            update={"approval": approval.model_copy(update={"approve_by": world.clock.now() + week})}
        )

    world.ledger.change_saga(saga_id, longer)
    world.clock.advance(week.total_seconds())
    assert ledger_sweep(world).look()["overdue"] == []
    world.clock.advance(HOUR)
    expected = {"saga_id": saga_id, "status": "AWAITING_APPROVAL", "reason": COMPENSATE}
    assert ledger_sweep(world).look()["overdue"] == [expected]


def test_a_cancelled_saga_that_still_waits_for_approval_is_taken_up_when_it_is_silent(world: World) -> None:
    saga_id = world.awaiting_approval()
    world.cancel(saga_id)
    world.clock.advance(1.5 * HOUR)
    assert ledger_sweep(world).look()["overdue"] == []
    world.clock.advance(HOUR)
    assert [it["saga_id"] for it in ledger_sweep(world).look()["overdue"]] == [saga_id]


def left_behind(world: World, saga_id: str) -> None:
    """A release that could not remove anything."""
    world.sagas.fence(saga_id, DESTROY)
    for resource_id in (WEB, DISK):
        world.release.delete(saga_id, resource_id)
        world.sagas.stick(saga_id, resource_id, "AccessDenied: no")
    world.sagas.conclude(saga_id, 0)
    assert world.saga(saga_id).status is SagaStatus.NEEDS_ATTENTION


def test_what_needs_attention_is_tried_again_by_every_sweep_for_a_day(world: World) -> None:
    saga_id = world.committed_saga()
    again = [{"saga_id": saga_id, "status": "NEEDS_ATTENTION", "reason": DESTROY}]
    tried = 0
    for _ in range(48):
        left_behind(world, saga_id)
        world.clock.advance(HOUR)
        tried += ledger_sweep(world).look()["overdue"] == again
    assert tried == 23


def test_a_release_that_ended_well_begins_the_day_anew(world: World) -> None:
    saga_id = world.committed_saga()
    left_behind(world, saga_id)
    assert world.saga(saga_id).attention_since == world.clock.now()
    world.sagas.fence(saga_id, DESTROY)
    for resource_id in (WEB, DISK):
        world.make_absent(saga_id, resource_id)
    world.sagas.conclude(saga_id, 0)
    assert world.saga(saga_id).attention_since is None


def test_sagas_that_need_attention_are_counted_and_after_a_day_left_alone(world: World) -> None:
    saga_id = world.committed_saga()
    left_behind(world, saga_id)
    world.clock.advance(100 * HOUR)
    assert ledger_sweep(world).look() == {"overdue": [], "needing_attention": 1}
    assert cloud_sweep(world).look()["orphans"] == []


def test_more_than_a_page_of_sagas_is_looked_at(world: World) -> None:
    for _ in range(130):
        world.open(aws_disk(WEB))
        world.clock.advance(1)
    world.clock.advance(3 * HOUR)
    assert len(ledger_sweep(world).look()["overdue"]) == 100
