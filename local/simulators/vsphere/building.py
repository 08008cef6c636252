"""From the description of a vCenter to its inventory."""

from __future__ import annotations

import uuid
from typing import Any, Final

from pyVmomi import vim, vmodl

from local.simulators.vsphere.inventory import (
    Cluster,
    Datacenter,
    Datastore,
    Host,
    Inventory,
    Machine,
    Network,
    Thing,
)
from local.simulators.vsphere.settings import (
    ClusterSpec,
    DatacenterSpec,
    HostSpec,
    MachineSpec,
    NetworkSpec,
    VsphereSettings,
)

ROOT: Final = "group-d1"
SINGLETONS: Final[dict[str, Any]] = {
    "ServiceInstance": vim.ServiceInstance,
    "SessionManager": vim.SessionManager,
    "ViewManager": vim.view.ViewManager,
    "propertyCollector": vmodl.query.PropertyCollector,
    "SearchIndex": vim.SearchIndex,
    "TaskManager": vim.TaskManager,
}
"""What every vCenter has once, by id."""

_IDS: Final = uuid.UUID("0d8ad6ac-4f3f-5b0e-8a39-7a0d3c1b9f10")


def build(settings: VsphereSettings) -> Inventory:
    """An inventory with everything that the settings describe."""
    inventory = Inventory(settings)
    for id_, kind in SINGLETONS.items():
        inventory.add(Thing(id_, kind, id_))
    inventory.add(Thing(ROOT, vim.Folder, "Datacenters"))
    for spec in settings.datacenters:
        _add_datacenter(inventory, spec)
    return inventory


def _add_datacenter(inventory: Inventory, spec: DatacenterSpec) -> None:
    datacenter = Datacenter(inventory.new_id("datacenter"), vim.Datacenter, spec.name, ROOT)
    inventory.add(datacenter)
    datacenter.machine_folder = _folder(inventory, "vm", datacenter.id, "group-v")
    datacenter.host_folder = _folder(inventory, "host", datacenter.id, "group-h")
    for name in spec.folders:
        _folder(inventory, name, datacenter.machine_folder, "group-v")
    stores = {
        it.name: inventory.add(
            Datastore(
                inventory.new_id("datastore"),
                vim.Datastore,
                it.name,
                capacity_gb=it.capacity_gb,
                accessible=it.accessible,
                maintenance=it.maintenance,
            )
        )
        for it in spec.datastores
    }
    networks = {it.name: _add_network(inventory, it) for it in spec.networks}
    for cluster in spec.clusters:
        _add_cluster(inventory, datacenter, cluster, stores, networks)
    for machine in spec.machines:
        _add_machine(inventory, datacenter, machine, networks)


def _folder(inventory: Inventory, name: str, parent: str, prefix: str) -> str:
    return inventory.add(Thing(inventory.new_id(prefix), vim.Folder, name, parent)).id


def _add_network(inventory: Inventory, spec: NetworkSpec) -> Network:
    if not spec.distributed:
        return inventory.add(Network(inventory.new_id("network"), vim.Network, spec.name))
    switch = Network(inventory.new_id("dvs"), vim.DistributedVirtualSwitch, f"switch of {spec.name}")
    switch.uuid = str(uuid.uuid5(_IDS, switch.id))
    inventory.add(switch)
    uplinks = f"uplinks of {spec.name}"
    inventory.add(
        Network(
            inventory.new_id("dvportgroup"), vim.dvs.DistributedVirtualPortgroup, uplinks, switch=switch.id, uplink=True
        )
    )
    group = Network(inventory.new_id("dvportgroup"), vim.dvs.DistributedVirtualPortgroup, spec.name, switch=switch.id)
    return inventory.add(group)


def _add_cluster(
    inventory: Inventory,
    datacenter: Datacenter,
    spec: ClusterSpec,
    stores: dict[str, Datastore],
    networks: dict[str, Network],
) -> None:
    cluster = Cluster(inventory.new_id("domain-c"), vim.ClusterComputeResource, spec.name, datacenter.host_folder)
    inventory.add(cluster)
    cluster.drs = spec.drs
    cluster.pool = inventory.add(Thing(inventory.new_id("resgroup"), vim.ResourcePool, "Resources", cluster.id)).id
    cluster.datastores = [stores[name].id for name in spec.datastores]
    cluster.networks = [networks[name].id for name in spec.networks]
    switches = {networks[name].switch for name in spec.networks}
    cluster.networks += [it.id for it in inventory.all(Network) if it.uplink and it.switch in switches]
    for host in spec.hosts:
        _add_host(inventory, cluster, host, [stores[name].id for name in spec.datastores])


def _add_host(inventory: Inventory, cluster: Cluster, spec: HostSpec, shared: list[str]) -> None:
    host = Host(
        inventory.new_id("host"),
        vim.HostSystem,
        spec.name,
        cluster.id,
        cores=spec.cores,
        mhz=spec.mhz,
        memory_mb=spec.memory_gb * 1024,
        maintenance=spec.maintenance,
        connected=spec.connected,
        datastores=list(shared),
    )
    if spec.local_datastore_gb:
        name = f"local of {spec.name}"
        local = Datastore(inventory.new_id("datastore"), vim.Datastore, name, capacity_gb=spec.local_datastore_gb)
        host.datastores.append(inventory.add(local).id)
        cluster.datastores.append(local.id)
    cluster.hosts.append(inventory.add(host).id)


def _add_machine(inventory: Inventory, datacenter: Datacenter, spec: MachineSpec, networks: dict[str, Network]) -> None:
    host = inventory.named(Host, spec.host)
    id_ = inventory.new_id("vm")
    inventory.add(
        Machine(
            id_,
            vim.VirtualMachine,
            spec.name,
            datacenter.machine_folder,
            uuid=str(uuid.uuid5(_IDS, id_)),
            annotation=spec.annotation,
            host=host.id,
            pool=inventory.cluster_of(host.id).pool,
            datastore=inventory.named(Datastore, spec.datastore).id,
            network=next(iter(networks.values())).id,
            cpu=spec.cpu,
            memory_mb=spec.memory_gb * 1024,
            disk_gb=spec.disk_gb,
            on=spec.on and not spec.template,
            template=spec.template,
            load=spec.load,
        )
    )
