"""What is particular to machines on System Center: names that are not unique, jobs that may not raise, three steps."""

from __future__ import annotations

import dataclasses

import pytest

from lambdas.core.errors import CapacityError, RetryableError, TerminalError
from lambdas.core.model import AttachedDisk, Intent
from lambdas.core.specs import GcpDisk
from lambdas.scvmm.machines import machine
from lambdas.scvmm.vmm import Vmm
from local.simulators.faults import FaultKind
from local.simulators.scvmm import SAMPLE, Estate, ScvmmTiming
from local.simulators.scvmm.estate import Foreign, Host, Volume
from local.simulators.scvmm.state import Machine
from tests.unit.scvmm.vmm_server import CLUSTER, VmmServer, intent, vmm_server

NAME = "s0test0000000001-web"


def cluster_with(**changes: object) -> Estate:
    """The sample estate with another HVCL01."""
    first, *others = SAMPLE.clusters
    return dataclasses.replace(SAMPLE, clusters=(dataclasses.replace(first, **changes), *others))  # type: ignore[arg-type]


def the_machine(vmm: VmmServer, name: str = NAME) -> Machine:
    return next(it for it in vmm.simulator.state.machines.values() if it.name == name)


def test_a_machine_has_what_its_placement_says(vmm: VmmServer) -> None:
    vmm.provision(intent(cpu=8, memory_gb=16, disk_gb=50, network="Backend", labels={"team": "payments"}))
    made = the_machine(vmm)
    assert (made.processors, made.memory_mb, made.boot_disk_gb, made.network) == (8, 16 * 1024, 50, "Backend")
    assert made.description.splitlines() == [
        "team=payments",
        "skysaga-saga=s0test0000000001",
        "skysaga-resource=web",
        "skysaga-version=1",
    ]
    assert made.status == "Running"


def test_a_machine_that_its_template_suits_needs_no_adjusting(vmm: VmmServer) -> None:
    made = vmm.provision(intent(disk_gb=20))
    assert made.operations["hardware"] == ""
    assert vmm.calls("Set-SCVirtualMachine") == 0


def test_a_cluster_has_a_network_of_its_own_for_those_who_say_none() -> None:
    with vmm_server(network="Backend") as vmm:
        vmm.provision(intent())
        assert the_machine(vmm).network == "Backend"
        vmm.provision(intent("api", network="VM Network"))
        assert the_machine(vmm, "s0test0000000001-api").network == "VM Network"


def test_a_machine_goes_to_the_host_with_the_most_room_and_the_volume_with_the_most_space(vmm: VmmServer) -> None:
    vmm.provision(intent())
    made = the_machine(vmm)
    assert (made.host, made.path) == ("hv03", r"C:\ClusterStorage\Volume2")


@pytest.mark.parametrize(
    "unusable", [{"maintenance": True}, {"responding": False}, {"memory_mb": 2048}, {"processors": 1}]
)
def test_a_host_that_takes_no_machine_is_passed_over(unusable: dict[str, int]) -> None:
    best = dataclasses.replace(Host("hv01", 64, 999_999), **unusable)  # type: ignore[arg-type]
    with vmm_server(cluster_with(hosts=(best, Host("hv02", 8, 16_384)), foreign=())) as vmm:
        vmm.provision(intent())
        assert the_machine(vmm).host == "hv02"


@pytest.mark.parametrize(
    ("estate", "code"),
    [
        (cluster_with(hosts=(Host("hv01", 8, 2048), Host("hv02", 1, 99_999)), foreign=()), "NoHost"),
        (cluster_with(volumes=(Volume(r"C:\ClusterStorage\Volume1", 100, 90),), foreign=()), "NoVolume"),
    ],
)
def test_a_cluster_without_room_is_full_and_nothing_is_begun(estate: Estate, code: str) -> None:
    with vmm_server(estate) as vmm:
        with pytest.raises(CapacityError) as raised:
            vmm.provider.create(intent(), "machine")
        assert raised.value.code == code
        assert vmm.calls("New-SCVirtualMachine") == 0


