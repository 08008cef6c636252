"""What a cluster's worker does, and that no death, repetition or lost answer makes two machines of one."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambdas.core.clusters import Amounts
from lambdas.core.errors import CapacityError, RetryableError, TerminalError
from lambdas.core.states import ResourceStatus, SagaStatus
from lambdas.core.steps.moving import MovingSteps
from lambdas.core.steps.releasing import ReleaseSteps
from lambdas.core.steps.results import Next
from lambdas.core.steps.saga import ReleaseReason
from lambdas.core.steps.working import TaskKind
from tests.fakes.documents import vsphere_instance
from tests.fakes.private_provider import FakePrivateProvider, Machine
from tests.fakes.provider import Fault, WorkerKilled, lost_reply
from tests.unit.core.private_world import WEB, PrivateWorld, make_private_world, ready, seeded
from tests.unit.core.world import POLICY
from tests.whole import whole

PROVISION = TaskKind.PROVISION
RELEASE = TaskKind.RELEASE


@pytest.fixture
def world() -> PrivateWorld:
    world = make_private_world()
    world.declare("berlin-1", "berlin-2")
    return world


@pytest.fixture
def placed(world: PrivateWorld) -> str:
    saga = world.provisioning_saga()
    world.placing.create(saga, WEB)
    return saga


def never(_: int) -> bool:
    """Hand back at the first opportunity."""
    return False


def test_a_worker_builds_until_the_machine_is_ready(world: PrivateWorld, placed: str) -> None:
    result = world.worker().work(PROVISION, placed, WEB, world.pause)
    assert result["next"] is Next.DONE
    assert ready(world, placed)
    assert len(world.provider.machines) == 1


def test_a_worker_removes_until_nothing_is_left_and_frees_the_claim(world: PrivateWorld, placed: str) -> None:
    world.worker().work(PROVISION, placed, WEB, world.pause)
    world.sagas.fence(placed, ReleaseReason.DESTROY)
    world.placing.delete(placed, WEB)
    assert world.placing.observe_absence(placed, WEB)["next"] is Next.WORK

    assert world.worker().work(RELEASE, placed, WEB, world.pause)["next"] is Next.DONE
    assert world.resource(placed).status is ResourceStatus.ABSENT
    assert world.provider.machines == []
    assert world.claimed("berlin-1") == world.claimed("berlin-2") == Amounts()
    assert world.placing.observe_absence(placed, WEB)["next"] is Next.DONE


def test_a_worker_that_is_drained_hands_back_and_another_goes_on(world: PrivateWorld, placed: str) -> None:
    handed = world.worker().work(PROVISION, placed, WEB, never)
    assert handed["next"] is Next.WAIT
    world.worker().work(PROVISION, placed, WEB, world.pause)
    assert ready(world, placed)
    assert len(world.provider.machines) == 1


def test_a_task_that_is_delivered_again_finds_it_done(world: PrivateWorld, placed: str) -> None:
    world.worker().work(PROVISION, placed, WEB, world.pause)
    assert world.worker().work(PROVISION, placed, WEB, world.pause)["next"] is Next.DONE
    assert len(world.provider.machines) == 1


def test_a_task_of_a_saga_that_is_cancelled_creates_nothing(world: PrivateWorld, placed: str) -> None:
    world.sagas.fence(placed, ReleaseReason.COMPENSATE)
    assert world.worker().work(PROVISION, placed, WEB, world.pause)["next"] is Next.DONE
    assert world.provider.machines == []


def test_a_task_that_went_to_the_wrong_cluster_says_so_and_touches_nothing(world: PrivateWorld, placed: str) -> None:
    [wrong] = {"berlin-1", "berlin-2"} - {world.resource(placed).cluster}
    with pytest.raises(TerminalError, match=f"WrongWorker: .*came to the worker of {wrong}"):
        world.worker(wrong).work(PROVISION, placed, WEB, world.pause)
    assert world.provider.machines == []


def test_time_in_the_queue_is_not_the_machines_fault(world: PrivateWorld, placed: str) -> None:
    world.clock.advance(POLICY.create_timeout + 1)
    world.provider.seconds_to_show = 40
    world.worker().work(PROVISION, placed, WEB, world.pause)
    assert ready(world, placed)


def test_absence_counts_anew_when_another_look_has_found_something_meanwhile(world: PrivateWorld, placed: str) -> None:
    world.build(placed)
    world.sagas.fence(placed, ReleaseReason.DESTROY)
    world.placing.delete(placed, WEB)
    one, another = (ReleaseSteps(world.ledger, world.provider, world.clock, POLICY) for _ in range(2))
    one.delete(placed, WEB)
    one.observe(placed, WEB)
    world.clock.advance(world.provider.settling_seconds - 1)

    def seen_by_another() -> None:
        world.provider.machines.append(Machine(str(world.resource(placed).cluster), placed, WEB, 0))
        assert another.observe(placed, WEB)["next"] is Next.DELETE
        another.delete(placed, WEB)

    world.ledger.meanwhile = [seen_by_another]
    one.observe(placed, WEB)
    world.clock.advance(2)
    one.observe(placed, WEB)
    assert world.resource(placed).status is ResourceStatus.DELETING


def test_what_was_never_placed_is_sent_to_be_placed(world: PrivateWorld) -> None:
    saga = world.provisioning_saga()
    assert world.worker().work(PROVISION, saga, WEB, world.pause) == {"next": Next.CREATE, "delay": 0}
    assert world.resource(saga).status is ResourceStatus.PLANNED


def test_a_create_of_unknown_fate_is_not_sent_again_before_it_must_have_shown_itself(
    world: PrivateWorld, placed: str
) -> None:
    world.provider.faults = [Fault("create", before=lost_reply())]
    with pytest.raises(RetryableError):
        world.worker().work(PROVISION, placed, WEB, world.pause)
    assert world.resource(placed).attempt is not None

    began = world.clock.now()
    world.worker().work(PROVISION, placed, WEB, world.pause)
    assert ready(world, placed)
    assert (world.clock.now() - began).total_seconds() >= world.provider.repeat_seconds
    assert len(world.provider.machines) == 1


def test_a_clone_whose_answer_was_lost_is_adopted_as_soon_as_it_shows(world: PrivateWorld, placed: str) -> None:
    world.provider.seconds_to_show = 30
    world.provider.faults = [Fault("create", after=lost_reply())]
    with pytest.raises(RetryableError):
        world.worker().work(PROVISION, placed, WEB, world.pause)
    world.worker().work(PROVISION, placed, WEB, world.pause)
    assert ready(world, placed)
    assert len(world.provider.machines) == 1


def test_two_workers_with_the_same_task_make_one_machine(world: PrivateWorld, placed: str) -> None:
    """The second comes between the first one's decision to clone and its clone, which takes a while to show."""
    world.provider.seconds_to_show = 30
    both = world.worker()
    world.ledger.meanwhile = [lambda: both.work(PROVISION, placed, WEB, never)]
    world.worker().work(PROVISION, placed, WEB, world.pause)
    assert len(world.provider.machines) == 1
    assert ready(world, placed)


