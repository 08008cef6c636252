"""What each managed object says of itself: its properties, built when somebody reads them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from pyVmomi import VmomiSupport, vim, vmodl

from local.simulators.vsphere.inventory import (
    GB,
    Cluster,
    Datacenter,
    Datastore,
    Host,
    Inventory,
    Machine,
    Network,
    Task,
    Thing,
    View,
)

_Properties = Mapping[str, Callable[[], Any]]

_SYSTEM_MB: Final = 3_072
"""What a host's own system uses of its memory."""

_WAVE_SECONDS: Final = 900.0
"""How long the load of machines takes to rise and fall, by a fifth of itself."""


def value_of(inventory: Inventory, thing: Thing, path: str) -> Any | None:
    """A property by its path; None where it is unset. Raises InvalidProperty for one that the type does not have."""
    first, *rest = path.split(".")
    build = _properties(inventory, thing).get(first)
    if build is None:
        _check_declared(thing, first, path)
        return None
    value = build()
    for name in rest:
        if value is None:
            return None
        try:
            value = getattr(value, name)
        except AttributeError:
            raise vmodl.query.InvalidProperty(name=path, msg=f"{path} is no property") from None
    return value


def typed(thing: Thing, path: str, value: Any) -> Any:
    """A list of references as the array that the property is declared to be."""
    if not isinstance(value, list) or isinstance(value, VmomiSupport.Array):
        return value
    declared: Any = VmomiSupport.GetPropertyInfo(thing.kind, path).type
    return declared(value)


def moment(seconds: float) -> datetime:
    """A moment as the API says it."""
    return datetime.fromtimestamp(seconds, UTC)


def _check_declared(thing: Thing, first: str, path: str) -> None:
    try:
        VmomiSupport.GetPropertyInfo(thing.kind, first)
    except AttributeError:
        raise vmodl.query.InvalidProperty(name=path, msg=f"{path} is no property") from None


def _properties(inventory: Inventory, thing: Thing) -> _Properties:
    common = {"name": lambda: thing.name, "parent": lambda: _refs(inventory, [thing.parent])[0]}
    own: Mapping[Any, Callable[[Inventory, Any], _Properties]] = {
        Cluster: _cluster,
        Datacenter: _datacenter,
        Datastore: _datastore,
        Host: _host,
        Machine: _machine,
        Network: _network,
        Task: _task,
        View: _view,
        Thing: _other,
    }
    return {**common, **own[type(thing)](inventory, thing)}


def _other(inventory: Inventory, thing: Thing) -> _Properties:
    if thing.kind is vim.TaskManager:
        return {"recentTask": lambda: [task.ref() for task in inventory.all(Task)]}
    if thing.kind is vim.Folder:
        return {"childEntity": lambda: [child.ref() for child in inventory.children(thing.id)]}
    return {}


def _view(inventory: Inventory, view: View) -> _Properties:
    return {"view": lambda: _refs(inventory, [it for it in view.members if inventory.find(it)])}


def _datacenter(inventory: Inventory, datacenter: Datacenter) -> _Properties:
    return {
        "vmFolder": lambda: _refs(inventory, [datacenter.machine_folder])[0],
        "hostFolder": lambda: _refs(inventory, [datacenter.host_folder])[0],
    }


def _cluster(inventory: Inventory, cluster: Cluster) -> _Properties:
    drs = vim.cluster.DrsConfigInfo(
        enabled=cluster.drs, defaultVmBehavior="fullyAutomated" if cluster.drs else "manual"
    )
    return {
        "resourcePool": lambda: _refs(inventory, [cluster.pool])[0],
        "host": lambda: _refs(inventory, cluster.hosts),
        "datastore": lambda: _refs(inventory, cluster.datastores),
        "network": lambda: _refs(inventory, cluster.networks),
        "configurationEx": lambda: vim.cluster.ConfigInfoEx(dasConfig=vim.cluster.DasConfigInfo(), drsConfig=drs),
    }


def _host(inventory: Inventory, host: Host) -> _Properties:
    return {
        "datastore": lambda: _refs(inventory, host.datastores),
        "vm": lambda: [it.ref() for it in inventory.all(Machine) if it.host == host.id],
        "runtime": lambda: vim.host.RuntimeInfo(
            connectionState="connected" if host.connected else "notResponding",
            powerState="poweredOn" if host.connected else "unknown",
            inMaintenanceMode=host.maintenance,
            inQuarantineMode=False,
        ),
        "summary": lambda: _host_summary(inventory, host),
    }


def _host_summary(inventory: Inventory, host: Host) -> Any:
    cpu, memory = usage(inventory, host)
    return vim.host.Summary(
        hardware=vim.host.Summary.HardwareSummary(
            vendor="skysaga",
            model="simulated",
            uuid=host.id,
            memorySize=host.memory_mb << 20,
            cpuModel="simulated",
            cpuMhz=host.mhz,
            numCpuPkgs=2,
            numCpuCores=host.cores,
            numCpuThreads=host.cores * 2,
            numNics=2,
            numHBAs=2,
        ),
        quickStats=vim.host.Summary.QuickStats(overallCpuUsage=cpu, overallMemoryUsage=memory),
        overallStatus="green" if host.connected else "red",
        rebootRequired=False,
        config=vim.host.Summary.ConfigSummary(
            name=host.name, port=443, faultToleranceEnabled=False, vmotionEnabled=True
        ),
    )


