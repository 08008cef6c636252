"""What is asked of a vCenter, field by field."""

from __future__ import annotations

from typing import Any

import pytest
from pyVmomi import vim

from lambdas.core.errors import TerminalError
from lambdas.core.marks import annotation, marks_of
from lambdas.core.model import Intent
from lambdas.core.specs import VsphereInstance
from lambdas.vsphere import bodies
from lambdas.vsphere.bodies import Network
from tests.contract.vsphere_cloud import vsphere_definition

GB_IN_KB = 1024 * 1024
ETHERNET = vim.vm.device.VirtualEthernetCard


@pytest.fixture
def definition() -> VsphereInstance:
    return vsphere_definition("instance", "web", cpu=2, memory_gb=4, disk_gb=20)


@pytest.fixture
def intent(definition: VsphereInstance) -> Intent:
    return Intent(saga_id="s0test0000000001", definition=definition, labels={"team": "payments"}, cluster="cl02")


def config(intent: Intent, **changes: Any) -> Any:
    """A machine that is as the intent wants it, but for the changes."""
    as_wanted: dict[str, Any] = {
        "cpu": 2,
        "cores": 1,
        "memory": 4096,
        "disk": 20,
        "network": "VM Network",
        "note": None,
    }
    now = {**as_wanted, **changes}
    backing = ETHERNET.NetworkBackingInfo(deviceName=now["network"])
    devices: list[Any] = [vim.vm.device.VirtualIDEController(key=200)]
    if now["disk"]:
        devices.append(vim.vm.device.VirtualDisk(key=2000, capacityInKB=now["disk"] * GB_IN_KB))
    if now["network"]:
        devices.append(vim.vm.device.VirtualE1000(key=4000, backing=backing))
    hardware = vim.vm.VirtualHardware(
        numCPU=now["cpu"], numCoresPerSocket=now["cores"], memoryMB=now["memory"], device=devices
    )
    note = annotation(intent.marks) if now["note"] is None else now["note"]
    return vim.vm.ConfigInfo(name="web", hardware=hardware, annotation=note)


NETWORK = Network(vim.Network("network-1", None), "VM Network")
GROUP = Network(vim.dvs.DistributedVirtualPortgroup("dvportgroup-9", None), "apps", "dvportgroup-9", "50 1f")


def test_a_clone_is_off_marked_and_carries_our_token(intent: Intent) -> None:
    spec = bodies.clone(intent, vim.ResourcePool("r-1", None), vim.Datastore("d-1", None), vim.HostSystem("h-1", None))
    assert (spec.powerOn, spec.template) == (False, False)
    assert marks_of(spec.config.annotation) == intent.marks
    assert spec.config.instanceUuid == intent.token("machine")
    assert [it._GetMoId() for it in (spec.location.pool, spec.location.datastore, spec.location.host)] == [
        "r-1",
        "d-1",
        "h-1",
    ]


def test_nothing_changes_of_a_machine_that_is_as_it_should_be(intent: Intent, definition: VsphereInstance) -> None:
    assert bodies.hardware(intent, definition, config(intent), NETWORK) is None


def test_only_what_differs_changes(intent: Intent, definition: VsphereInstance) -> None:
    spec = bodies.hardware(intent, definition, config(intent, memory=1024), NETWORK)
    assert spec is not None
    assert (spec.numCPUs, spec.memoryMB, list(spec.deviceChange), spec.annotation) == (None, 4096, [], None)


def test_cores_per_socket_give_way_where_they_do_not_divide_the_processors(
    intent: Intent, definition: VsphereInstance
) -> None:
    kept = bodies.hardware(intent, definition, config(intent, cpu=4, cores=2), NETWORK)
    reset = bodies.hardware(intent, definition, config(intent, cpu=4, cores=4), NETWORK)
    assert kept is not None
    assert reset is not None
    assert (kept.numCPUs, kept.numCoresPerSocket) == (2, None)
    assert (reset.numCPUs, reset.numCoresPerSocket) == (2, 1)


def test_the_boot_disk_grows(intent: Intent, definition: VsphereInstance) -> None:
    spec = bodies.hardware(intent, definition, config(intent, disk=10), NETWORK)
    assert spec is not None
    (change,) = spec.deviceChange
    assert (str(change.operation), change.device.key) == ("edit", 2000)
    assert (change.device.capacityInKB, change.device.capacityInBytes) == (20 * GB_IN_KB, 20 * GB_IN_KB * 1024)


def test_a_disk_that_would_have_to_shrink_is_the_users_move(intent: Intent, definition: VsphereInstance) -> None:
    with pytest.raises(TerminalError, match="has 40 GiB; ask for at least that, not 20"):
        bodies.hardware(intent, definition, config(intent, disk=40), NETWORK)


def test_a_template_without_a_disk_cannot_be_used(intent: Intent, definition: VsphereInstance) -> None:
    with pytest.raises(TerminalError, match="NoDisk"):
        bodies.hardware(intent, definition, config(intent, disk=0), NETWORK)


def test_the_first_card_is_moved_to_the_network(intent: Intent, definition: VsphereInstance) -> None:
    spec = bodies.hardware(intent, definition, config(intent, network="old"), NETWORK)
    assert spec is not None
    (change,) = spec.deviceChange
    assert (str(change.operation), change.device.key) == ("edit", 4000)
    assert change.device.backing.deviceName == "VM Network"
    assert change.device.connectable.startConnected


def test_a_card_is_added_where_the_template_has_none(intent: Intent, definition: VsphereInstance) -> None:
    spec = bodies.hardware(intent, definition, config(intent, network=""), NETWORK)
    assert spec is not None
    (change,) = spec.deviceChange
    assert str(change.operation) == "add"
    assert isinstance(change.device, vim.vm.device.VirtualVmxnet3)


def test_a_distributed_port_group_is_named_by_key_and_switch(intent: Intent, definition: VsphereInstance) -> None:
    spec = bodies.hardware(intent, definition, config(intent), GROUP)
    assert spec is not None
    port = spec.deviceChange[0].device.backing.port
    assert (port.portgroupKey, port.switchUuid) == ("dvportgroup-9", "50 1f")


def test_no_network_named_leaves_the_templates(intent: Intent, definition: VsphereInstance) -> None:
    assert bodies.hardware(intent, definition, config(intent, network="whatever"), None) is None


def test_marks_that_the_clone_did_not_keep_are_written_again(intent: Intent, definition: VsphereInstance) -> None:
    spec = bodies.hardware(intent, definition, config(intent, note="a golden image"), NETWORK)
    assert spec is not None
    assert marks_of(spec.annotation) == intent.marks