@pytest.mark.parametrize("operation", ["create", "observe", "find"])
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_worker_that_is_killed_is_replaced_without_a_second_machine(
    world: PrivateWorld, placed: str, operation: str, nth: int
) -> None:
    world.provider.seconds_to_show = 20
    quiet = [Fault(operation) for _ in range(nth - 1)]
    world.provider.faults = [*quiet, Fault(operation, after=WorkerKilled(), before=_unless_create(operation))]
    try:
        world.worker().work(PROVISION, placed, WEB, world.pause)
    except WorkerKilled:
        world.worker().work(PROVISION, placed, WEB, world.pause)
    assert ready(world, placed)
    assert len(world.provider.machines) == 1


def _unless_create(operation: str) -> BaseException | None:
    return None if operation == "create" else WorkerKilled()


def test_a_cluster_without_room_after_all_is_left_for_another(world: PrivateWorld, placed: str) -> None:
    first = str(world.resource(placed).cluster)
    world.provider.full = {first}
    world.build(placed)

    resource = world.resource(placed)
    assert resource.status is ResourceStatus.READY
    assert resource.cluster != first
    assert resource.refused_by == (first,)
    assert world.provider.holding() == [(resource.cluster, WEB)]
    assert world.claimed(first) == Amounts()
    assert world.claimed(str(resource.cluster)).cpu == 2


def test_what_was_refused_is_gone_from_the_first_cluster_before_the_second_is_claimed(
    world: PrivateWorld, placed: str
) -> None:
    first = str(world.resource(placed).cluster)
    world.provider.full = {first}
    assert world.worker().work(PROVISION, placed, WEB, world.pause) == {"next": Next.CREATE, "delay": 0}
    assert world.resource(placed).status is ResourceStatus.PLANNED
    assert world.provider.machines == []
    assert world.claimed(first) == Amounts()


def test_a_worker_that_comes_late_creates_nothing_where_the_machine_is_not_any_more(
    world: PrivateWorld, placed: str
) -> None:
    """Between the first one's look at the ledger and its clone, another has moved the machine away."""
    first = str(world.resource(placed).cluster)

    def move() -> None:
        world.provider.full = {first}
        world.worker().work(PROVISION, placed, WEB, world.pause)
        world.placing.create(placed, WEB)

    world.ledger.meanwhile = [move]
    world.worker().work(PROVISION, placed, WEB, world.pause)
    assert world.resource(placed).cluster != first
    assert first not in {cluster for cluster, _ in world.provider.holding()}


