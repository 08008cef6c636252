"""The arithmetic of quotas, and the step that writes what is short to the ledger."""

from __future__ import annotations

import pytest

from lambdas.core.errors import RetryableError, TerminalError
from lambdas.core.model import Saga
from lambdas.core.preflight import Allowance, Demand, Quota, Shortage, errors_by_resource, exceeded, refused
from lambdas.core.states import ResourceStatus, SagaStatus
from lambdas.core.steps.checking import CheckSteps
from lambdas.core.steps.provisioning import DONE
from lambdas.core.steps.saga import COMPENSATE, PREFLIGHT, PROVISION, SagaSteps
from tests.fakes.expiry import FakeExpiry
from tests.fakes.provider import Fault
from tests.unit.core.world import DISK, FUNCTIONS, POLICY, WEB, World, make_world

CPUS = Quota("CPUS", "here")
BOTH_SHORT = Shortage(resources=(DISK, WEB), location="here", code="QuotaExceeded", message="QuotaExceeded: too much")


@pytest.fixture
def world() -> World:
    """A world in which clouds can be checked."""
    made = make_world()
    functions = {cloud: {**verbs, "check": f"{cloud}-check"} for cloud, verbs in FUNCTIONS.items()}
    made.sagas = SagaSteps(made.ledger, made.clock, POLICY, functions, FakeExpiry())
    return made


def check(world: World, saga_id: str) -> int:
    return CheckSteps(world.ledger, world.cloud).check(saga_id, "aws")


def test_a_quota_is_short_when_all_demands_together_exceed_what_is_left() -> None:
    demands = [Demand("a", CPUS, 2), Demand("b", CPUS, 2)]

    [shortage] = exceeded(demands, {CPUS: Allowance(limit=10, used=7)})

    assert shortage.resources == ("a", "b")
    assert (shortage.needed, shortage.available) == (4, 3)
    assert shortage.message == "QuotaExceeded: CPUS in here: 4 needed, 3 left of 10"


@pytest.mark.parametrize(
    ("allowances", "why"),
    [
        ({CPUS: Allowance(10, 6)}, "it is exactly enough"),
        ({}, "nobody knows the quota"),
        ({Quota("CPUS", "there"): Allowance(0, 0)}, "it is another region's"),
        ({CPUS: Allowance(-1, 6)}, "there is no limit"),
    ],
    ids=lambda it: it if isinstance(it, str) else "",
)
def test_a_quota_is_not_short_when(allowances: dict[Quota, Allowance], why: str) -> None:
    assert exceeded([Demand("a", CPUS, 4)], allowances) == [], why


def test_a_quota_that_is_overdrawn_already_has_nothing_left() -> None:
    [shortage] = exceeded([Demand("a", CPUS, 1)], {CPUS: Allowance(limit=5, used=9)})

    assert shortage.available == 0


def test_all_that_is_short_for_a_resource_stands_in_its_one_error() -> None:
    refusal = refused("a", "here", TerminalError("NotFound", "no such size"))

    errors = errors_by_resource([refusal, Shortage(resources=("a", "b"), location="x", code="C", message="C: full")])

    assert errors == {"a": "NotFound: no such size; C: full", "b": "C: full"}


def test_a_saga_begins_with_the_checks_of_its_clouds(world: World) -> None:
    saga_id = world.open()

    result = world.sagas.begin(saga_id)

    assert (result["next"], result["wave"], result["batches"]) == (PREFLIGHT, -1, [])
    assert result["checks"] == [{"clouds": [{"saga_id": saga_id, "cloud": "aws", "function": "aws-check"}]}]


def test_a_saga_whose_clouds_have_enough_goes_on_to_its_first_wave(world: World) -> None:
    saga_id = world.provisioning_saga()

    assert check(world, saga_id) == 0
    result = world.sagas.decide(saga_id, -1)
    assert (result["next"], result["wave"]) == (PROVISION, 0)


def test_whatever_is_short_fails_at_once_and_nothing_is_created(world: World) -> None:
    saga_id = world.provisioning_saga()
    world.cloud.short = [BOTH_SHORT]

    assert check(world, saga_id) == 2

    assert [world.resource(saga_id, it).error for it in (DISK, WEB)] == [BOTH_SHORT.message] * 2
    assert world.sagas.decide(saga_id, -1)["next"] == COMPENSATE
    assert world.provisioning.create(saga_id, DISK) == DONE
    assert world.cloud.begun == []


def test_what_was_refused_is_absent_without_asking_the_cloud_and_says_why(world: World) -> None:
    saga_id = world.provisioning_saga()
    world.cloud.short = [BOTH_SHORT]
    check(world, saga_id)
    world.compensate(saga_id)

    for resource_id in (WEB, DISK):
        world.release.delete(saga_id, resource_id)

    assert world.sagas.conclude(saga_id, 0)["next"] == SagaStatus.ROLLED_BACK
    assert world.status(saga_id, DISK) is ResourceStatus.ABSENT
    assert world.resource(saga_id, DISK).error == BOTH_SHORT.message
    assert world.cloud.calls == []


def test_a_check_that_comes_again_after_creating_began_leaves_what_is_being_created(world: World) -> None:
    saga_id = world.provisioning_saga()
    world.make_ready(saga_id, DISK)
    world.cloud.short = [BOTH_SHORT]

    check(world, saga_id)

    assert world.status(saga_id, DISK) is ResourceStatus.READY


def test_a_cancelled_saga_is_not_checked(world: World) -> None:
    saga_id = world.provisioning_saga()
    world.cancel(saga_id)
    world.cloud.short = [BOTH_SHORT]

    assert check(world, saga_id) == 0
    assert world.sagas.begin(saga_id)["next"] == COMPENSATE


def test_what_the_cloud_does_not_say_is_the_steps_failure(world: World) -> None:
    saga_id = world.provisioning_saga()
    world.cloud.faults = [Fault("shortages", before=RetryableError("Throttled", "not now"))]

    with pytest.raises(RetryableError):
        check(world, saga_id)


def test_a_cloud_that_could_not_be_checked_is_recorded_once_and_passed_over(world: World) -> None:
    saga_id = world.provisioning_saga()

    for _ in range(2):
        world.sagas.leave_unchecked(saga_id, "aws", "RetryableError: Throttled: not now")

    saga: Saga = world.saga(saga_id)
    messages = [it.message for it in world.ledger.events(saga_id)]
    assert saga.unchecked == ("aws",)
    assert messages.count("aws could not be checked for shortages: RetryableError: Throttled: not now") == 1
    assert world.sagas.decide(saga_id, -1)["next"] == PROVISION
