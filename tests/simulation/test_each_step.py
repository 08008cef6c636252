"""Each step of the three-cloud saga goes wrong in turn, in each way: the clouds hold all of it, or nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest

from lambdas.core.errors import RetryableError, TerminalError
from local.simulators.faults import Fault, FaultKind
from tests.simulation.requests import three_clouds
from tests.simulation.world import Strike, World, statuses
from tests.whole import whole

ALL_READY: Final = Counter(
    {
        ("aws", "instance"): 1,
        ("aws", "network-interface"): 1,
        ("aws", "volume"): 2,
        ("azure", "virtualMachines"): 1,
        ("azure", "networkInterfaces"): 1,
        ("azure", "disks"): 2,
        ("gcp", "instance"): 1,
        ("gcp", "disk"): 2,
    }
)

Call = tuple[str, str]
PROVISIONING_CALLS: Final[tuple[Call, ...]] = (
    ("skysaga-saga", "begin"),
    ("skysaga-saga", "decide"),
    *((f"skysaga-{cloud}-{verb}", f"{kind}-{cloud}") for cloud in ("aws", "azure", "gcp")
      for kind in ("data", "web") for verb in ("create", "observe")),
)  # fmt: skip
RELEASE_CALLS: Final[tuple[Call, ...]] = (
    ("skysaga-saga", "fence"),
    ("skysaga-saga", "conclude"),
    *((f"skysaga-{cloud}-{verb}", f"{kind}-{cloud}") for cloud in ("aws", "azure", "gcp")
      for kind in ("data", "web") for verb in ("delete", "observe")),
)  # fmt: skip


class ExitError(Exception):
    """A worker that died, under the name that Lambda gives it."""


ExitError.__name__ = "Runtime.ExitError"


def strike(call: Call, error: Callable[[], Exception], times: int | None, release: bool = False) -> Strike:
    """Have a function raise when it is called about a step or resource, the first `times` times or always."""
    struck = 0

    def maybe_raise(function: str, payload: Mapping[str, Any]) -> None:
        nonlocal struck
        subject = payload.get("resource_id") or payload.get("step")
        in_release = payload.get("goal", "ABSENT") == "ABSENT"
        if (function, subject) == call and in_release >= release and (times is None or struck < times):
            struck += 1
            raise error()

    return maybe_raise


def contents(world: World) -> Counter[tuple[str, str]]:
    return Counter((it["cloud"], it["type"]) for it in world.inventory())


def test_untouched_it_commits_with_everything_there_once(world: World) -> None:
    snapshot = world.provision(three_clouds())
    assert snapshot.saga.status == "COMMITTED"
    assert set(statuses(snapshot.resources).values()) == {"READY"}
    assert contents(world) == ALL_READY


def test_destroying_it_leaves_nothing(world: World) -> None:
    saga_id = world.provision(three_clouds()).saga.id
    world.sagas.destroy(saga_id)
    world.run()
    assert world.ledger.saga(saga_id).status == "RELEASED"
    assert not world.inventory()


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("call", PROVISIONING_CALLS, ids="-".join)
def test_a_worker_that_dies_twice_around_a_step_is_made_up_for(world: World, call: Call, moment: str) -> None:
    setattr(world, moment, strike(call, ExitError, times=2))
    snapshot = world.provision(three_clouds())
    assert snapshot.saga.status == "COMMITTED"
    assert contents(world) == ALL_READY


FAILURES: Final[tuple[tuple[str, str, Callable[[], Exception]], ...]] = (
    ("before", "terminal", lambda: TerminalError("AccessDenied", "no")),
    ("after", "terminal", lambda: TerminalError("AccessDenied", "no")),
    ("before", "retryable-for-ever", lambda: RetryableError("Throttled", "for ever")),
    ("after", "bug", lambda: ZeroDivisionError("a bug")),
)


@pytest.mark.parametrize(
    ("moment", "error"),
    [(moment, error) for moment, _, error in FAILURES],
    ids=[f"{moment}-{name}" for moment, name, _ in FAILURES],
)
@pytest.mark.parametrize("call", PROVISIONING_CALLS, ids="-".join)
def test_a_step_that_fails_for_good_rolls_everything_back(
    world: World, call: Call, error: Callable[[], Exception], moment: str
) -> None:
    setattr(world, moment, _only_while_provisioning(strike(call, error, times=None)))
    snapshot = world.provision(three_clouds())
    if moment == "after" and snapshot.saga.status == "COMMITTED":
        assert contents(world) == ALL_READY  # what the step did was written before its answer was lost
    else:
        assert snapshot.saga.status == "ROLLED_BACK"
        assert set(statuses(snapshot.resources).values()) == {"ABSENT"}
        assert not world.inventory()


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("call", RELEASE_CALLS, ids="-".join)
def test_a_roll_back_survives_a_worker_that_dies_around_each_of_its_steps(
    world: World, call: Call, moment: str
) -> None:
    world.clouds["gcp"].arm([Fault(operation="instances.insert", fault=FaultKind.CAPACITY, delay=30)])
    setattr(world, moment, strike(call, ExitError, times=3, release=True))
    snapshot = world.provision(three_clouds())
    assert snapshot.saga.status == "ROLLED_BACK"
    assert not world.inventory()


@pytest.mark.parametrize("resource", ["web-aws", "data-azure", "web-gcp"])
def test_what_cannot_be_removed_is_named_and_the_rest_is_removed_and_resuming_ends_it(
    world: World, resource: str
) -> None:
    cloud = resource.partition("-")[2]
    saga_id = world.provision(three_clouds()).saga.id
    world.before = strike((f"skysaga-{cloud}-delete", resource), lambda: TerminalError("AccessDenied", "no"), None)
    world.sagas.destroy(saga_id)
    world.run()
    snapshot = whole(world.ledger, saga_id)
    assert snapshot.saga.status == "NEEDS_ATTENTION"
    stuck = {it.id: it.error for it in snapshot.resources if it.status == "STUCK"}
    assert "AccessDenied" in (stuck[resource] or "")
    assert {it["cloud"] for it in world.inventory()} == {cloud}
    world.before = lambda function, payload: None
    world.sagas.resume(saga_id)
    world.run()
    assert world.ledger.saga(saga_id).status == "RELEASED"
    assert not world.inventory()


def test_a_cancelled_saga_is_rolled_back(world: World) -> None:
    saga_id = world.submit(three_clouds())
    world.engine.advance(3)
    assert world.inventory()
    world.sagas.cancel(saga_id)
    world.run()
    assert world.ledger.saga(saga_id).status == "ROLLED_BACK"
    assert not world.inventory()


@pytest.mark.parametrize(
    ("cloud", "operation"),
    [
        ("aws", "RunInstances"),
        ("aws", "CreateVolume"),
        ("azure", "VirtualMachines_CreateOrUpdate"),
        ("azure", "Disks_CreateOrUpdate"),
        ("azure", "NetworkInterfaces_CreateOrUpdate"),
        ("gcp", "instances.insert"),
        ("gcp", "disks.insert"),
    ],
)
def test_a_create_whose_effect_comes_late_is_found_and_removed(world: World, cloud: str, operation: str) -> None:
    """Every delivery of the create is lost, and all of them take effect a minute after the last one was given up."""
    world.clouds[cloud].arm([Fault(operation=operation, fault=FaultKind.LATE, delay=100, times=None)])
    snapshot = world.provision(three_clouds())
    world.clock.advance(600)
    world.engine.run()
    if snapshot.saga.status == "COMMITTED":
        assert contents(world) == ALL_READY
    else:
        assert snapshot.saga.status == "ROLLED_BACK"
        assert not world.inventory()


def _only_while_provisioning(inner: Strike) -> Strike:
    def maybe_raise(function: str, payload: Mapping[str, Any]) -> None:
        if payload.get("goal") != "ABSENT" and payload.get("step") not in ("fence", "conclude", "stick", "fail"):
            inner(function, payload)

    return maybe_raise