def test_of_two_workers_one_of_which_takes_the_machine_away_the_other_does_not_call_it_ready(
    world: PrivateWorld, placed: str
) -> None:
    """Both switch it on; for one there is no room any more, while the other sees it run."""
    first = str(world.resource(placed).cluster)
    steps = world.worker()
    pauses = iter([False])
    steps.work(PROVISION, placed, WEB, lambda seconds: world.pause(seconds) and next(pauses))
    refusal = CapacityError("InsufficientResources", "no room")
    moving = MovingSteps(world.ledger, world.provider, world.clock, POLICY)
    world.ledger.meanwhile = [lambda: moving.begin(placed, WEB, refusal)]
    once = iter([True, False])
    steps.work(PROVISION, placed, WEB, lambda seconds: world.pause(seconds) and next(once))
    assert not ready(world, placed)

    world.build(placed)
    assert world.provider.holding() == [(world.resource(placed).cluster, WEB)]
    assert world.resource(placed).cluster != first


def test_what_a_late_worker_did_on_the_first_cluster_is_not_recorded_for_the_second(
    world: PrivateWorld, placed: str
) -> None:
    first = str(world.resource(placed).cluster)

    def move() -> None:
        world.provider.full = {first}
        world.worker().work(PROVISION, placed, WEB, world.pause)
        world.placing.create(placed, WEB)

    world.ledger.meanwhile = [lambda: None, move]  # after its clone, before it records it
    world.worker(first).work(PROVISION, placed, WEB, never)
    assert world.resource(placed).operations == {}
    world.build(placed)
    assert ready(world, placed)


def test_a_refusal_keeps_its_claim_while_anything_may_be_left(world: PrivateWorld, placed: str) -> None:
    first = str(world.resource(placed).cluster)
    world.provider.full = {first}
    pauses = iter([False])
    world.worker().work(PROVISION, placed, WEB, lambda seconds: world.pause(seconds) and next(pauses))
    assert world.resource(placed).moving
    assert world.claimed(first).cpu == 2


def test_a_machine_that_every_cluster_refused_has_a_clear_end(world: PrivateWorld, placed: str) -> None:
    world.provider.full = {"berlin-1", "berlin-2"}
    with pytest.raises(CapacityError, match="had no room for this machine when it was tried"):
        world.build(placed)
    world.sagas.fail(placed, WEB, "no cluster")
    world.release(placed)
    assert world.saga(placed).status is SagaStatus.ROLLED_BACK
    assert world.provider.machines == []


def test_a_saga_that_is_cancelled_while_it_moves_is_rolled_back(world: PrivateWorld, placed: str) -> None:
    world.provider.full = {str(world.resource(placed).cluster)}
    pauses = iter([True, True, False])
    world.worker().work(PROVISION, placed, WEB, lambda seconds: world.pause(seconds) and next(pauses))
    assert world.resource(placed).moving
    world.sagas.fence(placed, ReleaseReason.COMPENSATE)
    assert world.worker().work(PROVISION, placed, WEB, world.pause)["next"] is Next.DONE
    world.release(placed)
    assert world.saga(placed).status is SagaStatus.ROLLED_BACK
    assert world.provider.machines == []
    assert world.claimed("berlin-1") == world.claimed("berlin-2") == Amounts()


def test_a_machine_that_will_not_leave_the_cluster_that_refused_it_fails(world: PrivateWorld, placed: str) -> None:
    world.provider.full = {str(world.resource(placed).cluster)}
    world.provider.delete = lambda intent: None  # type: ignore[method-assign]
    with pytest.raises(TerminalError, match="does not let go"):
        world.build(placed)


def test_what_the_sweep_opens_again_is_claimed_again_until_it_is_gone(world: PrivateWorld, placed: str) -> None:
    world.build(placed)
    world.release(placed)
    cluster = str(world.resource(placed).cluster)
    assert world.claimed(cluster) == Amounts()
    world.sagas.fence(placed, ReleaseReason.SWEEP)
    assert world.claimed(cluster).cpu == 2
    world.remove(placed)
    assert world.claimed(cluster) == Amounts()


Act = Callable[[PrivateWorld, str, str, Random], None]


def _tolerant(call: Callable[[], object]) -> None:
    """What fails is tried again by whoever calls next; nobody notices the dead."""
    try:
        call()
    except (RetryableError, CapacityError, TerminalError, WorkerKilled):
        return


def _pauses(world: PrivateWorld, random: Random) -> Callable[[int], bool]:
    def pause(seconds: int) -> bool:
        world.clock.advance(seconds)
        return random.random() < 0.8

    return pause


