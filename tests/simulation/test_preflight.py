"""The preflight of the three-cloud saga: what is short is known, all of it, before anything exists."""

from __future__ import annotations

from typing import Final

from lambdas.core.states import SagaStatus
from local.simulators.faults import Fault, FaultKind
from tests.simulation.requests import three_clouds
from tests.simulation.world import World, statuses

CHECKING: Final = frozenset({"CheckCapacity"})
JOINS: Final = frozenset({"DecideOutcome", "AnythingToProvision"})


def test_shortages_on_two_clouds_are_named_at_once_and_nothing_is_created(world: World) -> None:
    world.clouds["azure"].arm([Fault(operation="Usage_List", fault=FaultKind.CAPACITY)])
    world.clouds["gcp"].arm([Fault(operation="regions.get", fault=FaultKind.CAPACITY)])

    saga, resources = world.provision(three_clouds())

    errors = {it.id: it.error for it in resources}
    assert saga.status is SagaStatus.ROLLED_BACK
    assert set(statuses(resources).values()) == {"ABSENT"}
    assert "QuotaExceeded: cores in westeurope: 1 needed, 0 left of 0" in str(errors["web-azure"])
    assert "QuotaExceeded: CPUS in europe-west1: 2 needed, 0 left of" in str(errors["web-gcp"])
    assert "QuotaExceeded: SSD_TOTAL_GB" in str(errors["data-gcp"])
    assert errors["web-aws"] is None
    assert not [name for name, _ in world.calls if name.endswith("-create")]
    assert world.inventory() == []


def test_a_cloud_that_does_not_say_is_passed_over_and_the_saga_goes_on(world: World) -> None:
    world.clouds["gcp"].arm([Fault(operation="regions.get", fault=FaultKind.THROTTLE, times=None)])

    saga, _ = world.provision(three_clouds())

    messages = [event.message or "" for event in world.ledger.events(saga.id)]
    assert saga.status is SagaStatus.COMMITTED
    assert saga.unchecked == ("gcp",)
    assert any(it.startswith("gcp could not be checked for shortages: RetryableError: ") for it in messages)


def test_a_request_can_do_without(world: World) -> None:
    saga, _ = world.provision({**three_clouds(), "preflight": False})

    assert saga.status is SagaStatus.COMMITTED
    assert not [name for name, _ in world.calls if name.endswith("-check")]


def test_it_costs_four_state_transitions_however_many_clouds_there_are(world: World) -> None:
    with_it, _ = world.provision(three_clouds())
    without, _ = world.provision({**three_clouds(), "preflight": False})

    assert _entered(world, with_it.id, CHECKING) == 1
    assert [it.map_run.spec.label for it in world.engine.core.executions if it.map_run].count("check") == 1
    assert _entered(world, with_it.id, JOINS) - _entered(world, without.id, JOINS) == 2


def _entered(world: World, saga_id: str, states: frozenset[str]) -> int:
    """How often an execution entered one of those states: each is a transition that AWS charges for."""
    execution = world.provisioning.replace(":stateMachine:", ":execution:") + f":{saga_id}"
    details = [event.get("stateEnteredEventDetails") for event in world.engine.history(execution)]
    return sum(isinstance(it, dict) and it["name"] in states for it in details)
