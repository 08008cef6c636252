"""Where a private machine goes: the claim is made with the intent, once, and freed once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from lambdas.core.clusters import Amounts
from lambdas.core.errors import CapacityError, RetryableError, TerminalError
from lambdas.core.model import Intent
from lambdas.core.placement.filtering import OLDEST_REPORT
from lambdas.core.policy import Policy
from lambdas.core.ports.provider import Marked
from lambdas.core.preflight import MOST_KINDS
from lambdas.core.specs import VsphereInstance
from lambdas.core.states import ResourceStatus
from lambdas.core.steps.placing import PlacementPreflight, PlacingSteps, ReportedInventory
from lambdas.core.steps.results import Next
from lambdas.core.steps.saga import ReleaseReason
from lambdas.core.targets import VsphereTarget
from tests.fakes.documents import vsphere_instance
from tests.fakes.reports import cluster_settings, survey
from tests.unit.core.private_world import WEB, PrivateWorld, make_private_world, seeded
from tests.unit.core.world import POLICY

NEED = Amounts(cpu=2, memory_mb=4096, disk_gb=20)


@pytest.fixture
def world() -> PrivateWorld:
    world = make_private_world()
    world.declare("berlin-1", "berlin-2")
    return world


def test_a_machine_is_placed_with_its_intent_and_given_to_its_clusters_queue(world: PrivateWorld) -> None:
    saga = world.provisioning_saga()
    assert world.placing.create(saga, WEB)["next"] is Next.WAIT

    resource = world.resource(saga)
    assert resource.status is ResourceStatus.CREATING
    assert resource.claim is not None
    assert resource.claim.cluster == resource.cluster
    assert world.claimed(str(resource.cluster)) == NEED
    assert world.ledger.events(saga)[-1].message == f"placed on {resource.cluster}"
    assert world.placing.observe(saga, WEB) == {
        "next": Next.WORK,
        "delay": 0,
        "queue": f"https://sqs.example/1/skysaga-cluster-{resource.cluster}",
    }


def test_placing_again_claims_nothing_more(world: PrivateWorld) -> None:
    saga = world.provisioning_saga()
    world.placing.create(saga, WEB)
    placed = world.resource(saga)
    world.placing.create(saga, WEB)
    assert world.resource(saga) == placed
    assert world.claimed("berlin-1") + world.claimed("berlin-2") == NEED


def test_nothing_is_placed_once_the_fence_is_up(world: PrivateWorld) -> None:
    saga = world.provisioning_saga()
    world.ledger.meanwhile = [lambda: world.sagas.fence(saga, ReleaseReason.COMPENSATE)]
    assert world.placing.create(saga, WEB)["next"] is Next.DONE
    assert world.resource(saga).status is ResourceStatus.PLANNED
    assert world.claimed("berlin-1") + world.claimed("berlin-2") == Amounts()


def test_no_candidate_is_a_refusal_that_says_why_of_each_cluster(world: PrivateWorld) -> None:
    world.declare("bonn-1", labels={"site": "bonn"})
    world.clusters.drain("bonn-1", True)
    saga = world.provisioning_saga(vsphere_instance(WEB, labels={"site": "bonn"}))
    with pytest.raises(CapacityError) as refused:
        world.placing.create(saga, WEB)
    assert str(refused.value).startswith("NoClusterFits: ")
    assert "bonn-1: is drained" in str(refused.value)
    assert "berlin-1, berlin-2: has not the label site=bonn" in str(refused.value)
    assert world.resource(saga).status is ResourceStatus.PLANNED


def test_a_lost_race_tries_the_next_cluster(world: PrivateWorld) -> None:
    """Between the look and the claim somebody takes all of the cluster that was chosen."""
    saga = world.provisioning_saga()
    chosen = make_private_world()  # the same seed and clusters, so the same choice
    chosen.declare("berlin-1", "berlin-2")
    twin = chosen.provisioning_saga()
    chosen.placing.create(twin, WEB)
    first = str(chosen.resource(twin).cluster)

    world.ledger.meanwhile = [lambda: world.clusters.drain(first, True)]
    world.placing.create(saga, WEB)

    assert world.resource(saga).cluster not in (None, first)
    assert world.claimed(first) == Amounts()


def test_when_every_race_is_lost_the_refusal_says_what_is_left(world: PrivateWorld) -> None:
    saga = world.provisioning_saga()

    def drain_all() -> None:
        for name in world.names:
            world.clusters.drain(name, True)

    world.ledger.meanwhile = [drain_all]
    with pytest.raises(CapacityError, match="berlin-1, berlin-2: is drained"):
        world.placing.create(saga, WEB)


def test_an_anti_affinity_group_is_spread_and_then_refused(world: PrivateWorld) -> None:
    saga = world.provisioning_saga(*(vsphere_instance(name, anti_affinity="web") for name in ("a", "b", "c")))
    world.placing.create(saga, "a")
    world.placing.create(saga, "b")
    assert {world.resource(saga, name).cluster for name in "ab"} == {"berlin-1", "berlin-2"}
    with pytest.raises(CapacityError, match="NoClusterFits"):
        world.placing.create(saga, "c")


def test_another_callers_group_of_the_same_name_is_another_group(world: PrivateWorld) -> None:
    for caller in ("alice", "bob"):
        saga = world.provisioning_saga(
            *(vsphere_instance(name, anti_affinity="web") for name in ("a", "b")), caller=caller
        )
        for name in ("a", "b"):
            world.placing.create(saga, name)
    assert world.claimed("berlin-1") == world.claimed("berlin-2") == NEED + NEED


def test_a_machine_is_placed_near_another(world: PrivateWorld) -> None:
    saga = world.provisioning_saga(vsphere_instance("db"), *(vsphere_instance(f"w-{n}", near="db") for n in range(5)))
    world.build(saga, "db")
    for number in range(5):
        world.placing.create(saga, f"w-{number}")
    home = world.resource(saga, "db").cluster
    assert {world.resource(saga, f"w-{number}").cluster for number in range(5)} == {home}


def test_a_cluster_that_is_added_takes_machines_at_once(world: PrivateWorld) -> None:
    for name in ("berlin-1", "berlin-2"):
        world.clusters.drain(name, True)
    saga = world.provisioning_saga()
    with pytest.raises(CapacityError):
        world.placing.create(saga, WEB)
    world.declare("berlin-3")
    world.placing.create(saga, WEB)
    assert world.resource(saga).cluster == "berlin-3"


def test_placers_at_the_same_time_never_claim_more_than_there_is(world: PrivateWorld) -> None:
    """Two hosts of 16 processors, promised four times: 32 machines of 4 processors on each of two clusters."""
    sagas = [world.provisioning_saga(vsphere_instance(WEB, cpu=4, memory_gb=1, disk_gb=1)) for _ in range(80)]
    placers = [PlacingSteps(world.ledger, world.clusters, world.clock, POLICY, seeded(seed)) for seed in range(8)]

    def place(number: int) -> bool:
        try:
            placers[number % 8].create(sagas[number], WEB)
        except CapacityError:
            return False
        return True

    def share(first: int) -> int:
        return [place(number) for number in range(first, 80, 8)].count(True)

    with ThreadPoolExecutor(8) as pool:
        placed = sum(pool.map(share, range(8)))

    assert placed == 64
    assert world.claimed("berlin-1").cpu == world.claimed("berlin-2").cpu == 128


def with_one_host(world: PrivateWorld) -> None:
    """Each cluster has room for one machine of 40 GiB."""
    for name in world.names:
        world.clusters.report(cluster_settings(name), survey(world.clock.now(), hosts=1))


def planned(world: PrivateWorld, *resources: dict[str, object]) -> list[Intent]:
    return [Intent(saga_id="s0", definition=VsphereInstance.model_validate(it)) for it in resources]


def test_a_dry_run_places_one_machine_after_the_other(world: PrivateWorld) -> None:
    with_one_host(world)
    preflight = PlacementPreflight(world.clusters, world.clock, seeded(1))
    machines = [vsphere_instance(f"w-{number}", memory_gb=40) for number in range(4)]
    assert [it.resources for it in preflight.shortages(planned(world, *machines))] == [("w-2", "w-3")]
    assert world.claimed("berlin-1") == Amounts()


def test_a_dry_run_places_a_neighbour_first(world: PrivateWorld) -> None:
    with_one_host(world)
    preflight = PlacementPreflight(world.clusters, world.clock, seeded(1))
    machines = planned(world, vsphere_instance("web", near="db", memory_gb=40), vsphere_instance("db", memory_gb=40))
    [short] = preflight.shortages(machines)
    assert short.resources == ("web",)
    assert "the machine that it is to be near" in short.message


def test_thousands_of_machines_are_refused_once_for_each_need_that_nobody_can_meet(world: PrivateWorld) -> None:
    with_one_host(world)
    preflight = PlacementPreflight(world.clusters, world.clock, seeded(1))
    machines = [vsphere_instance(f"w-{number}", memory_gb=40 + number % 2) for number in range(2_000)]

    short = preflight.shortages(planned(world, *machines))

    assert [(len(it.resources), it.code, it.location) for it in short] == [
        (999, "NoClusterFits", "vsphere"),
        (999, "NoClusterFits", "vsphere"),
    ]
    assert [it.resources[:2] for it in short] == [("w-2", "w-4"), ("w-3", "w-5")]


def test_so_many_needs_are_refused_at_once_as_an_answer_has_room_for(world: PrivateWorld) -> None:
    preflight = PlacementPreflight(world.clusters, world.clock, seeded(1))
    machines = [vsphere_instance(f"w-{number}", memory_gb=20_000 + number) for number in range(MOST_KINDS + 20)]

    short = preflight.shortages(planned(world, *machines))

    assert [it.resources for it in short] == [(f"w-{number}",) for number in range(MOST_KINDS)]


def test_labels_are_part_of_what_a_machine_needs(world: PrivateWorld) -> None:
    preflight = PlacementPreflight(world.clusters, world.clock, seeded(1))
    machines = [vsphere_instance(f"w-{tier}", labels={"tier": tier}) for tier in ("gold", "silver")]

    assert [it.resources for it in preflight.shortages(planned(world, *machines))] == [("w-gold",), ("w-silver",)]


def test_a_chain_of_neighbours_may_be_as_long_as_a_request(world: PrivateWorld) -> None:
    with_one_host(world)
    preflight = PlacementPreflight(world.clusters, world.clock, seeded(1))
    links = [vsphere_instance(f"w-{number}", near=f"w-{number + 1}", memory_gb=40) for number in range(2_000)]

    short = preflight.shortages(planned(world, *links, vsphere_instance("w-2000", memory_gb=40)))

    refused = [resource_id for it in short for resource_id in it.resources]
    assert len(refused) == 1_999
    assert "w-2000" not in refused


def test_the_sweep_sees_what_the_clusters_reported(world: PrivateWorld) -> None:
    marked = Marked("s0", "web", "vm-1")
    world.clusters.report(cluster_settings("berlin-2"), survey(world.clock.now(), (marked,)))
    inventory = ReportedInventory("vsphere", world.clusters, world.clock)
    assert list(inventory.inventory(VsphereTarget())) == [marked._replace(cluster="berlin-2")]
    assert list(inventory.inventory(VsphereTarget(name="test"))) == []


def test_a_cluster_that_does_not_report_is_never_an_empty_one(world: PrivateWorld) -> None:
    world.clock.advance(OLDEST_REPORT + 1)
    with pytest.raises(RetryableError, match="ReportTooOld: berlin-1"):
        list(ReportedInventory("vsphere", world.clusters, world.clock).inventory())


def test_a_machine_that_nobody_builds_fails_in_the_end_and_is_asked_about_until_then(world: PrivateWorld) -> None:
    saga = world.provisioning_saga()
    world.placing.create(saga, WEB)
    world.clock.advance(2 * POLICY.create_timeout)
    assert world.placing.observe(saga, WEB)["next"] is Next.WORK
    world.clock.advance(1)
    with pytest.raises(TerminalError, match="NobodyWorks: the worker of berlin-"):
        world.placing.observe(saga, WEB)


def test_a_machine_that_nobody_removes_is_given_up_before_its_saga_is_taken_for_silent(world: PrivateWorld) -> None:
    saga = world.provisioning_saga()
    world.build(saga)
    world.sagas.fence(saga, ReleaseReason.DESTROY)
    world.placing.delete(saga, WEB)
    world.clock.advance(1.5 * POLICY.release_timeout)
    assert world.placing.observe_absence(saga, WEB)["next"] is Next.WORK
    world.clock.advance(1)
    with pytest.raises(TerminalError, match="NobodyWorks: the worker of berlin-"):
        world.placing.observe_absence(saga, WEB)
    assert 1.5 * Policy().release_timeout < Policy().silence