ACTS: dict[str, Act] = {
    "place": lambda world, saga, it, _: _tolerant(lambda: world.placing.create(saga, it)),
    "work": lambda world, saga, it, random: _tolerant(
        lambda: world.worker().work(PROVISION, saga, it, _pauses(world, random))
    ),
    "work elsewhere": lambda world, saga, it, random: _tolerant(
        lambda: world.worker("berlin-1").work(PROVISION, saga, it, _pauses(world, random))
    ),
    "remove": lambda world, saga, it, random: _tolerant(
        lambda: world.worker().work(RELEASE, saga, it, _pauses(world, random))
    ),
    "begin removal": lambda world, saga, it, _: _tolerant(lambda: world.placing.delete(saga, it)),
    "fill a cluster": lambda world, *_: world.provider.full.add("berlin-1"),
    "empty it": lambda world, *_: world.provider.full.clear(),
    "fence": lambda world, saga, *_: _tolerant(lambda: world.sagas.fence(saga, ReleaseReason.COMPENSATE)),
    "wait": lambda world, _, __, random: world.clock.advance(random.choice([1, 30, 100])),
    "lose an answer": lambda world, *_: world.provider.faults.append(Fault("create", after=lost_reply())),
    "lose a question": lambda world, *_: world.provider.faults.append(Fault("create", before=lost_reply())),
    "kill after a clone": lambda world, *_: world.provider.faults.append(Fault("create", after=WorkerKilled())),
    "kill at a look": lambda world, *_: world.provider.faults.append(Fault("find", before=WorkerKilled())),
    "report": lambda world, *_: world.report(),
    "work meanwhile": lambda world, saga, it, _: world.ledger.meanwhile.append(
        lambda: _tolerant(lambda: world.worker().work(PROVISION, saga, it, never))
    ),
    "remove meanwhile": lambda world, saga, it, _: world.ledger.meanwhile.append(
        lambda: _tolerant(lambda: world.worker().work(RELEASE, saga, it, never))
    ),
    "fence meanwhile": lambda world, saga, *_: world.ledger.meanwhile.append(
        lambda: _tolerant(lambda: world.sagas.fence(saga, ReleaseReason.COMPENSATE))
    ),
    "place meanwhile": lambda world, saga, it, _: world.ledger.meanwhile.append(
        lambda: _tolerant(lambda: world.placing.create(saga, it))
    ),
}


def claims_of(world: PrivateWorld, saga: str, cluster: str) -> Amounts:
    held = [it.claim for it in whole(world.ledger, saga).resources if it.claim and it.claim.cluster == cluster]
    return sum((claim.amounts for claim in held), Amounts())


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    acts=st.lists(st.tuples(st.sampled_from(sorted(ACTS)), st.sampled_from(["a", "b"])), max_size=40),
    to_show=st.sampled_from([0, 20, 55]),
    seed=st.integers(0, 1000),
)
def test_in_any_order_of_anything_claims_are_true_and_nothing_is_there_twice_or_for_ever(
    acts: list[tuple[str, str]], to_show: int, seed: int
) -> None:
    world = make_private_world(seed)
    world.declare("berlin-1", "berlin-2", "berlin-3")
    world.provider.seconds_to_show = to_show
    saga = world.provisioning_saga(vsphere_instance("a"), vsphere_instance("b"))
    random = seeded(seed)
    for act, resource in acts:
        ACTS[act](world, saga, resource, random)
        assert not world.provider.doubles()
        for cluster in world.names:
            assert world.claimed(cluster) == claims_of(world, saga, cluster)
        _everything_there_is_claimed(world, saga)

    world.provider.faults.clear()
    world.ledger.meanwhile.clear()
    world.clock.advance(120)
    world.sagas.fence(saga, ReleaseReason.DESTROY)
    world.release(saga)
    assert world.saga(saga).status in (SagaStatus.ROLLED_BACK, SagaStatus.RELEASED)
    assert world.provider.machines == []
    assert {world.claimed(cluster) for cluster in world.names} == {Amounts()}


def _everything_there_is_claimed(world: PrivateWorld, saga: str) -> None:
    claimed = {(it.claim.cluster, it.id) for it in whole(world.ledger, saga).resources if it.claim}
    assert set(world.provider.holding()) <= claimed


def test_the_fake_makes_two_of_what_is_sent_twice(world: PrivateWorld, placed: str) -> None:
    """Or the tests above would show nothing."""
    world.provider.seconds_to_show = 30
    provider: FakePrivateProvider = world.provider
    provider.repeat_seconds = 0
    world.ledger.meanwhile = [lambda: world.worker().work(PROVISION, placed, WEB, never)]
    world.worker().work(PROVISION, placed, WEB, world.pause)
    assert provider.doubles()
