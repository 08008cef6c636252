"""What a simulated virtual machine says of itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from pyVmomi import vim

from local.simulators.vsphere.inventory import GB, Inventory, Machine, Network

Properties = Mapping[str, Callable[[], Any]]
"""How each property is built, by name."""


def moment(seconds: float) -> datetime:
    """A moment as the API says it."""
    return datetime.fromtimestamp(seconds, UTC)


def machine_properties(inventory: Inventory, machine: Machine) -> Properties:
    """How each property of a machine is built; it has no configuration until it is finished."""
    properties: dict[str, Callable[[], Any]] = {
        "resourcePool": lambda: None if machine.template else inventory.refs([machine.pool])[0],
        "datastore": lambda: inventory.refs([machine.datastore]),
        "runtime": lambda: _runtime(inventory, machine),
    }
    if machine.finished:
        properties |= {
            "config": lambda: _config(inventory, machine),
            "summary": lambda: _machine_summary(inventory, machine),
            "storage": lambda: _storage(inventory, machine),
        }
    return properties


def _runtime(inventory: Inventory, machine: Machine) -> Any:
    return vim.vm.RuntimeInfo(
        host=inventory.refs([machine.host])[0],
        connectionState="connected",
        powerState="poweredOn" if machine.on else "poweredOff",
        faultToleranceState="notConfigured",
        toolsInstallerMounted=False,
        numMksConnections=0,
        recordReplayState="inactive",
        consolidationNeeded=False,
    )


def _config(inventory: Inventory, machine: Machine) -> Any:
    return vim.vm.ConfigInfo(
        changeVersion="1",
        modified=moment(machine.created_at),
        name=machine.name,
        guestFullName="Other Linux (64-bit)",
        version="vmx-19",
        uuid=machine.uuid,
        instanceUuid=machine.uuid,
        template=machine.template,
        guestId="otherLinux64Guest",
        alternateGuestName="",
        annotation=machine.annotation,
        createDate=moment(machine.created_at),
        files=vim.vm.FileInfo(vmPathName=f"[{machine.datastore}] {machine.name}/{machine.name}.vmx"),
        flags=vim.vm.FlagInfo(),
        defaultPowerOps=vim.vm.DefaultPowerOpInfo(),
        hardware=vim.vm.VirtualHardware(
            numCPU=machine.cpu,
            numCoresPerSocket=1,
            memoryMB=machine.memory_mb,
            device=_devices(inventory, machine),
        ),
    )


def _devices(inventory: Inventory, machine: Machine) -> list[Any]:
    size = machine.disk_gb * GB
    disk = vim.vm.device.VirtualDisk(
        key=2000,
        controllerKey=1000,
        unitNumber=0,
        capacityInKB=size >> 10,
        capacityInBytes=size,
        backing=vim.vm.device.VirtualDisk.FlatVer2BackingInfo(
            fileName=f"[{machine.datastore}] {machine.name}/{machine.name}.vmdk",
            diskMode="persistent",
            thinProvisioned=True,
            datastore=inventory.refs([machine.datastore])[0],
        ),
    )
    if machine.network is None:
        return [disk]
    return [disk, vim.vm.device.VirtualVmxnet3(key=4000, backing=_card(inventory, machine.network))]


def _card(inventory: Inventory, network_id: str) -> Any:
    network = inventory.get(Network, network_id)
    ethernet = vim.vm.device.VirtualEthernetCard
    if network.switch is None:
        return ethernet.NetworkBackingInfo(deviceName=network.name, network=network.ref())
    port = vim.dvs.PortConnection(
        portgroupKey=network.id, switchUuid=inventory.get(Network, network.switch).uuid, portKey="1"
    )
    return ethernet.DistributedVirtualPortBackingInfo(port=port)


def _machine_summary(inventory: Inventory, machine: Machine) -> Any:
    return vim.vm.Summary(
        vm=machine.ref(),
        runtime=_runtime(inventory, machine),
        config=vim.vm.Summary.ConfigSummary(
            name=machine.name,
            template=machine.template,
            vmPathName=f"[{machine.datastore}] {machine.name}/{machine.name}.vmx",
            memorySizeMB=machine.memory_mb,
            numCpu=machine.cpu,
            annotation=machine.annotation,
            instanceUuid=machine.uuid,
        ),
        quickStats=vim.vm.Summary.QuickStats(guestHeartbeatStatus="gray"),
        overallStatus="green",
    )


def _storage(inventory: Inventory, machine: Machine) -> Any:
    committed = machine.disk_gb * GB // 2
    usage_here = vim.vm.StorageInfo.UsageOnDatastore(
        datastore=inventory.refs([machine.datastore])[0],
        committed=committed,
        uncommitted=machine.disk_gb * GB - committed,
        unshared=committed,
    )
    return vim.vm.StorageInfo(perDatastoreUsage=[usage_here], timestamp=moment(inventory.now))
