"""The arithmetic of quotas, and the step that writes what is short to the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from lambdas.core.errors import RetryableError, TerminalError
from lambdas.core.model import Intent, Saga
from lambdas.core.ports.ledger import Snapshot
from lambdas.core.preflight import (
    Allowance,
    Demand,
    Quota,
    Shortage,
    errors_by_resource,
    exceeded,
    refused,
    representatives,
)
from lambdas.core.states import ResourceStatus, SagaStatus
from lambdas.core.steps.checking import MOST_FAILED, CheckSteps
from lambdas.core.steps.provisioning import DONE
from lambdas.core.steps.saga import COMPENSATE, PREFLIGHT, PROVISION, SagaSteps
from tests.fakes.documents import aws_disk, aws_instance, gcp_instance
from tests.fakes.expiry import FakeExpiry
from tests.fakes.provider import Fault
from tests.unit.core.large import open_large
from tests.unit.core.world import DISK, FUNCTIONS, POLICY, WEB, World, make_world
from tests.whole import whole

CPUS = Quota("CPUS", "here")
BOTH_SHORT = Shortage(resources=(DISK, WEB), location="here", code="QuotaExceeded", message="QuotaExceeded: too much")


@pytest.fixture
def world() -> World:
    """A world in which clouds can be checked."""
    made = make_world()
    functions = {cloud: {**verbs, "check": f"{cloud}-check"} for cloud, verbs in FUNCTIONS.items()}
    made.sagas = SagaSteps(made.ledger, made.clock, POLICY, functions, FakeExpiry())
    return made


class Asked:
    """A cloud that remembers what it was asked about, and finds the same shortages whatever it is."""

    def __init__(self, *short: Shortage) -> None:
        self.calls: list[Sequence[Intent]] = []
        self._short = short

    def shortages(self, intents: Sequence[Intent]) -> list[Shortage]:
        self.calls.append(intents)
        return list(self._short)


def full(*resources: str, message: str = "QuotaExceeded: too much") -> Shortage:
    return Shortage(resources=resources, location="here", code="QuotaExceeded", message=message)


def disks(number: int) -> list[dict[str, Any]]:
    return [aws_disk(f"data-{place:05d}") for place in range(number)]


def failed(world: World, saga_id: str) -> dict[str, str | None]:
    resources = whole(world.ledger, saga_id).resources
    return {it.id: it.error for it in resources if it.status is ResourceStatus.FAILED}


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
    refusal = refused(["a"], "here", TerminalError("NotFound", "no such size"))

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


def test_representatives_are_one_of_each_shortage_then_whoever_is_next() -> None:
    short = [full("a", "b", "c"), full("c"), full("d", "a")]

    assert representatives(short, 3) == ("a", "c", "d")
    assert representatives(short, 9) == ("a", "c", "d", "b")


def test_a_cloud_is_asked_once_for_all_its_part_of_a_large_saga(world: World) -> None:
    pairs = [
        (aws_disk(f"data-{it:04d}"), aws_instance(f"web-{it:04d}", disks=(f"data-{it:04d}",))) for it in range(600)
    ]
    saga_id = open_large(world, *(it for pair in pairs for it in pair), gcp_instance())
    cloud = Asked()

    assert CheckSteps(world.ledger, cloud).check(saga_id, "aws") == 0

    [intents] = cloud.calls
    assert sorted(it.resource_id for it in intents) == sorted(it["id"] for pair in pairs for it in pair)
    assert {it.labels["team"] for it in intents} == {"payments"}
    attached = {it.resource_id: [(disk.resource_id, disk.zone) for disk in it.disks] for it in intents if it.disks}
    assert len(attached) == 600
    assert attached["web-0007"] == [("data-0007", "eu-west-1a")]


def test_a_large_saga_is_read_in_pages_and_never_as_a_whole(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    saga_id = open_large(world, *disks(1600))
    sizes: list[int] = []
    read = world.ledger.page

    def page(saga_id: str, after: str | None, limit: int) -> Snapshot:
        snapshot = read(saga_id, after, limit)
        sizes.append(len(snapshot.resources))
        return snapshot

    monkeypatch.setattr(world.ledger, "page", page)

    CheckSteps(world.ledger, Asked()).check(saga_id, "aws")

    assert sizes == [500, 500, 500, 100]


def test_of_thousands_that_are_short_some_fail_and_all_are_counted(world: World) -> None:
    saga_id = open_large(world, *disks(2000))
    cloud = Asked(full(*(it["id"] for it in disks(2000))))

    for _ in range(2):  # as when its answer was lost
        assert CheckSteps(world.ledger, cloud).check(saga_id, "aws") == 2000

    assert failed(world, saga_id) == dict.fromkeys([it["id"] for it in disks(MOST_FAILED)], "QuotaExceeded: too much")
    assert world.ledger.standing(saga_id).any_is(ResourceStatus.FAILED)


def test_what_fails_names_every_shortage_that_there_is(world: World) -> None:
    saga_id = open_large(world, *disks(500))
    rare = full("data-00499", message="NotFound: no such zone")

    CheckSteps(world.ledger, Asked(full(*(it["id"] for it in disks(500))), rare)).check(saga_id, "aws")

    found = failed(world, saga_id)
    assert len(found) == MOST_FAILED
    assert found["data-00499"] == "QuotaExceeded: too much; NotFound: no such zone"


def test_a_saga_without_a_part_on_a_cloud_does_not_ask_it(world: World) -> None:
    cloud = Asked(full(DISK))

    assert CheckSteps(world.ledger, cloud).check(world.provisioning_saga(), "gcp") == 0
    assert cloud.calls == []
