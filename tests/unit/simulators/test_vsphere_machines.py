"""Virtual machines of the simulated vCenter: what tasks do, how long they take, and what ends them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from pyVmomi import vim, vmodl

from local.simulators.faults import Fault, FaultKind
from local.simulators.vsphere import SAMPLE
from local.simulators.vsphere.inventory import Datastore
from tests.unit.simulators.vsphere_client import Client, signed_in


@pytest.fixture
def vcenter() -> Iterator[Client]:
    with signed_in() as client:
        yield client


def reconfigure(vcenter: Client, machine: Any, **changes: Any) -> Any:
    return vcenter.end(machine.ReconfigVM_Task(vim.vm.ConfigSpec(**changes)))


def test_a_clone_is_nowhere_then_unfinished_then_there(vcenter: Client) -> None:
    task = vcenter.clone("web")
    index = vcenter.content.searchIndex
    assert (task.info.state, index.FindChild(vcenter.folder(), "web")) == ("queued", None)
    vcenter.clock.advance(SAMPLE.clone_queued)
    machine = index.FindChild(vcenter.folder(), "web")
    assert (task.info.state, machine.config) == ("running", None)
    vcenter.clock.advance(SAMPLE.clone)
    assert (task.info.state, task.info.result) == ("success", machine)
    assert (machine.config.hardware.numCPU, machine.runtime.powerState) == (1, "poweredOff")


def test_a_task_says_what_it_clones_and_for_whom_but_not_to_what_name(vcenter: Client) -> None:
    info = vcenter.clone("web").info
    assert (info.descriptionId, info.entityName) == ("VirtualMachine.clone", "ubuntu-24.04")
    assert info.reason.userName == "VSPHERE.LOCAL\\skysaga"
    assert "web" not in str(info)


def test_tasks_are_recent_for_ten_minutes_after_they_ended(vcenter: Client) -> None:
    task = vcenter.clone("web")
    manager = vcenter.content.taskManager
    assert list(manager.recentTask) == [task]
    vcenter.end(task)
    vcenter.clock.advance(500)
    assert list(manager.recentTask) == [task]
    vcenter.clock.advance(200)
    assert list(manager.recentTask) == []
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        _ = task.info


def test_a_name_is_given_away_once_in_a_folder(vcenter: Client) -> None:
    first, second = vcenter.clone("web"), vcenter.clone("web")
    vcenter.end(first)
    with pytest.raises(vim.fault.DuplicateName, match="'web' already exists"):
        vcenter.end(second)


@pytest.mark.parametrize("missing", ["pool", "host"])
def test_a_clone_must_say_where_it_goes_unless_drs_does(vcenter: Client, missing: str) -> None:
    with pytest.raises(vmodl.fault.InvalidArgument, match=missing):
        vcenter.clone("web", **{missing: None})
    big = vcenter.cluster("CL01")
    assert vcenter.end(vcenter.clone("web", pool=big.resourcePool, host=None, datastore=big.datastore[0]))


def test_a_clone_does_not_go_to_a_host_that_takes_no_machines(vcenter: Client) -> None:
    away = vcenter.cluster("CL02").host[2]
    with pytest.raises(vim.fault.InvalidHostState):
        vcenter.clone("web", host=away)
    vcenter.simulator.host("esx-23").connected = False
    with pytest.raises(vmodl.fault.HostNotConnected):
        vcenter.clone("web", host=away)
    assert away.runtime.connectionState == "notResponding"
    assert away.summary.quickStats.overallCpuUsage is None


def test_a_full_datastore_ends_the_clone(vcenter: Client) -> None:
    vcenter.simulator.estate.named(Datastore, "san-02").capacity_gb = 20
    with pytest.raises(vim.fault.NoDiskSpace):
        vcenter.end(vcenter.clone("web"))


def test_a_datastore_that_the_host_does_not_mount_ends_the_clone(vcenter: Client) -> None:
    with pytest.raises(vim.fault.InaccessibleDatastore):
        vcenter.end(vcenter.clone("web", datastore=vcenter.cluster("CL01").datastore[0]))


def test_a_machine_is_reconfigured(vcenter: Client) -> None:
    machine = vcenter.end(vcenter.clone("web"))
    (disk,) = (it for it in machine.config.hardware.device if isinstance(it, vim.vm.device.VirtualDisk))
    disk.capacityInKB = 30 << 20
    change = vim.vm.device.VirtualDeviceSpec(operation="edit", device=disk)
    reconfigure(vcenter, machine, numCPUs=4, memoryMB=8192, annotation="a=b", deviceChange=[change])
    config = machine.config
    assert (config.hardware.numCPU, config.hardware.memoryMB, config.annotation) == (4, 8192, "a=b")
    assert config.hardware.device[0].capacityInKB == 30 << 20


def test_a_disk_does_not_shrink(vcenter: Client) -> None:
    machine = vcenter.end(vcenter.clone("web"))
    disk = machine.config.hardware.device[0]
    disk.capacityInKB = 1 << 20
    change = vim.vm.device.VirtualDeviceSpec(operation="edit", device=disk)
    with pytest.raises(vim.fault.InvalidDeviceSpec):
        reconfigure(vcenter, machine, deviceChange=[change])


def test_processors_are_not_changed_while_the_machine_is_on(vcenter: Client) -> None:
    with pytest.raises(vim.fault.InvalidPowerState):
        reconfigure(vcenter, vcenter.machine("ci-0"), numCPUs=8)


def test_power_follows_the_tasks(vcenter: Client) -> None:
    machine = vcenter.end(vcenter.clone("web"))
    vcenter.end(machine.PowerOnVM_Task())
    assert machine.runtime.powerState == "poweredOn"
    with pytest.raises(vim.fault.InvalidPowerState):
        vcenter.end(machine.PowerOnVM_Task())
    vcenter.end(machine.PowerOffVM_Task())
    assert machine.runtime.powerState == "poweredOff"
    with pytest.raises(vim.fault.InvalidPowerState):
        vcenter.end(machine.PowerOffVM_Task())


def test_a_machine_that_is_on_is_not_destroyed(vcenter: Client) -> None:
    machine = vcenter.machine("ci-0")
    with pytest.raises(vim.fault.InvalidPowerState):
        vcenter.end(machine.Destroy_Task())
    vcenter.end(machine.PowerOffVM_Task())
    vcenter.end(machine.Destroy_Task())
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        _ = machine.name


def test_a_machine_has_one_task_at_a_time(vcenter: Client) -> None:
    machine = vcenter.machine("ci-0")
    task = machine.PowerOffVM_Task()
    with pytest.raises(vim.fault.TaskInProgress) as busy:
        machine.Destroy_Task()
    assert busy.value.task == task


def test_a_host_takes_no_more_than_its_memory_overcommitted(vcenter: Client) -> None:
    machine = vcenter.end(vcenter.clone("web"))
    reconfigure(vcenter, machine, memoryMB=500 * 1024)
    with pytest.raises(vim.fault.InsufficientMemoryResourcesFault) as full:
        vcenter.end(machine.PowerOnVM_Task())
    assert full.value.unreserved == int(256 * 1.5) << 30


def test_drs_moves_a_machine_to_the_host_with_room_when_it_is_switched_on(vcenter: Client) -> None:
    big = vcenter.cluster("CL01")
    where = {"pool": big.resourcePool, "host": big.host[0], "datastore": big.datastore[0]}
    machine = vcenter.end(vcenter.clone("web", **where))
    vcenter.simulator.host("esx-11").maintenance = True
    vcenter.end(machine.PowerOnVM_Task())
    assert machine.runtime.host != big.host[0]


@pytest.mark.parametrize(
    ("kind", "operation", "fault"),
    [
        (FaultKind.FAIL, "CloneVM_Task", vmodl.fault.SystemError),
        (FaultKind.FAIL, "PowerOnVM_Task", vmodl.fault.SystemError),
        (FaultKind.CAPACITY, "CloneVM_Task", vim.fault.InsufficientMemoryResourcesFault),
        (FaultKind.CAPACITY, "PowerOnVM_Task", vim.fault.InsufficientMemoryResourcesFault),
        (FaultKind.CAPACITY, "ReconfigVM_Task", vim.fault.NoDiskSpace),
    ],
)
def test_accepted_tasks_can_be_made_to_fail(vcenter: Client, kind: FaultKind, operation: str, fault: Any) -> None:
    machine = vcenter.end(vcenter.clone("web"))
    vcenter.simulator.faults.arm([Fault(operation=operation, fault=kind, delay=3)])
    begin = {
        "CloneVM_Task": lambda: vcenter.clone("other"),
        "PowerOnVM_Task": machine.PowerOnVM_Task,
        "ReconfigVM_Task": lambda: machine.ReconfigVM_Task(vim.vm.ConfigSpec(numCPUs=2)),
    }
    task = begin[operation]()
    assert task.info.state == "running"
    with pytest.raises(fault):
        vcenter.end(task)
    assert machine.config.hardware.numCPU == 1


def test_a_stale_read_does_not_see_what_was_made_lately(vcenter: Client) -> None:
    machine = vcenter.end(vcenter.clone("web"))
    vcenter.simulator.faults.arm([Fault(operation="*", fault=FaultKind.STALE, delay=60, times=2)])
    assert vcenter.content.searchIndex.FindChild(vcenter.folder(), "web") is None
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        _ = machine.config
    assert machine.config is not None


def test_the_inventory_lists_machines_with_their_marks_and_templates(vcenter: Client) -> None:
    machine = vcenter.end(vcenter.clone("web"))
    reconfigure(vcenter, machine, annotation="skysaga-saga=s0\nskysaga-resource=web")
    listed = {it["name"]: it for it in requests.get(f"{vcenter.url}/_simulator/resources", timeout=5).json()}
    assert listed["web"]["marks"] == {"skysaga-saga": "s0", "skysaga-resource": "web"}
    assert (listed["web"]["type"], listed["web"]["status"], listed["web"]["location"]) == (
        "machine",
        "poweredOff",
        "CL02",
    )
    assert listed["ubuntu-24.04"]["type"] == "template"
    assert listed["erp-0"]["marks"] == {}
