"""What a cluster reports of itself, read from a vCenter with known contents."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from lambdas.core.clusters import Amounts, DatastoreReport
from lambdas.core.errors import RetryableError, TerminalError
from lambdas.core.marks import annotation
from local.simulators.faults import FaultKind
from local.simulators.vsphere.inventory import Datastore
from tests.contract.vsphere_cloud import cluster_settings
from tests.unit.vsphere.conftest import World

FIRST_MARKS = {"skysaga-saga": "s0test0000000001", "skysaga-resource": "web", "skysaga-version": "1"}


def test_hosts_are_reported_with_what_they_have_and_what_is_in_use(world: World) -> None:
    report = world.provider().survey("cl02").report
    hosts = {host.name: host for host in report.hosts}
    assert sorted(hosts) == ["esx-21", "esx-22", "esx-23"]
    busy, idle, away = (hosts[name] for name in sorted(hosts))
    assert (busy.cpu, busy.memory_mb) == (32, 256 * 1024)
    assert busy.cpu_used > idle.cpu_used == 0
    assert busy.memory_used_mb > idle.memory_used_mb > 0
    assert [host.usable for host in (busy, idle, away)] == [True, True, False]
    assert away.maintenance


def test_use_is_told_in_threads_of_a_whole_host(world: World) -> None:
    host = world.simulator.host("esx-22")
    machine = world.simulator.machine("ci-0")
    machine.host, machine.cpu, machine.load = host.id, 16, 1.0
    world.clock.advance_to(900 * 2_000_000)  # where the simulated load neither rises nor falls
    used = {it.name: it.cpu_used for it in world.provider().survey("cl02").report.hosts}
    assert used["esx-22"] == 16.0


def test_a_report_says_when_the_look_began(world: World) -> None:
    assert world.provider().survey("cl02").report.at == datetime.fromtimestamp(world.clock.now(), UTC)


def test_a_host_that_is_cut_off_is_reported_and_not_usable(world: World) -> None:
    world.simulator.host("esx-22").connected = False
    report = world.provider().survey("cl02").report
    host = next(it for it in report.hosts if it.name == "esx-22")
    assert (host.connected, host.usable, host.memory_used_mb, host.cpu_used) == (False, False, 0, 0.0)


def test_only_datastores_that_all_usable_hosts_share_are_reported(world: World) -> None:
    report = world.provider().survey("cl02").report
    assert [it.name for it in report.datastores] == ["san-02", "san-03"]
    assert report.datastores[1] == DatastoreReport(name="san-03", capacity_gb=8192, free_gb=8192 - 4 * 80)


def test_a_datastore_in_maintenance_is_reported_as_not_usable(world: World) -> None:
    world.simulator.estate.named(Datastore, "san-03").maintenance = True
    usable = {it.name: it.usable for it in world.provider().survey("cl02").report.datastores}
    assert usable == {"san-02": True, "san-03": False}


def test_others_are_what_unmarked_machines_are_configured_with_and_the_disks_of_templates(world: World) -> None:
    others = world.provider().survey("cl02").report.others
    assert others == Amounts(cpu=4 * 4, memory_mb=4 * 16 * 1024, disk_gb=4 * 80 + 10 + 8)


def test_machines_that_are_off_count_as_much(world: World) -> None:
    before = world.provider().survey("cl02").report.others
    world.simulator.machine("ci-0").on = False
    assert world.provider().survey("cl02").report.others == before


def test_a_neighbour_clusters_machine_on_a_shared_datastore_takes_its_disk_and_nothing_else(world: World) -> None:
    neighbour = world.simulator.machine("erp-0")
    before = world.provider().survey("cl02").report.others
    neighbour.datastore = world.simulator.estate.named(Datastore, "san-02").id
    assert world.provider().survey("cl02").report.others == before + Amounts(disk_gb=500)


def test_what_a_neighbour_cluster_has_of_ours_is_its_own_claim_but_our_disk(world: World) -> None:
    neighbour = world.simulator.machine("erp-0")
    neighbour.name, neighbour.annotation = "s0test0000000001-web", annotation(FIRST_MARKS)
    neighbour.datastore = world.simulator.estate.named(Datastore, "san-02").id
    here, there = world.provider().survey("cl02"), world.provider().survey("cl01")
    assert (here.machines, here.report.others.disk_gb) == ((), 4 * 80 + 18 + 500)
    assert [it.cloud_id for it in there.machines] == [neighbour.id]


def test_our_machines_are_listed_and_not_counted_among_others(world: World) -> None:
    provider = world.provider()
    before = provider.survey("cl02").report.others
    began = world.clock.now()
    intent = world.made(provider, world.intent())
    found = provider.survey("cl02")
    assert found.report.others == before
    (machine,) = found.machines
    assert (machine.saga_id, machine.resource_id) == (intent.saga_id, "web")
    assert [machine.cloud_id] == provider.find(intent)
    assert machine.created_at is not None
    assert began <= machine.created_at.timestamp() <= world.clock.now()


def test_a_copy_that_somebody_made_of_our_machine_is_theirs(world: World) -> None:
    copy = world.simulator.machine("ci-0")
    copy.annotation = annotation(FIRST_MARKS)
    found = world.provider().survey("cl02")
    assert found.machines == ()
    assert found.report.others.cpu == 4 * 4


def test_our_machine_is_ours_under_whatever_name(world: World) -> None:
    provider = world.provider()
    intent = world.made(provider, world.intent())
    world.simulator.machine(intent.name).name = "renamed by somebody"
    assert len(provider.survey("cl02").machines) == 1
    assert len(provider.find(intent)) == 1


def test_images_are_all_templates_and_local_ones_need_no_copy(world: World) -> None:
    provider = world.provider()
    near, far = provider.survey("cl02").report, provider.survey("cl03").report
    assert near.images == near.local_images == far.images == ("debian-12", "ubuntu-24.04")
    assert far.local_images == ()


def test_networks_are_those_that_machines_can_be_on(world: World) -> None:
    assert world.provider().survey("cl02").report.networks == ("VM Network", "apps")


def test_a_survey_reads_in_bulk_page_by_page(world_with: Callable[..., World]) -> None:
    world = world_with(page=2)
    paged = world.provider().survey("cl01")
    assert world.calls("ContinueRetrievePropertiesEx") > 5
    assert len(paged.report.hosts) == 4
    assert paged.report.others.cpu == 8 * 16


def test_a_survey_costs_the_same_few_calls_however_big_the_cluster_is(world: World) -> None:
    provider = world.provider()
    provider.survey("cl01")
    big = len(world.simulator.log)
    provider.survey("cl03")
    assert len(world.simulator.log) - big <= big - 2 <= 8


def test_a_cluster_can_be_named_with_its_datacenter(world: World) -> None:
    provider = world.provider(cluster_settings(world.url, cluster="DC1/CL02"))
    assert len(provider.survey("cl02").report.hosts) == 3


@pytest.mark.parametrize("name", ["CL99", "DC2/CL02"])
def test_a_cluster_that_the_server_does_not_have_is_the_operators_move(world: World, name: str) -> None:
    provider = world.provider(cluster_settings(world.url, cluster=name))
    with pytest.raises(TerminalError, match=f"UnknownCluster: .* has no cluster '{name}'"):
        provider.survey("cl02")


def test_a_cluster_that_nobody_declared_is_terminal(world: World) -> None:
    with pytest.raises(TerminalError, match="UnknownCluster: no vSphere cluster 'cl99' is declared here"):
        world.provider().survey("cl99")


def test_a_survey_changes_nothing(world: World) -> None:
    before = world.simulator.inventory()
    world.provider().survey("cl02")
    assert world.simulator.inventory() == before
    assert not [call for call in world.simulator.log if call.operation.endswith("_Task")]


def test_a_page_that_is_lost_is_an_unknown_outcome_and_no_half_report(world_with: Callable[..., World]) -> None:
    world = world_with(page=2)
    world.arm("ContinueRetrievePropertiesEx", FaultKind.REFUSE)
    with pytest.raises(RetryableError, match="did not answer"):
        world.provider().survey("cl01")
