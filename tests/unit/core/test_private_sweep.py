"""What the sweep makes of what private clusters reported."""

from __future__ import annotations

import pytest

from lambdas.core.errors import CapacityError
from lambdas.core.policy import Policy
from lambdas.core.steps.placing import ReportedInventory
from lambdas.core.steps.saga import ReleaseReason
from lambdas.core.steps.sweep import CloudFindings, CloudSweep
from tests.fakes.private_provider import Machine
from tests.unit.core.private_world import WEB, PrivateWorld, make_private_world

LONG = 2 * 3600


@pytest.fixture
def world() -> PrivateWorld:
    world = make_private_world()
    world.declare("berlin-1", "berlin-2")
    return world


def committed(world: PrivateWorld) -> str:
    saga = world.provisioning_saga()
    world.build(saga)
    world.sagas.decide(saga, 0)
    return saga


def appear(world: PrivateWorld, saga: str, cluster: str) -> None:
    """A machine with a saga's marks shows itself on a cluster."""
    world.provider.machines.append(Machine(cluster, saga, WEB, 0))


def look(world: PrivateWorld) -> CloudFindings:
    world.clock.advance(LONG)
    world.report()
    inventory = ReportedInventory("vsphere", world.clusters, world.clock)
    return CloudSweep("vsphere", world.ledger, inventory, world.clock, Policy()).look()


def elsewhere(world: PrivateWorld, saga: str) -> str:
    [other] = {"berlin-1", "berlin-2"} - {world.resource(saga).cluster}
    return other


def test_what_a_committed_saga_holds_is_as_it_should_be(world: PrivateWorld) -> None:
    committed(world)
    found = look(world)
    assert (found["marked"], found["orphans"], found["unknown"]) == (1, [], [])


def test_what_shows_itself_after_a_roll_back_is_an_orphan_that_its_release_removes(world: PrivateWorld) -> None:
    saga = committed(world)
    world.release(saga)
    cluster = str(world.resource(saga).cluster)
    appear(world, saga, cluster)

    assert [it["saga_id"] for it in look(world)["orphans"]] == [saga]
    world.sagas.fence(saga, ReleaseReason.SWEEP)
    assert world.claimed(cluster).cpu == 2
    world.remove(saga)
    assert world.provider.machines == []
    assert world.claimed(cluster).cpu == 0


def test_what_is_on_a_cluster_that_the_saga_has_left_is_named_and_touched_by_nobody(world: PrivateWorld) -> None:
    """A release of the saga would remove what it holds, and not find this."""
    saga = committed(world)
    appear(world, saga, elsewhere(world, saga))
    found = look(world)
    assert found["orphans"] == []
    assert [it["cloud_id"] for it in found["unknown"]] == [f"{elsewhere(world, saga)}/{WEB}"]


def test_what_a_saga_at_work_is_leaving_is_left_to_it(world: PrivateWorld) -> None:
    saga = world.provisioning_saga()
    world.placing.create(saga, WEB)
    appear(world, saga, elsewhere(world, saga))
    assert look(world)["unknown"] == []


def test_what_shows_itself_where_the_machine_had_been_refused_is_removed_although_nothing_was_placed_in_the_end(
    world: PrivateWorld,
) -> None:
    world.provider.full = {"berlin-1", "berlin-2"}
    saga = world.provisioning_saga()
    with pytest.raises(CapacityError):
        world.build(saga)
    world.sagas.fail(saga, WEB, "no cluster fits")
    world.release(saga)
    appear(world, saga, str(world.resource(saga).cluster))

    assert look(world)["orphan_count"] == 1
    world.sagas.fence(saga, ReleaseReason.SWEEP)
    world.remove(saga)
    assert world.provider.machines == []
