"""Steps in any order, repeated, dying anywhere: what must hold of one resource holds."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from lambdas.core.errors import StepError
from lambdas.core.states import ResourceStatus
from lambdas.core.steps.saga import ReleaseReason
from tests.fakes.documents import aws_disk
from tests.fakes.provider import Fault, WorkerKilled, lost_reply
from tests.unit.core.world import DISK, World, make_world

PROVISIONING = ["begin", "create", "observe ready", "fail", "cancel", "fence", "advance"]
FAULTS = [
    ("create", "before"),
    ("create", "after"),
    ("observe", "before"),
    ("delete", "before"),
    ("delete", "after"),
    ("find", "before"),
]
ACTIONS = st.lists(st.sampled_from(PROVISIONING) | st.sampled_from(FAULTS) | st.just("ledger fails"), max_size=25)


def take(world: World, saga_id: str, action: str | tuple[str, str]) -> None:
    """Take one action; what it raises is for a state machine to retry, and here for the next action."""
    if isinstance(action, tuple):
        operation, when = action
        error: BaseException = WorkerKilled() if len(world.cloud.calls) % 2 else lost_reply()
        world.cloud.faults.append(Fault(operation, error, None) if when == "before" else Fault(operation, None, error))
        return
    actions: dict[str, Callable[[], object]] = {
        "begin": lambda: world.sagas.begin(saga_id),
        "create": lambda: world.provisioning.create(saga_id, DISK),
        "observe ready": lambda: world.provisioning.observe(saga_id, DISK),
        "fail": lambda: world.sagas.fail(saga_id, DISK, "States.Timeout"),
        "cancel": lambda: world.cancel(saga_id),
        "fence": lambda: world.sagas.fence(saga_id, ReleaseReason.COMPENSATE),
        "advance": lambda: world.clock.advance(15),
        "ledger fails": lambda: setattr(world.ledger, "unavailable", 1),
    }
    try:
        actions[action]()
    except (StepError, WorkerKilled):
        return


def a_world() -> tuple[World, str]:
    world = make_world()
    world.cloud.seconds_to_ready = 20
    return world, world.open(aws_disk())


@given(ACTIONS)
def test_each_part_is_begun_at_most_once_and_in_order(actions: list[str | tuple[str, str]]) -> None:
    world, saga_id = a_world()
    for action in actions:
        take(world, saga_id, action)
    begun = [part for _, part in world.cloud.begun]
    assert begun == list(world.cloud.part_names[: len(begun)])


@given(ACTIONS)
def test_whatever_is_in_the_cloud_has_an_intent(actions: list[str | tuple[str, str]]) -> None:
    world, saga_id = a_world()
    for action in actions:
        take(world, saga_id, action)
        world.ledger.unavailable = 0
        assert not world.cloud.holding() or world.status(saga_id, DISK) is not ResourceStatus.PLANNED


@given(ACTIONS)
def test_nothing_is_begun_after_the_fence(actions: list[str | tuple[str, str]]) -> None:
    world, saga_id = a_world()
    world.sagas.begin(saga_id)
    world.provisioning.create(saga_id, DISK)
    world.sagas.fence(saga_id, ReleaseReason.COMPENSATE)
    for action in actions:
        take(world, saga_id, action)
    assert world.cloud.begun == [(DISK, "network")]


@given(ACTIONS)
def test_the_release_of_whatever_was_left_behind_leaves_nothing(actions: list[str | tuple[str, str]]) -> None:
    world, saga_id = a_world()
    for action in actions:
        take(world, saga_id, action)
    world.ledger.unavailable = 0
    world.cloud.faults.clear()
    world.sagas.fence(saga_id, ReleaseReason.COMPENSATE)
    world.make_absent(saga_id, DISK)
    assert world.sagas.conclude(saga_id, 0)["next"] == "ROLLED_BACK"
    assert world.cloud.holding() == []
    events = [event.seq for event in world.ledger.events(saga_id)]
    assert events == list(range(1, len(events) + 1))
