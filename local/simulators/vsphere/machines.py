"""Virtual machines: CloneVM_Task, ReconfigVM_Task, PowerOnVM_Task, PowerOffVM_Task and Destroy_Task.

A clone waits in a queue, where it is nowhere in the inventory; then it is there without a configuration, then ready.
Whatever else has the machine, a second task on it is refused with TaskInProgress; what cannot be in its power state
ends the task, as does a name that is taken.
"""

from __future__ import annotations

import uuid
from typing import Any

from pyVmomi import vim, vmodl

from local.simulators.vsphere.inventory import Cluster, Datastore, Host, Inventory, Machine, Network, Task, Thing
from local.simulators.vsphere.tasks import Change, Work, begin, too_little_memory


def clone(inventory: Inventory, source: Machine, arguments: dict[str, Any], change: Change) -> Task:
    """Begin to clone a machine or template."""
    folder = inventory.get(Thing, arguments["folder"]._GetMoId())
    name, spec = arguments["name"], arguments["spec"]
    cluster = _cluster(inventory, spec.location.pool)
    config = spec.config or vim.vm.ConfigSpec()
    made = Machine(
        inventory.new_id("vm"),
        vim.VirtualMachine,
        name,
        folder.id,
        uuid=config.instanceUuid or str(uuid.uuid4()),
        annotation=config.annotation if config.annotation is not None else source.annotation,
        host=_host(inventory, cluster, spec.location.host),
        pool=cluster.pool,
        datastore=spec.location.datastore._GetMoId() if spec.location.datastore else source.datastore,
        network=source.network,
        cpu=source.cpu,
        memory_mb=source.memory_mb,
        disk_gb=source.disk_gb,
        finished=False,
    )

    def appear() -> None:
        _check_name(inventory, folder, name)
        _check_datastore(inventory, made, made.disk_gb)
        made.created_at = inventory.now
        inventory.add(made)

    def finish() -> Any:
        made.finished = True
        made.on = bool(spec.powerOn)
        return made.ref()

    settings = inventory.settings
    work = Work(finish, settings.clone, appear, lambda: inventory.drop(made), settings.clone_queued)
    task = begin(inventory, "VirtualMachine.clone", source, change, work)
    made.busy_with = task.id
    return task


def reconfigure(inventory: Inventory, machine: Machine, arguments: dict[str, Any], change: Change) -> Task:
    """Begin to change a machine's processors, memory, boot disk, network or note."""
    spec = arguments["spec"]

    def check() -> None:
        if machine.on and (spec.numCPUs or spec.memoryMB):
            raise _wrong_power("poweredOff", machine)

    def apply() -> None:
        for device in spec.deviceChange:
            _change_device(inventory, machine, device.device)
        machine.cpu = spec.numCPUs or machine.cpu
        machine.memory_mb = spec.memoryMB or machine.memory_mb
        machine.annotation = spec.annotation if spec.annotation is not None else machine.annotation

    work = Work(apply, inventory.settings.reconfigure, check)
    return _exclusively(inventory, "VirtualMachine.reconfigure", machine, change, work)


def power_on(inventory: Inventory, machine: Machine, change: Change) -> Task:
    """Begin to switch a machine on; DRS may choose it another host first."""

    def check() -> None:
        if machine.on:
            raise _wrong_power("poweredOff", machine)
        machine.host = _host_with_room(inventory, machine)

    def switch() -> None:
        machine.on = True

    work = Work(switch, inventory.settings.power_on, check)
    return _exclusively(inventory, "VirtualMachine.powerOn", machine, change, work)


def power_off(inventory: Inventory, machine: Machine, change: Change) -> Task:
    """Begin to switch a machine off."""

    def check() -> None:
        if not machine.on:
            raise _wrong_power("poweredOn", machine)

    def switch() -> None:
        machine.on = False

    work = Work(switch, inventory.settings.power_off, check)
    return _exclusively(inventory, "VirtualMachine.powerOff", machine, change, work)


def destroy(inventory: Inventory, machine: Machine, change: Change) -> Task:
    """Begin to destroy a machine with its disks."""

    def check() -> None:
        if machine.on:
            raise _wrong_power("poweredOff", machine)

    work = Work(lambda: inventory.drop(machine), inventory.settings.destroy, check)
    return _exclusively(inventory, "VirtualMachine.destroy", machine, change, work)


def _exclusively(inventory: Inventory, description: str, machine: Machine, change: Change, work: Work) -> Task:
    host = inventory.get(Host, machine.host)
    if not host.connected:
        raise vmodl.fault.HostNotConnected(msg="Unable to communicate with the remote host, since it is disconnected.")
    other = inventory.find(machine.busy_with)
    if isinstance(other, Task) and inventory.now < other.done_at:
        raise vim.fault.TaskInProgress(task=other.ref(), msg="Another task is already in progress.")
    task = begin(inventory, description, machine, change, work)
    machine.busy_with = task.id
    return task


