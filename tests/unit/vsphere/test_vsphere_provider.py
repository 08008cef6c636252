"""Making and removing machines on vSphere: what the contract of all providers does not say of this one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lambdas.adapters.secrets import Secrets
from lambdas.core.errors import CapacityError, RetryableError, TerminalError
from lambdas.core.marks import annotation
from lambdas.core.model import Intent
from lambdas.core.specs import ScvmmInstance
from lambdas.vsphere.provider import VsphereProvider
from local.simulators.faults import FaultKind
from local.simulators.vsphere.inventory import Datastore, Machine, Network, Task
from tests.contract.vsphere_cloud import USER, cluster_settings
from tests.unit.vsphere.conftest import World


def ours(world: World) -> list[Machine]:
    return [it for it in world.simulator.estate.all(Machine) if it.name.startswith("s0test")]


def test_a_machine_has_the_size_disk_network_and_marks_that_were_asked_for(world: World) -> None:
    intent = world.made(world.provider(), world.intent(cpu=8, memory_gb=16, disk_gb=100, network="apps"))
    (machine,) = ours(world)
    assert (machine.name, machine.cpu, machine.memory_mb, machine.disk_gb) == (intent.name, 8, 16 * 1024, 100)
    assert machine.network == next(it.id for it in world.simulator.estate.all(Network) if it.name == "apps")
    assert machine.annotation == annotation(intent.marks)
    assert machine.on


def test_the_clusters_own_network_is_the_default(world: World) -> None:
    provider = world.provider(cluster_settings(world.url, network="apps"))
    world.made(provider, world.intent(), until="hardware")
    assert ours(world)[0].network == next(it.id for it in world.simulator.estate.all(Network) if it.name == "apps")


def test_machines_go_into_the_folder_of_the_cluster_or_the_datacenters_own(world: World) -> None:
    world.made(world.provider(), world.intent("filed"), until="machine")
    world.made(world.provider(cluster_settings(world.url, folder="")), world.intent("loose"), until="machine")
    folders = {it.name.rpartition("-")[2]: world.simulator.estate.find(it.parent or "") for it in ours(world)}
    assert {key: folder.name for key, folder in folders.items() if folder} == {"filed": "skysaga", "loose": "vm"}


def test_a_clone_goes_to_the_usable_host_with_the_most_memory_left(world: World) -> None:
    world.made(world.provider(), world.intent(), until="machine")
    assert ours(world)[0].host == world.simulator.host("esx-22").id


def test_machines_that_are_still_off_count_when_the_next_host_is_chosen(world: World) -> None:
    provider = world.provider()
    for number in range(4):
        world.made(provider, world.intent(f"big-{number}", memory_gb=60), until="hardware")
    hosts = {it.host for it in ours(world)}
    assert hosts == {world.simulator.host("esx-21").id, world.simulator.host("esx-22").id}


def test_where_drs_is_automated_it_chooses_the_host(world: World) -> None:
    world.made(world.provider(), world.intent(cluster="cl01"))
    assert world.simulator.estate.cluster_of(ours(world)[0].host).name == "CL01"


def test_a_clone_goes_to_the_shared_datastore_with_the_most_room(world: World) -> None:
    world.made(world.provider(), world.intent(), until="machine")
    assert ours(world)[0].datastore == world.simulator.estate.named(Datastore, "san-02").id
    world.simulator.estate.named(Datastore, "san-02").accessible = False
    world.made(world.provider(), world.intent("second"), until="machine")
    assert ours(world)[1].datastore == world.simulator.estate.named(Datastore, "san-03").id


def test_a_template_is_copied_to_a_cluster_that_has_none(world: World) -> None:
    world.made(world.provider(), world.intent(cluster="cl03"))
    assert ours(world)[0].datastore == world.simulator.estate.named(Datastore, "vsan-03").id


def test_no_usable_host_is_a_lack_of_capacity_and_nothing_is_sent(world: World) -> None:
    for name in ("esx-21", "esx-22"):
        world.simulator.host(name).maintenance = True
    with pytest.raises(CapacityError, match="NoCompatibleHost"):
        world.provider().create(world.intent(), "machine")
    assert world.calls("CloneVM_Task") == 0


def test_a_disk_that_fits_nowhere_is_a_lack_of_capacity(world: World) -> None:
    with pytest.raises(CapacityError, match="NoDiskSpace"):
        world.provider().create(world.intent(disk_gb=16_000), "machine")


def test_a_host_without_memory_left_is_a_lack_of_capacity_when_the_machine_is_switched_on(world: World) -> None:
    with pytest.raises(CapacityError, match="InsufficientMemoryResourcesFault"):
        world.made(world.provider(), world.intent(memory_gb=1000))


def test_a_host_that_goes_into_maintenance_under_a_machine_is_a_lack_of_capacity(world: World) -> None:
    intent = world.made(world.provider(), world.intent(), until="hardware")
    for name in ("esx-21", "esx-22"):
        world.simulator.host(name).maintenance = True
    intent = world.begin(world.provider(), intent, "power")
    with pytest.raises(CapacityError, match="InvalidHostState"):
        world.provider().observe(intent, "power")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"image": "windows-3.11"}, "UnknownImage: the vCenter has no template 'windows-3.11'"),
        ({"image": "ci-0"}, "UnknownImage"),
        ({"disk_gb": 5}, "DiskTooSmall: the image's own disk has 10 GiB"),
        ({"network": "lab"}, "UnknownNetwork: the cluster has no network 'lab'; it has .*VM Network, apps"),
    ],
)
def test_what_the_vcenter_does_not_have_is_the_users_move(world: World, spec: dict[str, Any], message: str) -> None:
    with pytest.raises(TerminalError, match=message):
        world.made(world.provider(), world.intent(**spec))


def test_a_folder_that_is_not_there_is_the_operators_move(world: World) -> None:
    provider = world.provider(cluster_settings(world.url, folder="skysaga/prod"))
    with pytest.raises(TerminalError, match="UnknownFolder: there is no folder 'skysaga/prod'"):
        provider.create(world.intent(), "machine")


def test_an_intent_without_a_cluster_is_terminal(world: World) -> None:
    intent = world.intent().model_copy(update={"cluster": None})
    with pytest.raises(TerminalError, match="UnknownCluster"):
        world.provider().create(intent, "machine")


def test_a_clone_whose_answer_was_lost_is_found_while_it_is_queued(world: World) -> None:
    world.arm("CloneVM_Task", FaultKind.LOST)
    provider, intent = world.provider(), world.intent()
    with pytest.raises(RetryableError):
        provider.create(intent, "machine")
    assert ours(world) == []
    assert provider.find(intent) == [task.id for task in world.simulator.estate.all(Task)]


def test_a_clone_whose_answer_was_lost_is_adopted_while_it_is_queued(world: World) -> None:
    world.arm("CloneVM_Task", FaultKind.LOST)
    provider, intent = world.provider(), world.intent()
    with pytest.raises(RetryableError):
        provider.create(intent, "machine")
    intent = world.begin(provider, intent, "machine")
    assert [intent.operations["machine"]] == [task.id for task in world.simulator.estate.all(Task)]
    assert world.calls("CloneVM_Task") == 1


def test_another_machines_queued_clone_is_not_ours(world: World) -> None:
    provider = world.provider()
    provider.create(world.intent("other"), "machine")
    assert provider.find(world.intent("web")) == []


def test_where_tasks_keep_no_token_a_queued_clone_of_ours_may_be_the_one(world_with: Callable[..., World]) -> None:
    world = world_with(keeps_activation_ids=False, clone_queued=300.0)
    world.arm("CloneVM_Task", FaultKind.LOST)
    provider, intent = world.provider(), world.intent()
    with pytest.raises(RetryableError):
        provider.create(intent, "machine")
    (task,) = world.simulator.estate.all(Task)
    assert provider.find(intent) == [task.id]
    assert provider.find(world.intent(image="debian-12")) == []
    task.user = "VSPHERE.LOCAL\\somebody"
    assert provider.find(intent) == []


def test_where_tasks_keep_no_token_a_repeated_clone_still_makes_one_machine(world_with: Callable[..., World]) -> None:
    world = world_with(keeps_activation_ids=False, clone_queued=300.0)
    world.arm("CloneVM_Task", FaultKind.LOST)
    provider, intent = world.provider(), world.intent()
    with pytest.raises(RetryableError):
        provider.create(intent, "machine")
    world.clock.advance(provider.repeat_seconds)
    intent = world.begin(provider, intent, "machine")
    world.clock.advance(400)
    assert world.calls("CloneVM_Task") == 2
    assert len(ours(world)) == 1
    assert provider.observe(intent, "machine").ready


def test_a_machine_that_is_still_being_cloned_is_there_and_not_ready(world: World) -> None:
    provider = world.provider()
    intent = world.begin(provider, world.intent(), "machine")
    world.clock.advance(1)
    (machine,) = ours(world)
    assert not machine.finished
    assert provider.find(intent) == [machine.id]
    assert not provider.observe(intent, "machine").ready
    assert provider.create(intent, "machine") == intent.operations["machine"]


def test_a_machine_that_is_still_being_cloned_is_left_until_it_can_go(world: World) -> None:
    provider = world.provider()
    intent = world.begin(provider, world.intent(), "machine")
    world.clock.advance(1)
    provider.delete(intent)
    world.clock.advance(5)
    assert len(ours(world)) == 1
    provider.delete(intent)
    world.clock.advance(5)
    assert provider.find(intent) == []


def test_a_clone_that_comes_out_of_the_queue_after_the_release_began_is_removed(
    world_with: Callable[..., World],
) -> None:
    world = world_with(clone_queued=600.0)
    provider = world.provider()
    intent = world.begin(provider, world.intent(), "machine")
    world.clock.advance(500)
    provider.delete(intent)
    assert provider.find(intent) == [intent.operations["machine"]]
    world.clock.advance(200)
    assert provider.find(intent) == [ours(world)[0].id]
    provider.delete(intent)
    world.clock.advance(5)
    assert provider.find(intent) == []


@pytest.mark.parametrize("part", ["machine", "hardware", "power"])
def test_a_task_that_the_vcenter_has_forgotten_leaves_the_word_to_the_machine(world: World, part: str) -> None:
    provider = world.provider()
    intent = world.made(provider, world.intent(), until=part)
    world.clock.advance(world.simulator.estate.settings.tasks_kept + 60)
    assert list(world.simulator.estate.all(Task)) == []
    assert provider.observe(intent, part).ready


def test_somebody_elses_machine_of_our_name_is_neither_adopted_nor_removed(world: World) -> None:
    provider, intent = world.provider(), world.intent()
    theirs = world.made(provider, intent.model_copy(update={"saga_id": "s0test0000000002"}), until="machine")
    machine = world.simulator.machine(theirs.name)
    machine.name, machine.annotation, machine.uuid = intent.name, "hands off", "50000000-0000-0000-0000-000000000000"
    with pytest.raises(TerminalError, match=f"DuplicateName: {intent.name} .* is somebody else's"):
        provider.create(intent, "machine")
    with pytest.raises(TerminalError, match="somebody else's"):
        provider.observe(intent, "machine")
    assert provider.find(intent) == []
    provider.delete(intent)
    world.clock.advance(10)
    assert ours(world) == [machine]


def test_our_machine_is_found_and_removed_wherever_somebody_moved_it(world: World) -> None:
    provider = world.provider()
    intent = world.made(provider, world.intent())
    (machine,) = ours(world)
    machine.parent, machine.annotation = world.simulator.machine("ci-0").parent, "renamed and moved"
    machine.name = "legacy"
    for _ in range(2):
        provider.delete(intent)
        world.clock.advance(5)
    assert provider.find(intent) == []
    assert world.simulator.estate.find(machine.id) is None


def test_a_copy_that_somebody_made_of_our_machine_is_not_removed(world: World) -> None:
    provider = world.provider()
    intent = world.made(provider, world.intent())
    copy = world.simulator.machine("ci-0")
    copy.annotation = annotation(intent.marks)
    for _ in range(3):
        provider.delete(intent)
        world.clock.advance(5)
    assert provider.find(intent) == []
    assert world.simulator.estate.find(copy.id) is copy


def test_a_machine_that_is_on_is_switched_off_and_then_destroyed(world: World) -> None:
    provider = world.provider()
    intent = world.made(provider, world.intent())
    provider.delete(intent)
    provider.delete(intent)
    world.clock.advance(5)
    assert (world.calls("PowerOffVM_Task"), world.calls("Destroy_Task")) == (2, 0)
    provider.delete(intent)
    world.clock.advance(5)
    assert world.calls("Destroy_Task") == 1
    assert ours(world) == []


def test_a_machine_on_a_host_that_is_cut_off_can_be_removed_later(world: World) -> None:
    provider = world.provider()
    intent = world.made(provider, world.intent())
    world.simulator.host("esx-22").connected = False
    with pytest.raises(RetryableError, match="HostNotConnected"):
        provider.delete(intent)
    assert len(provider.find(intent)) == 1


def test_hardware_is_not_given_to_a_machine_that_cannot_be_seen(world: World) -> None:
    with pytest.raises(RetryableError, match="cannot be seen just now"):
        world.provider().create(world.intent(), "hardware")


def test_a_machine_that_somebody_switched_on_counts_as_switched_on(world: World) -> None:
    provider = world.provider()
    intent = world.made(provider, world.intent(), until="hardware")
    ours(world)[0].on = True
    intent = world.begin(provider, intent, "power")
    assert intent.operations["power"] == ""
    assert provider.observe(intent, "power").ready


def test_clusters_of_several_vcenters_each_have_their_own_session(
    world: World, world_with: Callable[..., World]
) -> None:
    other = world_with(users={USER: ("other",)})
    world.vault.logins["other"] = {"username": USER, "password": "other"}
    provider = world.provider(cluster_settings(world.url), cluster_settings(other.url, "cl03", secret="other"))
    world.made(provider, world.intent("here"))
    other.clock = world.clock
    assert provider.survey("cl03").report.networks == ("VM Network",)
    assert (world.calls("Login"), other.calls("Login")) == (1, 1)


def test_a_resource_of_another_provider_is_refused(world: World) -> None:
    document = world.intent().definition.model_dump() | {"provider": "scvmm"}
    intent = world.intent().model_copy(update={"definition": ScvmmInstance.model_validate(document)})
    with pytest.raises(TerminalError, match="WrongProvider"):
        world.provider().create(intent, "machine")


def test_what_the_environment_leaves_out_has_a_default(world: World) -> None:
    clusters, secrets = {"cl02": cluster_settings(world.url)}, Secrets(world.vault)
    patient = {"VSPHERE_SETTLING_SECONDS": "7", "VSPHERE_REPEAT_SECONDS": "9", "VSPHERE_TIMEOUT": "30"}
    provider = VsphereProvider.from_environment(patient, clusters, secrets)
    assert (provider.settling_seconds, provider.repeat_seconds) == (7, 9)
    assert provider.survey("cl02").report.hosts
    default = VsphereProvider.from_environment({}, clusters, secrets)
    assert (default.settling_seconds, default.repeat_seconds) == (120, 120)


def test_the_handle_of_a_step_is_the_id_of_its_task(world: World) -> None:
    intent: Intent = world.made(world.provider(), world.intent())
    assert all(handle.startswith("task-") for handle in intent.operations.values())