def usage(inventory: Inventory, host: Host) -> tuple[int | None, int | None]:
    """The MHz and MiB that a host's machines use now; nothing is known of one that is not connected."""
    if not host.connected:
        return None, None
    running = [it for it in inventory.all(Machine) if it.host == host.id and it.on]
    wave = 1 + 0.2 * math.sin(2 * math.pi * inventory.now / _WAVE_SECONDS)
    mhz = sum(it.cpu * host.mhz / 2 * it.load for it in running) * wave
    memory = _SYSTEM_MB + sum(it.memory_mb * it.load for it in running) * wave
    return min(int(mhz), host.cores * host.mhz), min(int(memory), host.memory_mb)


def _datastore(inventory: Inventory, datastore: Datastore) -> _Properties:
    def summary() -> Any:
        free = datastore.capacity_gb - inventory.used_gb(datastore.id)
        return vim.Datastore.Summary(
            datastore=datastore.ref(),
            name=datastore.name,
            url=f"ds:///vmfs/volumes/{datastore.id}/",
            capacity=datastore.capacity_gb * GB,
            freeSpace=max(free, 0) * GB,
            accessible=datastore.accessible,
            multipleHostAccess=True,
            type="VMFS",
            maintenanceMode="inMaintenance" if datastore.maintenance else "normal",
        )

    return {
        "summary": summary,
        "vm": lambda: [it.ref() for it in inventory.all(Machine) if it.datastore == datastore.id],
    }


def _network(inventory: Inventory, network: Network) -> _Properties:
    if network.kind is vim.DistributedVirtualSwitch:
        return {"uuid": lambda: network.uuid}
    if network.switch is None:
        return {}
    return {
        "key": lambda: network.id,
        "config": lambda: vim.dvs.DistributedVirtualPortgroup.ConfigInfo(
            key=network.id,
            name=network.name,
            numPorts=8,
            distributedVirtualSwitch=_refs(inventory, [network.switch])[0],
            type="earlyBinding",
            policy=vim.dvs.DistributedVirtualPortgroup.PortgroupPolicy(
                blockOverrideAllowed=True,
                shapingOverrideAllowed=False,
                vendorConfigOverrideAllowed=False,
                livePortMovingAllowed=False,
                portConfigResetAtDisconnect=True,
            ),
        ),
    }


def _machine(inventory: Inventory, machine: Machine) -> _Properties:
    properties: dict[str, Callable[[], Any]] = {
        "resourcePool": lambda: None if machine.template else _refs(inventory, [machine.pool])[0],
        "datastore": lambda: _refs(inventory, [machine.datastore]),
        "runtime": lambda: vim.vm.RuntimeInfo(
            host=_refs(inventory, [machine.host])[0],
            connectionState="connected",
            powerState="poweredOn" if machine.on else "poweredOff",
            toolsInstallerMounted=False,
            numMksConnections=0,
        ),
    }
    if machine.finished:
        properties |= {
            "config": lambda: config_of(inventory, machine),
            "summary": lambda: _machine_summary(machine),
            "storage": lambda: _storage(inventory, machine),
        }
    return properties


def config_of(inventory: Inventory, machine: Machine) -> Any:
    """A machine's whole configuration."""
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
            datastore=_refs(inventory, [machine.datastore])[0],
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


def _machine_summary(machine: Machine) -> Any:
    return vim.vm.Summary(
        vm=machine.ref(),
        runtime=vim.vm.RuntimeInfo(
            connectionState="connected",
            powerState="poweredOn" if machine.on else "poweredOff",
            toolsInstallerMounted=False,
            numMksConnections=0,
        ),
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
        datastore=_refs(inventory, [machine.datastore])[0],
        committed=committed,
        uncommitted=machine.disk_gb * GB - committed,
        unshared=committed,
    )
    return vim.vm.StorageInfo(perDatastoreUsage=[usage_here], timestamp=moment(inventory.now))


def _task(inventory: Inventory, task: Task) -> _Properties:
    return {"info": lambda: _task_info(inventory, task)}


def _task_info(inventory: Inventory, task: Task) -> Any:
    state = task.state(inventory.now)
    entity = inventory.find(task.entity)
    info = vim.TaskInfo(
        key=task.id,
        task=task.ref(),
        name=None,
        descriptionId=task.description,
        entity=entity.ref() if entity else None,
        entityName=task.entity_name,
        state=state,
        cancelled=False,
        cancelable=state == "queued",
        reason=vim.TaskReasonUser(userName=task.user),
        queueTime=moment(task.created_at),
        eventChainId=1,
        activationId=task.activation_id,
    )
    if state != "queued":
        info.startTime = moment(task.started_at)
    if state in ("success", "error"):
        info.completeTime = moment(task.done_at)
    if state == "error":
        info.error = task.fault
    elif state == "success":
        info.result = task.result
    return info


def _refs(inventory: Inventory, ids: Sequence[str | None]) -> list[Any]:
    things = [inventory.find(id_) if id_ else None for id_ in ids]
    return [thing.ref() if thing else None for thing in things]