def _cluster(inventory: Inventory, pool: Any) -> Cluster:
    """The cluster of a resource pool; a template has none of its own to fall back on."""
    for cluster in inventory.all(Cluster):
        if pool is not None and cluster.pool == pool._GetMoId():
            return cluster
    raise _incorrect("spec.location.pool")


def _host(inventory: Inventory, cluster: Cluster, wanted: Any) -> str:
    if wanted is None:
        if not cluster.drs:
            raise _incorrect("spec.location.host")
        usable = [it for it in (inventory.get(Host, id_) for id_ in cluster.hosts) if it.usable]
        if not usable:
            raise vim.fault.NoActiveHostInCluster(computeResource=cluster.ref(), msg="No host is usable.")
        return min(usable, key=lambda it: inventory.configured_mb(it.id)).id
    host = inventory.get(Host, wanted._GetMoId())
    if host.id not in cluster.hosts:
        raise _incorrect("spec.location.host")
    if not host.connected:
        raise vmodl.fault.HostNotConnected(msg="Unable to communicate with the remote host, since it is disconnected.")
    if host.maintenance:
        raise vim.fault.InvalidHostState(host=host.ref(), msg="The host is in maintenance.")
    return host.id


def _host_with_room(inventory: Inventory, machine: Machine) -> str:
    cluster = inventory.cluster_of(machine.host)
    candidates = cluster.hosts if cluster.drs else [machine.host]
    usable = [it for it in (inventory.get(Host, id_) for id_ in candidates) if it.usable]
    if not usable:
        raise vim.fault.InvalidHostState(msg="The host is in maintenance.")
    overcommit = inventory.settings.memory_overcommit
    room = {it.id: int(it.memory_mb * overcommit) - inventory.configured_mb(it.id) for it in usable}
    best = max(room, key=lambda id_: (room[id_], id_ == machine.host))
    if room[best] < machine.memory_mb:
        raise too_little_memory(room[best], machine.memory_mb)
    return best


def _check_name(inventory: Inventory, folder: Thing, name: str) -> None:
    for other in inventory.children(folder.id):
        if other.name == name:
            message = f"The name '{name}' already exists."
            raise vim.fault.DuplicateName(name=name, object=other.ref(), msg=message)


def _check_datastore(inventory: Inventory, machine: Machine, more_gb: int) -> None:
    datastore = inventory.get(Datastore, machine.datastore)
    if machine.datastore not in inventory.get(Host, machine.host).datastores or not datastore.accessible:
        raise vim.fault.InaccessibleDatastore(
            datastore=datastore.ref(), name=datastore.name, msg="The datastore is not accessible."
        )
    if inventory.used_gb(datastore.id) + more_gb > datastore.capacity_gb:
        raise vim.fault.NoDiskSpace(
            file=f"[{datastore.name}] {machine.name}", datastore=datastore.name, msg="There is not enough space."
        )


def _change_device(inventory: Inventory, machine: Machine, device: Any) -> None:
    if isinstance(device, vim.vm.device.VirtualDisk):
        size_gb = -(-int(device.capacityInKB) // (1 << 20))
        if size_gb < machine.disk_gb:
            raise vim.fault.InvalidDeviceSpec(deviceIndex=0, property="capacityInKB", msg="A disk cannot shrink.")
        _check_datastore(inventory, machine, size_gb - machine.disk_gb)
        machine.disk_gb = size_gb
    elif isinstance(device, vim.vm.device.VirtualEthernetCard):
        machine.network = _network(inventory, machine, device.backing)
    else:
        raise _incorrect("spec.deviceChange")


def _network(inventory: Inventory, machine: Machine, backing: Any) -> str:
    cluster = inventory.cluster_of(machine.host)
    port = getattr(backing, "port", None)
    for network in (inventory.get(Network, id_) for id_ in cluster.networks):
        if port is not None and network.id == port.portgroupKey:
            return network.id
        if port is None and network.switch is None and network.name == backing.deviceName:
            return network.id
    raise _incorrect("spec.deviceChange.device.backing")


def _wrong_power(wanted: str, machine: Machine) -> Any:
    return vim.fault.InvalidPowerState(
        requestedState=wanted,
        existingState="poweredOn" if machine.on else "poweredOff",
        msg=f"The attempted operation cannot be performed in the current state of {machine.name}.",
    )


def _incorrect(name: str) -> Any:
    return vmodl.fault.InvalidArgument(invalidProperty=name, msg=f"A specified parameter was not correct: {name}")
