"""What each managed object says of itself: its properties, built when somebody reads them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
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
from local.simulators.vsphere.machine_properties import Properties, machine_properties, moment
from local.simulators.vsphere.service import content

_SYSTEM_MB: Final = 3_072
"""What a host's own system uses of its memory."""

_WAVE_SECONDS: Final = 900.0
"""How long the load of machines takes to rise and fall, by a fifth of itself."""


def value_of(inventory: Inventory, thing: Thing, path: str) -> Any | None:
    """A property by its path; None where it is unset. Raises InvalidProperty for one that the type does not have."""
    first, *rest = path.split(".")
    build = properties_of(inventory, thing).get(first)
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
    """A list as the array that the property is declared to be."""
    if not isinstance(value, list) or isinstance(value, VmomiSupport.Array):
        return value
    return declared_type(thing, path)(value)


def declared_type(thing: Thing, path: str) -> Any:
    """The type that a property is declared to be of."""
    first, *rest = path.split(".")
    declared: Any = VmomiSupport.GetPropertyInfo(thing.kind, first).type
    for name in rest:
        declared = declared._GetPropertyInfo(name).type
    return declared


def _check_declared(thing: Thing, first: str, path: str) -> None:
    try:
        VmomiSupport.GetPropertyInfo(thing.kind, first)
    except AttributeError:
        raise vmodl.query.InvalidProperty(name=path, msg=f"{path} is no property") from None


def properties_of(inventory: Inventory, thing: Thing) -> Properties:
    """What there is to read of a thing: what builds each property, by name."""
    common: Properties = {}
    if issubclass(thing.kind, vim.ManagedEntity):
        common = {"name": lambda: thing.name, "parent": lambda: inventory.refs([thing.parent])[0]}
    own: Mapping[Any, Callable[[Inventory, Any], Properties]] = {
        Cluster: _cluster,
        Datacenter: _datacenter,
        Datastore: _datastore,
        Host: _host,
        Machine: machine_properties,
        Network: _network,
        Task: _task,
        View: _view,
        Thing: _other,
    }
    return {**common, **own[type(thing)](inventory, thing)}


def _other(inventory: Inventory, thing: Thing) -> Properties:
    if thing.kind is vim.ServiceInstance:
        return {"content": lambda: content(inventory)}
    if thing.kind is vim.TaskManager:
        return {"recentTask": lambda: [task.ref() for task in inventory.all(Task)]}
    if thing.kind is vim.Folder:
        return {"childEntity": lambda: [child.ref() for child in inventory.children(thing.id)]}
    return {}


def _view(inventory: Inventory, view: View) -> Properties:
    return {"view": lambda: inventory.refs([it for it in view.members if inventory.find(it)])}


def _datacenter(inventory: Inventory, datacenter: Datacenter) -> Properties:
    return {
        "vmFolder": lambda: inventory.refs([datacenter.machine_folder])[0],
        "hostFolder": lambda: inventory.refs([datacenter.host_folder])[0],
    }


def _cluster(inventory: Inventory, cluster: Cluster) -> Properties:
    drs = vim.cluster.DrsConfigInfo(
        enabled=cluster.drs, defaultVmBehavior="fullyAutomated" if cluster.drs else "manual"
    )
    return {
        "resourcePool": lambda: inventory.refs([cluster.pool])[0],
        "host": lambda: inventory.refs(cluster.hosts),
        "datastore": lambda: inventory.refs(cluster.datastores),
        "network": lambda: inventory.refs(cluster.networks),
        "configurationEx": lambda: vim.cluster.ConfigInfoEx(dasConfig=vim.cluster.DasConfigInfo(), drsConfig=drs),
    }


def _host(inventory: Inventory, host: Host) -> Properties:
    return {
        "datastore": lambda: inventory.refs(host.datastores),
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


def _datastore(inventory: Inventory, datastore: Datastore) -> Properties:
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


def _network(inventory: Inventory, network: Network) -> Properties:
    if network.kind is vim.DistributedVirtualSwitch:
        return {"uuid": lambda: network.uuid}
    if network.switch is None:
        return {}
    return {
        "tag": lambda: [vim.Tag(key="SYSTEM/DVS.UPLINKPG")] if network.uplink else [],
        "key": lambda: network.id,
        "config": lambda: vim.dvs.DistributedVirtualPortgroup.ConfigInfo(
            key=network.id,
            name=network.name,
            numPorts=8,
            distributedVirtualSwitch=inventory.refs([network.switch])[0],
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


def _task(inventory: Inventory, task: Task) -> Properties:
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
