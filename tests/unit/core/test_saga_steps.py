"""The steps between waves: each may be repeated, and every saga comes to one of its endings."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lambdas.core.errors import RetryableError
from lambdas.core.states import ResourceStatus, SagaStatus
from lambdas.core.steps.results import WaveItem, WaveResult
from lambdas.core.steps.rounds import SECONDS_BETWEEN
from lambdas.core.steps.saga import ReleaseReason
from tests.fakes.documents import aws_disk, azure_instance, gcp_instance
from tests.unit.core.world import DISK, POLICY, WEB, World
from tests.whole import whole

COMPENSATE = ReleaseReason.COMPENSATE
DESTROY = ReleaseReason.DESTROY


def gist(world: World, result: WaveResult) -> tuple[str, int, list[str]]:
    return result["next"], result["wave"], [item["resource_id"] for item in items(world, result)]


def items(world: World, result: WaveResult) -> list[WaveItem]:
    """What the batches of a wave list when they begin, now."""
    listed = [
        world.sagas.list_batch(it["saga_id"], it["wave"], it["batch"], again=it["again"]) for it in result["batches"]
    ]
    return [item for batch in listed for item in batch["resources"]]


def needing_attention(world: World, saga_id: str, reason: ReleaseReason) -> str:
    world.sagas.fence(saga_id, reason)
    for resource_id in (WEB, DISK):
        world.sagas.stick(saga_id, resource_id, "StillThere: it would not go")
    world.sagas.conclude(saga_id, 0)
    assert world.saga(saga_id).status is SagaStatus.NEEDS_ATTENTION
    return saga_id


def test_begin_gives_the_first_wave_and_the_functions_of_each_provider(world: World) -> None:
    saga_id = world.open(aws_disk("a"), gcp_instance("b"), azure_instance("c", depends_on=["a"]))
    result = world.sagas.begin(saga_id)
    assert gist(world, result) == ("PROVISION", 0, ["a", "b"])
    assert items(world, result)[1] == {
        "saga_id": saga_id,
        "resource_id": "b",
        "functions": {"create": "gcp-create", "observe": "gcp-observe", "delete": "gcp-delete"},
    }
    assert world.saga(saga_id).status is SagaStatus.PROVISIONING


def test_begin_repeated_gives_the_same_and_writes_nothing(world: World) -> None:
    saga_id = world.open()
    first = world.sagas.begin(saga_id)
    version = world.saga(saga_id).version
    assert world.sagas.begin(saga_id) == first
    assert world.saga(saga_id).version == version


def test_a_saga_cancelled_before_it_began_goes_straight_to_compensation(world: World) -> None:
    saga_id = world.open()
    world.cancel(saga_id)
    assert gist(world, world.sagas.begin(saga_id)) == ("COMPENSATE", 0, [])
    assert world.saga(saga_id).status is SagaStatus.PENDING


def test_begin_of_a_saga_that_has_committed_provisions_nothing(world: World) -> None:
    assert world.sagas.begin(world.committed_saga())["next"] == "COMMITTED"


def test_decide_gives_the_next_wave_when_everything_so_far_is_ready(world: World) -> None:
    saga_id = world.provisioning_saga()
    world.make_ready(saga_id, DISK)
    assert gist(world, world.sagas.decide(saga_id, 0)) == ("PROVISION", 1, [WEB])
    assert gist(world, world.sagas.decide(saga_id, 0)) == ("PROVISION", 1, [WEB])


def test_decide_commits_when_every_resource_is_ready(world: World) -> None:
    saga_id = world.provisioning_saga()
    world.make_ready(saga_id, DISK)
    world.make_ready(saga_id, WEB)
    assert world.sagas.decide(saga_id, 1)["next"] == "COMMITTED"
    saga = world.saga(saga_id)
    assert (saga.status, saga.finished_at) == (SagaStatus.COMMITTED, world.clock.now())


def test_decide_repeated_after_the_commit_says_so_again_and_writes_nothing(world: World) -> None:
    saga_id = world.committed_saga()
    before = world.saga(saga_id)
    world.clock.advance(10)
    assert world.sagas.decide(saga_id, 1)["next"] == "COMMITTED"
    assert world.saga(saga_id) == before


def test_decide_compensates_when_a_resource_failed(world: World) -> None:
    saga_id = world.provisioning_saga(aws_disk("a"), gcp_instance("b"))
    world.make_ready(saga_id, "a")
    world.sagas.fail(saga_id, "b", "ZONE_RESOURCE_POOL_EXHAUSTED: full")
    assert gist(world, world.sagas.decide(saga_id, 0)) == ("COMPENSATE", 1, [])
    assert world.saga(saga_id).status is SagaStatus.PROVISIONING


@pytest.mark.parametrize("begun", [False, True])
def test_what_a_batch_did_not_finish_gets_another_round_until_its_deadline(world: World, begun: bool) -> None:
    saga_id = world.provisioning_saga()
    if begun:
        world.provisioning.create(saga_id, DISK)
    again = world.sagas.decide(saga_id, 0)
    assert (gist(world, again), again["delay"]) == (("AGAIN", 0, [DISK]), SECONDS_BETWEEN)
    world.clock.advance(POLICY.create_timeout + 1)
    assert world.sagas.decide(saga_id, 0)["next"] == "COMPENSATE"


def test_another_round_is_for_those_only_that_are_not_ready(world: World) -> None:
    saga_id = world.provisioning_saga(aws_disk("a"), aws_disk("b"))
    world.make_ready(saga_id, "a")
    assert gist(world, world.sagas.decide(saga_id, 0)) == ("AGAIN", 0, ["b"])


def test_a_later_wave_has_its_own_time(world: World) -> None:
    saga_id = world.provisioning_saga()
    world.clock.advance(POLICY.create_timeout - 1)
    world.make_ready(saga_id, DISK)
    world.clock.advance(POLICY.create_timeout - 1)
    assert gist(world, world.sagas.decide(saga_id, 1)) == ("AGAIN", 1, [WEB])


@pytest.mark.parametrize("end", ["cancel", "fail"])
def test_there_is_no_other_round_for_a_saga_that_is_to_be_undone(world: World, end: str) -> None:
    saga_id = world.provisioning_saga(aws_disk("a"), aws_disk("b"))
    world.provisioning.create(saga_id, "a")
    if end == "cancel":
        world.cancel(saga_id)
    else:
        world.sagas.fail(saga_id, "b", "Quota")
    assert world.sagas.decide(saga_id, 0)["next"] == "COMPENSATE"


def test_what_is_not_gone_gets_another_round_and_what_is_not_found_the_time_to_settle(world: World) -> None:
    saga_id = world.provisioning_saga(aws_disk("a"), aws_disk("b"))
    for resource_id in ("a", "b"):
        world.provisioning.create(saga_id, resource_id)
    world.compensate(saga_id)
    world.make_absent(saga_id, "b")
    world.release.delete(saga_id, "a")
    again = world.sagas.conclude(saga_id, 0)
    assert (gist(world, again), again["delay"]) == (("AGAIN", 0, ["a"]), SECONDS_BETWEEN)
    world.clock.advance(POLICY.release_timeout + 1)
    world.release.observe(saga_id, "a")
    assert world.resource(saga_id, "a").absent_since is not None
    assert gist(world, world.sagas.conclude(saga_id, 0)) == ("AGAIN", 0, ["a"])


def test_decide_compensates_when_a_cancel_was_asked_for_even_if_everything_is_ready(world: World) -> None:
    saga_id = world.provisioning_saga()
    world.make_ready(saga_id, DISK)
    world.make_ready(saga_id, WEB)
    world.cancel(saga_id)
    assert world.sagas.decide(saga_id, 1)["next"] == "COMPENSATE"


def test_a_cancel_that_is_written_just_before_the_commit_wins(world: World) -> None:
    saga_id = world.provisioning_saga()
    world.make_ready(saga_id, DISK)
    world.make_ready(saga_id, WEB)
    world.ledger.meanwhile = [lambda: world.cancel(saga_id)]
    assert world.sagas.decide(saga_id, 1)["next"] == "COMPENSATE"
    assert world.saga(saga_id).status is SagaStatus.PROVISIONING


def test_a_fence_that_goes_up_just_before_the_commit_wins(world: World) -> None:
    saga_id = world.provisioning_saga()
    world.make_ready(saga_id, DISK)
    world.make_ready(saga_id, WEB)
    world.ledger.meanwhile = [lambda: world.compensate(saga_id)]
    assert world.sagas.decide(saga_id, 1)["next"] == "COMPENSATE"
    assert world.saga(saga_id).status is SagaStatus.COMPENSATING


def test_a_commit_that_is_written_just_before_the_fence_wins(world: World) -> None:
    saga_id = world.provisioning_saga()
    world.make_ready(saga_id, DISK)
    world.make_ready(saga_id, WEB)
    world.ledger.meanwhile = [lambda: world.sagas.decide(saga_id, 1)]
    assert gist(world, world.sagas.fence(saga_id, COMPENSATE)) == ("COMMITTED", -1, [])
    assert world.saga(saga_id).status is SagaStatus.COMMITTED


def test_fail_records_why_and_repeating_it_writes_nothing(world: World) -> None:
    saga_id = world.provisioning_saga()
    world.provisioning.create(saga_id, DISK)
    world.sagas.fail(saga_id, DISK, "Quota: none left")
    before = world.saga(saga_id)
    resource = world.resource(saga_id, DISK)
    assert (resource.status, resource.error) == (ResourceStatus.FAILED, "Quota: none left")
    assert world.ledger.events(saga_id)[-1].message == "Quota: none left"
    world.sagas.fail(saga_id, DISK, "Quota: again")
    assert world.saga(saga_id) == before


def test_fail_of_what_became_ready_after_all_changes_nothing(world: World) -> None:
    saga_id = world.provisioning_saga()
    world.make_ready(saga_id, DISK)
    world.sagas.fail(saga_id, DISK, "States.Timeout")
    assert world.status(saga_id, DISK) is ResourceStatus.READY


def test_fail_that_comes_after_the_release_began_changes_nothing(world: World) -> None:
    saga_id = world.provisioning_saga()
    world.provisioning.create(saga_id, DISK)
    world.compensate(saga_id)
    world.release.delete(saga_id, DISK)
    world.sagas.fail(saga_id, DISK, "States.Timeout")
    assert world.status(saga_id, DISK) is ResourceStatus.DELETING


def test_fail_of_what_was_never_begun_is_recorded(world: World) -> None:
    saga_id = world.provisioning_saga()
    world.sagas.fail(saga_id, DISK, "Lambda.Unknown")
    assert world.status(saga_id, DISK) is ResourceStatus.FAILED


@pytest.mark.parametrize("begin", [False, True], ids=["pending", "provisioning"])
def test_the_fence_starts_with_the_last_wave(world: World, begin: bool) -> None:
    saga_id = world.provisioning_saga() if begin else world.open()
    assert gist(world, world.sagas.fence(saga_id, COMPENSATE)) == ("RELEASE", 1, [WEB])
    saga = world.saga(saga_id)
    assert (saga.status, saga.release_goal) == (SagaStatus.COMPENSATING, SagaStatus.ROLLED_BACK)


def test_waves_are_released_in_reverse(world: World) -> None:
    saga_id = world.committed_saga()
    assert gist(world, world.sagas.fence(saga_id, DESTROY)) == ("RELEASE", 1, [WEB])
    world.make_absent(saga_id, WEB)
    assert gist(world, world.sagas.conclude(saga_id, 1)) == ("RELEASE", 0, [DISK])
    world.make_absent(saga_id, DISK)
    assert world.sagas.conclude(saga_id, 0)["next"] == "RELEASED"


def test_the_fence_repeated_gives_the_same_and_writes_nothing(world: World) -> None:
    saga_id = world.provisioning_saga()
    first = world.sagas.fence(saga_id, COMPENSATE)
    version = world.saga(saga_id).version
    assert world.sagas.fence(saga_id, COMPENSATE) == first
    assert world.saga(saga_id).version == version


def test_compensation_never_touches_a_saga_that_committed(world: World) -> None:
    saga_id = world.committed_saga()
    before = whole(world.ledger, saga_id)
    assert gist(world, world.sagas.fence(saga_id, COMPENSATE)) == ("COMMITTED", -1, [])
    assert gist(world, world.sagas.conclude(saga_id, -1)) == ("COMMITTED", -1, [])
    assert whole(world.ledger, saga_id) == before
    assert world.cloud.holding() == [DISK, WEB]


def test_destroying_a_saga_that_has_not_committed_compensates_it(world: World) -> None:
    saga_id = world.provisioning_saga()
    world.sagas.fence(saga_id, DESTROY)
    assert world.saga(saga_id).status is SagaStatus.COMPENSATING


def roll_back(world: World) -> str:
    saga_id = world.provisioning_saga()
    world.make_ready(saga_id, DISK)
    world.compensate(saga_id)
    for resource_id in (WEB, DISK):
        world.release.delete(saga_id, resource_id)
    world.make_absent(saga_id, DISK)
    world.sagas.conclude(saga_id, 0)
    return saga_id


def test_a_saga_of_which_nothing_is_left_has_rolled_back(world: World) -> None:
    saga_id = roll_back(world)
    saga = world.saga(saga_id)
    assert (saga.status, saga.finished_at) == (SagaStatus.ROLLED_BACK, world.clock.now())
    assert world.cloud.holding() == []


@pytest.mark.parametrize("reason", [COMPENSATE, DESTROY, ReleaseReason.EXPIRE])
def test_a_saga_that_has_rolled_back_stays_so(world: World, reason: ReleaseReason) -> None:
    saga_id = roll_back(world)
    before = whole(world.ledger, saga_id)
    world.clock.advance(10)
    assert gist(world, world.sagas.fence(saga_id, reason)) == ("ROLLED_BACK", -1, [])
    assert gist(world, world.sagas.conclude(saga_id, 0)) == ("ROLLED_BACK", -1, [])
    assert world.sagas.begin(saga_id)["next"] == "COMPENSATE"
    assert world.sagas.decide(saga_id, 1)["next"] == "COMPENSATE"
    assert whole(world.ledger, saga_id) == before


def test_conclude_of_a_later_wave_repeated_gives_the_same(world: World) -> None:
    saga_id = world.provisioning_saga()
    world.compensate(saga_id)
    assert world.sagas.conclude(saga_id, 1) == world.sagas.conclude(saga_id, 1)


def test_what_could_not_be_removed_is_named_and_needs_attention(world: World) -> None:
    saga_id = needing_attention(world, world.committed_saga(), DESTROY)
    saga = world.saga(saga_id)
    assert saga.finished_at == world.clock.now()
    assert {it.id: it.error for it in whole(world.ledger, saga_id).resources} == {
        WEB: "StillThere: it would not go",
        DISK: "StillThere: it would not go",
    }


def test_one_resource_left_is_enough_to_need_attention(world: World) -> None:
    saga_id = world.committed_saga()
    world.sagas.fence(saga_id, DESTROY)
    world.make_absent(saga_id, WEB)
    world.sagas.stick(saga_id, DISK, "VolumeInUse")
    assert world.sagas.conclude(saga_id, 0)["next"] == "NEEDS_ATTENTION"


@pytest.mark.parametrize("status", ["CREATING", "READY", "FAILED", "DELETING"])
def test_a_release_that_ended_without_a_word_leaves_its_resource_stuck_not_forgotten(world: World, status: str) -> None:
    saga_id = world.provisioning_saga(aws_disk())
    world.provisioning.create(saga_id, DISK)
    if status == "READY":
        world.make_ready(saga_id, DISK)
    if status == "FAILED":
        world.sagas.fail(saga_id, DISK, "Quota")
    world.compensate(saga_id)
    if status == "DELETING":
        world.release.delete(saga_id, DISK)
    assert world.status(saga_id, DISK) == status
    world.clock.advance(POLICY.release_timeout + 1)
    assert world.sagas.conclude(saga_id, 0)["next"] == "NEEDS_ATTENTION"
    resource = world.resource(saga_id, DISK)
    assert resource.status is ResourceStatus.STUCK
    assert str(resource.error).startswith("ReleaseInterrupted")


def test_a_release_that_ended_without_a_word_about_what_was_only_planned_leaves_nothing(world: World) -> None:
    saga_id = world.provisioning_saga()
    world.compensate(saga_id)
    assert world.sagas.conclude(saga_id, 0)["next"] == "ROLLED_BACK"


def test_conclude_interrupted_between_its_writes_ends_the_same_when_repeated(world: World) -> None:
    saga_id = world.provisioning_saga()
    world.provisioning.create(saga_id, DISK)
    world.compensate(saga_id)
    world.clock.advance(POLICY.release_timeout + 1)

    def ledger_goes_away() -> None:
        world.ledger.unavailable = 1

    world.ledger.meanwhile = [ledger_goes_away]
    with pytest.raises(RetryableError):
        world.sagas.conclude(saga_id, 0)
    assert world.sagas.conclude(saga_id, 0)["next"] == "NEEDS_ATTENTION"


def test_stick_repeated_keeps_the_first_reason(world: World) -> None:
    saga_id = needing_attention(world, world.committed_saga(), DESTROY)
    before = whole(world.ledger, saga_id)
    world.sagas.stick(saga_id, DISK, "another")
    assert whole(world.ledger, saga_id) == before


def test_stick_of_what_is_gone_changes_nothing(world: World) -> None:
    saga_id = world.committed_saga()
    world.sagas.fence(saga_id, DESTROY)
    world.make_absent(saga_id, WEB)
    world.sagas.stick(saga_id, WEB, "late")
    assert world.status(saga_id, WEB) is ResourceStatus.ABSENT


def test_stick_of_what_was_only_planned_makes_it_absent(world: World) -> None:
    saga_id = world.provisioning_saga()
    world.compensate(saga_id)
    world.sagas.stick(saga_id, WEB, "Lambda.Unknown")
    assert world.status(saga_id, WEB) is ResourceStatus.ABSENT


@pytest.mark.parametrize("reason", [COMPENSATE, DESTROY, ReleaseReason.SWEEP])
def test_a_resumed_roll_back_ends_rolled_back(world: World, reason: ReleaseReason) -> None:
    saga_id = world.provisioning_saga()
    world.make_ready(saga_id, DISK)
    needing_attention(world, saga_id, COMPENSATE)
    assert gist(world, world.sagas.fence(saga_id, reason))[0] == "RELEASE"
    saga = world.saga(saga_id)
    assert (saga.status, saga.finished_at) == (SagaStatus.COMPENSATING, None)
    world.make_absent(saga_id, DISK)
    assert world.sagas.conclude(saga_id, 0)["next"] == "ROLLED_BACK"


def test_a_resumed_destruction_ends_released(world: World) -> None:
    saga_id = needing_attention(world, world.committed_saga(), DESTROY)
    world.sagas.fence(saga_id, DESTROY)
    assert world.saga(saga_id).status is SagaStatus.RELEASING
    world.make_absent(saga_id, WEB)
    world.make_absent(saga_id, DISK)
    assert world.sagas.conclude(saga_id, 0)["next"] == "RELEASED"
    assert world.cloud.holding() == []


def test_a_conclusion_that_comes_after_the_end_reports_it(world: World) -> None:
    saga_id = needing_attention(world, world.committed_saga(), DESTROY)
    before = whole(world.ledger, saga_id)
    assert gist(world, world.sagas.conclude(saga_id, 1)) == ("NEEDS_ATTENTION", -1, [])
    assert whole(world.ledger, saga_id) == before


def test_the_events_number_every_change_without_a_gap(world: World) -> None:
    saga_id = roll_back(world)
    events = world.ledger.events(saga_id)
    assert [event.seq for event in events] == list(range(1, world.saga(saga_id).version + 1))
    assert [event.status for event in events if event.resource_id is None] == [
        "PENDING",
        "PROVISIONING",
        "COMPENSATING",
        "ROLLED_BACK",
    ]


@pytest.mark.parametrize(
    "end", [World.committed_saga, roll_back, lambda world: needing_attention(world, world.committed_saga(), DESTROY)]
)
def test_every_ending_knows_when_it_was_reached(world: World, end: Callable[[World], str]) -> None:
    assert world.saga(end(world)).finished_at is not None