def test_a_host_that_fills_up_in_between_is_full_when_the_machine_is_to_start(vmm: VmmServer) -> None:
    made = intent(memory_gb=100)
    for part in ("machine", "hardware"):
        made = vmm.begin(made, part)
        vmm.clock.advance(10)
    the_machine(vmm, "dc01").host = the_machine(vmm).host
    the_machine(vmm, "dc01").memory_mb = 100 * 1024
    made = vmm.begin(made, "power")
    vmm.clock.advance(10)
    with pytest.raises(CapacityError, match="12700/0x8007000E"):
        vmm.provider.observe(made, "power")


def test_a_disk_smaller_than_the_templates_is_refused_before_anything_is_begun(vmm: VmmServer) -> None:
    with pytest.raises(TerminalError, match="DiskTooSmall"):
        vmm.provider.create(intent(disk_gb=10), "machine")
    assert vmm.calls("New-SCVirtualMachine") == 0


@pytest.mark.parametrize("cluster", ["elsewhere", None])
def test_a_cluster_that_nobody_declared_is_terminal(cluster: str | None, vmm: VmmServer) -> None:
    for call in (vmm.provider.find, vmm.provider.delete):
        with pytest.raises(TerminalError, match="UnknownCluster"):
            call(intent(cluster=cluster))


def test_a_cluster_that_the_server_does_not_have_is_terminal(vmm: VmmServer) -> None:
    with pytest.raises(TerminalError, match="NoCluster"):
        vmm.provider.create(intent(cluster="hyperv-none"), "machine")


def test_another_clouds_resource_is_refused(vmm: VmmServer) -> None:
    disk = GcpDisk.model_validate(
        {"id": "data", "provider": "gcp", "kind": "disk", "zone": "europe-west1-b", "spec": {"size_gb": 10}}
    )
    stray = Intent(saga_id="s0test0000000001", definition=disk, cluster=CLUSTER, disks=(AttachedDisk("a", "b", "c"),))
    with pytest.raises(TerminalError, match="WrongProvider"):
        vmm.provider.create(stray, "machine")


def test_a_machine_of_our_name_that_is_somebody_elses_is_terminal_and_left_alone() -> None:
    foreign = Foreign(NAME, "hv01", 1, 1024, 10, "Do not touch\nowner=ops")
    with vmm_server(cluster_with(foreign=(foreign,))) as vmm:
        with pytest.raises(TerminalError, match="NameTaken"):
            vmm.provider.create(intent(), "machine")
        vmm.provider.delete(intent())
        assert vmm.provider.find(intent()) == []
        assert vmm.status(NAME) == ["Running"]


def test_a_machine_that_somebody_renamed_is_still_ours(vmm: VmmServer) -> None:
    made = vmm.provision(intent())
    machine = the_machine(vmm)
    machine.name = "renamed"
    machine.description = f"Ask ops first\r\n{machine.description}\r\nbackup nightly"
    assert vmm.provider.find(made) == [machine.id]
    assert vmm.provider.create(intent(), "machine") == ""
    assert vmm.provider.observe(made, "power") == (True, machine.id)
    vmm.provider.delete(made)
    assert vmm.status("renamed") == ["PoweringOff"]


def test_a_creation_whose_answer_was_lost_is_found_by_its_job_before_its_machine_is_listed(vmm: VmmServer) -> None:
    vmm.arm("New-SCVirtualMachine", FaultKind.LOST)
    with pytest.raises(RetryableError):
        vmm.provider.create(intent(), "machine")
    (found,) = vmm.provider.find(intent())
    handle = vmm.provider.create(intent(), "machine")
    assert found == f"job/{handle}"
    vmm.clock.advance(1)
    assert vmm.provider.create(intent(), "machine") == handle
    assert vmm.provider.find(intent()) == [the_machine(vmm).id]
    assert vmm.calls("New-SCVirtualMachine") == 1


def test_a_creation_that_arrives_late_finds_what_was_made_in_the_meantime(vmm: VmmServer) -> None:
    vmm.arm("New-SCVirtualMachine", FaultKind.LATE, delay=60)
    with pytest.raises(RetryableError):
        vmm.provider.create(intent(), "machine")
    vmm.provision(intent())
    vmm.clock.advance(60)
    assert vmm.status(NAME) == ["Running"]


def test_a_command_that_is_delivered_twice_is_one_command(vmm: VmmServer) -> None:
    vmm.arm("New-SCVirtualMachine", FaultKind.TWICE)
    vmm.provision(intent())
    assert vmm.status(NAME) == ["Running"]


