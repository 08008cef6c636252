"""What a simulated vCenter consists of from the start, how long its tasks take, and who may sign in."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict


class _Value(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HostSpec(_Value):
    """A host: its cores with two threads each, their MHz, its memory, and what keeps machines away from it."""

    name: str
    cores: int = 16
    mhz: int = 2600
    memory_gb: int = 256
    maintenance: bool = False
    connected: bool = True
    local_datastore_gb: int = 0


class DatastoreSpec(_Value):
    """A datastore that every host of the clusters which name it mounts."""

    name: str
    capacity_gb: int
    accessible: bool = True
    maintenance: bool = False


class NetworkSpec(_Value):
    """A standard network, or a port group of a distributed switch."""

    name: str
    distributed: bool = False


class ClusterSpec(_Value):
    """A cluster; `drs` chooses hosts by itself."""

    name: str
    hosts: tuple[HostSpec, ...]
    datastores: tuple[str, ...]
    networks: tuple[str, ...] = ("VM Network",)
    drs: bool = False


class MachineSpec(_Value):
    """A machine that was there before us, or a template; `load` is the share of its size that it uses when it is on."""

    name: str
    host: str
    datastore: str
    cpu: int = 2
    memory_gb: int = 4
    disk_gb: int = 20
    on: bool = True
    template: bool = False
    load: float = 0.5
    annotation: str = ""


class DatacenterSpec(_Value):
    """A datacenter with its clusters, what they share, and the folders for machines besides its own."""

    name: str
    clusters: tuple[ClusterSpec, ...]
    datastores: tuple[DatastoreSpec, ...]
    networks: tuple[NetworkSpec, ...] = (NetworkSpec(name="VM Network"),)
    folders: tuple[str, ...] = ("skysaga",)
    machines: tuple[MachineSpec, ...] = ()


class VsphereSettings(_Value):
    """A vCenter. Durations are seconds, made short for a demo; what is common in reality stands beside them.

    `users` has each user's accepted passwords: two of them while one is being rotated. `memory_overcommit` is how much
    memory a host lets be configured, against what it has. `keeps_activation_ids` is whether tasks say the token that
    their call brought. `page` is how many objects one answer of the PropertyCollector has at most.
    """

    datacenters: tuple[DatacenterSpec, ...]
    users: Mapping[str, tuple[str, ...]] = {"skysaga@vsphere.local": ("local",)}
    memory_overcommit: float = 1.5
    keeps_activation_ids: bool = True
    page: int = 100
    session_idle: float = 1800.0

    clone_queued: float = 0.5  # minutes, when many are cloned at once
    clone: float = 2.5  # 20 s to 10 minutes
    reconfigure: float = 0.5  # 1 to 3 s
    power_on: float = 1.0  # 2 to 5 s
    power_off: float = 0.5  # 1 to 3 s
    destroy: float = 1.0  # 1 to 5 s
    tasks_kept: float = 600.0  # 10 minutes, as TaskManager.recentTask says
