"""All that a simulated vCenter holds, by managed object id, brought up to the moment whenever somebody asks."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pyVmomi import vim, vmodl

from local.simulators.vsphere.settings import VsphereSettings

GB = 1 << 30


@dataclass
class Thing:
    """Something that has an id; `kind` is its type in the API, and moments are Unix seconds."""

    id: str
    kind: Any
    name: str = ""
    parent: str | None = None
    created_at: float = 0.0

    def ref(self) -> Any:
        """The reference by which the API names it."""
        return self.kind(self.id, None)


@dataclass
class Datacenter(Thing):
    """A datacenter, whose folders are made with it."""

    machine_folder: str = ""
    host_folder: str = ""


@dataclass
class Cluster(Thing):
    """A cluster, with the ids of what it consists of."""

    pool: str = ""
    drs: bool = False
    hosts: list[str] = field(default_factory=list)
    datastores: list[str] = field(default_factory=list)
    networks: list[str] = field(default_factory=list)


@dataclass
class Host(Thing):
    """A host and what it mounts."""

    cores: int = 0
    mhz: int = 0
    memory_mb: int = 0
    maintenance: bool = False
    connected: bool = True
    datastores: list[str] = field(default_factory=list)

    @property
    def usable(self) -> bool:
        """Whether it takes machines."""
        return self.connected and not self.maintenance


@dataclass
class Datastore(Thing):
    """A datastore; what is free follows from the machines on it."""

    capacity_gb: int = 0
    accessible: bool = True
    maintenance: bool = False


@dataclass
class Network(Thing):
    """A network; `switch` is the id of the distributed switch that it is a port group of, or its own uplinks."""

    switch: str | None = None
    uplink: bool = False
    uuid: str = ""


@dataclass
class Machine(Thing):
    """A virtual machine or template, busy with one task at a time; until it is `finished` it has no configuration."""

    uuid: str = ""
    annotation: str = ""
    host: str = ""
    pool: str = ""
    datastore: str = ""
    network: str | None = None
    cpu: int = 1
    memory_mb: int = 1024
    disk_gb: int = 10
    on: bool = False
    template: bool = False
    finished: bool = True
    load: float = 0.3
    busy_with: str = ""


@dataclass
class Task(Thing):
    """Something that was begun; it ends at `done_at`, with `fault` if there is one."""

    description: str = ""
    entity: str = ""
    entity_name: str = ""
    user: str = ""
    activation_id: str | None = None
    started_at: float = 0.0
    done_at: float = 0.0
    fault: Any = None
    result: Any = None

    def state(self, now: float) -> str:
        """How far it is, in the API's words."""
        if now < self.started_at:
            return "queued"
        if now < self.done_at:
            return "running"
        return "error" if self.fault is not None else "success"


@dataclass
class View(Thing):
    """A container view: what was in the container when somebody looked."""

    members: list[str] = field(default_factory=list)


T = TypeVar("T", bound=Thing)


class Inventory:
    """Everything by id; `now` is the moment that it was brought up to."""

    def __init__(self, settings: VsphereSettings) -> None:
        self.settings = settings
        self.now = 0.0
        self._things: dict[str, Thing] = {}
        self._effects: list[tuple[float, int, Callable[[], object]]] = []
        self._count = 100

    def settle(self, now: float) -> None:
        """Let everything that has become due by `now` happen, in order."""
        while self._effects and self._effects[0][0] <= now:
            self.now = self._effects[0][0]
            heapq.heappop(self._effects)[2]()
        self.now = now

    def at(self, moment: float, effect: Callable[[], object]) -> None:
        """Have something happen at a moment."""
        heapq.heappush(self._effects, (moment, self._next(), effect))

    def new_id(self, prefix: str) -> str:
        """An id that nothing else has."""
        return f"{prefix}-{self._next()}"

    def add(self, thing: T) -> T:
        """Put something in."""
        self._things[thing.id] = thing
        return thing

    def drop(self, thing: Thing) -> None:
        """Take something out; it may be gone already."""
        self._things.pop(thing.id, None)

    def find(self, id_: str) -> Thing | None:
        """What has that id."""
        return self._things.get(id_)

    def get(self, kind: type[T], id_: str) -> T:
        """What has that id; raises ManagedObjectNotFound."""
        thing = self._things.get(id_)
        if not isinstance(thing, kind):
            raise vmodl.fault.ManagedObjectNotFound(obj=vim.ManagedEntity(id_, None), msg=f"{id_} is not there.")
        return thing

    def all(self, kind: type[T]) -> Iterator[T]:
        """Everything of a kind, in the order in which it came."""
        return (thing for thing in list(self._things.values()) if isinstance(thing, kind))

    def refs(self, ids: Sequence[str | None]) -> list[Any]:
        """References to what has those ids; None for what there is not."""
        things = [self._things.get(id_) if id_ else None for id_ in ids]
        return [thing.ref() if thing else None for thing in things]

    def children(self, folder: str) -> list[Thing]:
        """What is directly in a folder."""
        return [it for it in self._things.values() if it.parent == folder]

    def named(self, kind: type[T], name: str) -> T:
        """The first of a kind with that name; raises KeyError."""
        for thing in self.all(kind):
            if thing.name == name:
                return thing
        raise KeyError(name)

    def cluster_of(self, host: str) -> Cluster:
        """The cluster that a host belongs to."""
        return next(it for it in self.all(Cluster) if host in it.hosts)

    def used_gb(self, datastore: str) -> int:
        """What the machines on a datastore take, their disks counted in full."""
        return sum(it.disk_gb for it in self.all(Machine) if it.datastore == datastore)

    def configured_mb(self, host: str) -> int:
        """The memory of the machines that are on, on a host."""
        return sum(it.memory_mb for it in self.all(Machine) if it.host == host and it.on)

    def _next(self) -> int:
        self._count += 1
        return self._count