def test_a_job_that_vmm_does_not_know_any_more_leaves_it_to_the_machine(vmm: VmmServer) -> None:
    made = vmm.begin(intent(), "machine")
    assert not vmm.provider.observe(made, "machine").ready
    vmm.simulator.state.jobs.clear()
    vmm.clock.advance(1)
    assert vmm.provider.observe(made, "machine") == (False, the_machine(vmm).id)
    vmm.clock.advance(10)
    assert vmm.provider.observe(made, "machine") == (True, the_machine(vmm).id)


def test_a_failed_job_that_raised_nothing_is_read(vmm: VmmServer) -> None:
    vmm.arm("New-SCVirtualMachine", FaultKind.FAIL, delay=2)
    made = vmm.begin(intent(), "machine")
    vmm.clock.advance(2)
    with pytest.raises(TerminalError, match=r"12700.*0x80004005"):
        vmm.provider.observe(made, "machine")
    assert vmm.status(NAME) == ["CreationFailed"]


def test_a_failed_creation_whose_job_is_not_known_any_more_is_seen_by_its_machine(vmm: VmmServer) -> None:
    vmm.arm("New-SCVirtualMachine", FaultKind.FAIL)
    made = vmm.begin(intent(), "machine")
    vmm.clock.advance(1)
    vmm.simulator.inventory()
    vmm.simulator.state.jobs.clear()
    with pytest.raises(TerminalError, match="CreationFailed"):
        vmm.provider.observe(made, "machine")


def test_what_a_failed_creation_left_is_removed_before_the_next_attempt(vmm: VmmServer) -> None:
    vmm.arm("New-SCVirtualMachine", FaultKind.CAPACITY)
    vmm.provider.create(intent(), "machine")
    vmm.clock.advance(1)
    for _ in range(2):
        with pytest.raises(RetryableError, match="LeftBehind"):
            vmm.provider.create(intent(), "machine")
    vmm.clock.advance(10)
    vmm.provision(intent())
    assert vmm.status(NAME) == ["Running"]


@pytest.mark.parametrize("part", ["hardware", "power"])
def test_a_part_that_comes_too_early_waits(part: str, vmm: VmmServer) -> None:
    with pytest.raises(RetryableError, match="NotSeen"):
        vmm.provider.create(intent(), part)
    vmm.begin(intent(), "machine")
    vmm.clock.advance(1)
    with pytest.raises(RetryableError, match="Busy"):
        vmm.provider.create(intent(), part)


@pytest.mark.parametrize(
    ("part", "cmdlet"), [("hardware", "Set-SCVirtualMachine"), ("power", "Start-SCVirtualMachine")]
)
@pytest.mark.parametrize("fault", [FaultKind.LOST, FaultKind.REFUSE, FaultKind.TWICE, FaultKind.ERROR])
def test_a_fault_on_a_later_part_does_no_harm(part: str, cmdlet: str, fault: FaultKind, vmm: VmmServer) -> None:
    made = intent(disk_gb=40, network="Backend")
    vmm.arm(cmdlet, fault)
    for each in vmm.provider.parts(made):
        try:
            made = vmm.begin(made, each)
        except RetryableError:
            assert each == part
            vmm.clock.advance(10)
            made = vmm.begin(made, each)
        vmm.clock.advance(10)
        assert vmm.provider.observe(made, each).ready
    machine = the_machine(vmm)
    assert (machine.status, machine.boot_disk_gb, machine.network) == ("Running", 40, "Backend")


def test_a_machine_that_somebody_started_too_early_cannot_be_adjusted(vmm: VmmServer) -> None:
    made = vmm.begin(intent(disk_gb=40), "machine")
    vmm.clock.advance(10)
    vmm.provider.create(made, "power")
    vmm.clock.advance(10)
    with pytest.raises(TerminalError, match="Running"):
        vmm.provider.create(made, "hardware")


def test_a_machine_that_is_started_already_is_not_started_again(vmm: VmmServer) -> None:
    made = vmm.provision(intent())
    assert vmm.provider.create(made, "power") == ""
    assert vmm.calls("Start-SCVirtualMachine") == 1


def test_a_machine_is_turned_off_and_then_removed_with_its_files(vmm: VmmServer) -> None:
    made = vmm.provision(intent())
    seen = []
    for _ in range(4):
        vmm.provider.delete(made)
        seen.append((vmm.status(NAME), len(vmm.provider.find(made))))
        vmm.clock.advance(5)
    assert seen == [(["PoweringOff"], 1), (["Deleting"], 1), ([], 0), ([], 0)]
    assert (vmm.calls("Stop-SCVirtualMachine"), vmm.calls("Remove-SCVirtualMachine")) == (1, 1)


@pytest.mark.parametrize("status", ["UnderCreation", "Starting", "PoweringOff", "Deleting", "HostNotResponding"])
def test_what_is_about_to_change_is_left_for_next_time(status: str, vmm: VmmServer) -> None:
    made = vmm.provision(intent())
    the_machine(vmm).status = status
    vmm.provider.delete(made)
    assert vmm.status(NAME) == [status]
    assert len(vmm.provider.find(made)) == 1


@pytest.mark.parametrize("status", ["Missing", "CreationFailed", "Saved", "PowerOff"])
def test_what_does_not_run_is_removed(status: str, vmm: VmmServer) -> None:
    made = vmm.provision(intent())
    the_machine(vmm).status = status
    vmm.provider.delete(made)
    assert vmm.status(NAME) == ["Deleting"]


@pytest.mark.parametrize("status", ["Missing", "Deleting", "UpdateFailed"])
def test_a_machine_that_does_not_stay_is_terminal(status: str, vmm: VmmServer) -> None:
    made = vmm.provision(intent())
    the_machine(vmm).status = status
    with pytest.raises(TerminalError, match=status):
        vmm.provider.observe(made, "power")


def test_what_a_job_has_locked_and_what_is_gone_already_is_left_for_next_time(vmm: VmmServer) -> None:
    made = vmm.provision(intent())
    server = Vmm(vmm.shells)
    (machine,) = server.look(made, thorough=True).ours(made)
    for _ in range(2):
        server.stop(made, machine)
    assert vmm.status(NAME) == ["PoweringOff"]
    vmm.clock.advance(10)
    for _ in range(2):
        server.remove(made, machine)
    vmm.clock.advance(10)
    server.remove(made, machine)
    assert vmm.status(NAME) == []
    assert vmm.calls("Remove-SCVirtualMachine") == 3


def test_a_removal_without_a_machine_to_show_is_waited_for(vmm: VmmServer) -> None:
    made = vmm.provision(intent())
    for _ in range(2):
        vmm.provider.delete(made)
        vmm.clock.advance(1)
    del vmm.simulator.state.machines[the_machine(vmm).id]
    with pytest.raises(RetryableError, match="Busy"):
        vmm.provider.create(intent(), "machine")


def test_two_machines_of_ours_are_both_found_and_both_removed() -> None:
    twin = Foreign(NAME, "hv01", 1, 1024, 10, "skysaga-saga=s0test0000000001\nskysaga-resource=web")
    with vmm_server(cluster_with(foreign=(twin, dataclasses.replace(twin, host="hv02")))) as vmm:
        assert len(vmm.provider.find(intent())) == 2
        for _ in range(2):
            vmm.provider.delete(intent())
            vmm.clock.advance(10)
        assert vmm.provider.find(intent()) == []


def test_how_long_a_create_may_be_under_way_is_a_setting() -> None:
    with vmm_server(SCVMM_SETTLING_SECONDS="30", SCVMM_REPEAT_SECONDS="60") as vmm:
        assert (vmm.provider.settling_seconds, vmm.provider.repeat_seconds) == (30, 60)
    with vmm_server(timing=ScvmmTiming()) as vmm:
        assert (vmm.provider.settling_seconds, vmm.provider.repeat_seconds) == (120, 120)


@pytest.mark.parametrize(
    ("status", "busy"),
    [
        ("Running", True),
        ("Queued", True),
        ("Completed", False),
        ("SucceedWithInfo", False),
        ("Failed", False),
        ("", False),
    ],
)
def test_a_machine_is_busy_as_long_as_its_last_job_has_not_ended(status: str, busy: bool) -> None:
    record = {"Id": "1", "Name": "web", "Status": "PowerOff", "Description": None, "BootDiskBytes": 2**30}
    assert machine({**record, "Network": None, "Task": "2", "TaskStatus": status}).busy is busy
