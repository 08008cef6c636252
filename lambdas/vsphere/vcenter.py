"""One vCenter as we use it: what each method asks, a call or few; pyvmomi's own exceptions leave as they are."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from pyVmomi import vim

from lambdas.core.clusters import ClusterSettings
from lambdas.core.errors import RetryableError, TerminalError
from lambdas.core.marks import marks_of
from lambdas.core.model import MARK_RESOURCE, MARK_SAGA, Intent
from lambdas.vsphere.bodies import MACHINE, Network
from lambdas.vsphere.clients import Session
from lambdas.vsphere.reading import TO_CLUSTERS, TO_MACHINES, Along, Found, read, read_one

_MACHINE_PATHS: Final = ("name", "config.annotation", "config.instanceUuid", "runtime.powerState")
_TASK_PATHS: Final = ("info.state", "info.error")
_RECENT_PATHS: Final = (
    "info.state",
    "info.descriptionId",
    "info.activationId",
    "info.entityName",
    "info.reason",
)
_PENDING: Final = frozenset({"queued", "running"})
_CLONING: Final = "VirtualMachine.clone"


class Place(NamedTuple):
    """Where a cluster's machines go: the cluster itself, its root resource pool, and the folder."""

    cluster: Any
    pool: Any
    folder: Any


class Machine(NamedTuple):
    """A virtual machine; one that is still being cloned has no configuration yet, and says nobody whose it is."""

    ref: Any
    name: str
    finished: bool
    uuid: str
    annotation: str
    power: str

    @property
    def id(self) -> str:
        """Its id in the vCenter, such as `vm-101`."""
        return str(self.ref._GetMoId())

    def is_of(self, intent: Intent) -> bool:
        """Whether it carries the intent's marks, or was made with its token."""
        marks = marks_of(self.annotation)
        marked = (marks.get(MARK_SAGA), marks.get(MARK_RESOURCE)) == (intent.saga_id, intent.resource_id)
        return marked or self.uuid == intent.token(MACHINE)


class Task(NamedTuple):
    """A task that the vCenter still knows: whether it is under way, and the fault that it ended with, if any."""

    id: str
    pending: bool
    fault: Any


class Template(NamedTuple):
    """A template, and the ids of the datastores that it is on."""

    ref: Any
    name: str
    datastores: frozenset[str]


class Vcenter:
    """What there is in a vCenter, and what can be begun there, for one cluster."""

    def __init__(self, session: Session, cluster: ClusterSettings) -> None:
        self.collector: Final[Any] = session.content.propertyCollector
        self._content = session.content
        self._username = session.username
        self._settings = cluster

    @functools.cached_property
    def place(self) -> Place:
        """The cluster and where its machines go; raises TerminalError where the server has no such thing."""
        found = read(
            self.collector,
            self._content.rootFolder,
            TO_CLUSTERS,
            {
                vim.ClusterComputeResource: ("name", "parent", "resourcePool"),
                vim.Folder: ("parent",),
                vim.Datacenter: ("name", "vmFolder"),
            },
        )
        by_id = {it.ref._GetMoId(): it for it in found}
        clusters = [it for it in found if isinstance(it.ref, vim.ClusterComputeResource)]
        here = [(it, _datacenter(it, by_id)) for it in clusters]
        named = [(it, dc) for it, dc in here if self._settings.cluster in _names(it, dc)]
        if len(named) != 1:
            what = "has no cluster" if not named else "has more than one cluster; name its datacenter, too:"
            raise TerminalError("UnknownCluster", f"{self._settings.server} {what} {self._settings.cluster!r}")
        cluster, datacenter = named[0]
        return Place(cluster.ref, cluster.get("resourcePool"), self._folder(datacenter.get("vmFolder")))

    def machine(self, intent: Intent) -> Machine | None:
        """The machine that was made with the intent's token, or else the one that has its name where ours go."""
        ref = self._content.searchIndex.FindByUuid(None, intent.token(MACHINE), True, True)
        found = read_one(self.collector, ref, _MACHINE_PATHS) if ref is not None else None
        if found is None:
            ref = self._content.searchIndex.FindChild(self.place.folder, intent.name)
            found = read_one(self.collector, ref, _MACHINE_PATHS) if isinstance(ref, vim.VirtualMachine) else None
        return _machine(found) if found is not None else None

    def config(self, machine: Machine) -> Any | None:
        """The machine's whole configuration; None where it is gone."""
        found = read_one(self.collector, machine.ref, ("config",))
        return found.get("config") if found is not None else None

    def task(self, handle: str) -> Task | None:
        """The task of that id, unless the vCenter has forgotten it."""
        ref = vim.Task(handle, self._content.taskManager._GetStub())
        found = read_one(self.collector, ref, _TASK_PATHS)
        return Task(handle, found.get("info.state") in _PENDING, found.get("info.error")) if found else None

    def clones(self, intent: Intent) -> list[str]:
        """The ids of the clone tasks under way that are the intent's, by its token."""
        return [
            str(it.ref._GetMoId()) for it in self._clone_tasks if it.get("info.activationId") == intent.token(MACHINE)
        ]

    def unclaimed_clones(self, template: str) -> list[str]:
        """The ids of clone tasks of ours from a template that are queued and do not say what for.

        A queued clone is nowhere in the inventory, and its task names only what it is cloned from; so where a server
        does not keep our tokens, each may be the one whose answer never came. A running one has its place already.
        """
        return [
            str(it.ref._GetMoId())
            for it in self._clone_tasks
            if not it.get("info.activationId")
            and it.get("info.state") == "queued"
            and it.get("info.entityName") == template
            and getattr(it.get("info.reason"), "userName", None) == self._username
        ]

    def templates(self) -> list[Template]:
        """Every template of the vCenter."""
        wanted = {vim.VirtualMachine: ("name", "config.template", "datastore")}
        found = read(self.collector, self._content.rootFolder, TO_MACHINES, wanted)
        return [
            Template(it.ref, str(it.get("name")), frozenset(store._GetMoId() for store in it.get("datastore", ())))
            for it in found
            if it.get("config.template")
        ]

    def network(self, name: str) -> Network:
        """The network of that name among the cluster's; raises TerminalError, naming those that there are."""
        step = Along("networks", vim.ClusterComputeResource, "network")
        networks = read(self.collector, self.place.cluster, (step,), {vim.Network: ("name",)})
        found = next((it for it in networks if it.get("name") == name), None)
        if found is None:
            known = ", ".join(sorted(str(it.get("name")) for it in networks)) or "none"
            raise TerminalError("UnknownNetwork", f"the cluster has no network {name!r}; it has {known}")
        if not isinstance(found.ref, vim.dvs.DistributedVirtualPortgroup):
            return Network(found.ref, name)
        group = read_one(self.collector, found.ref, ("key", "config.distributedVirtualSwitch"))
        switch_ref = group.get("config.distributedVirtualSwitch") if group else None
        switch = read_one(self.collector, switch_ref, ("uuid",)) if switch_ref else None
        if group is None or switch is None:
            raise RetryableError("ManagedObjectNotFound", f"the network {name!r} cannot be read just now")
        return Network(found.ref, name, str(group.get("key")), str(switch.get("uuid")))

    @functools.cached_property
    def _clone_tasks(self) -> list[Found]:
        step = Along("recent", vim.TaskManager, "recentTask")
        found = read(self.collector, self._content.taskManager, (step,), {vim.Task: _RECENT_PATHS})
        return [it for it in found if it.get("info.descriptionId") == _CLONING and it.get("info.state") in _PENDING]

    def _folder(self, root: Any) -> Any:
        folder = root
        for name in filter(None, self._settings.folder.split("/")):
            folder = self._content.searchIndex.FindChild(folder, name)
            if not isinstance(folder, vim.Folder):
                message = f"there is no folder {self._settings.folder!r} for virtual machines in the datacenter"
                raise TerminalError("UnknownFolder", message)
        return folder


def _machine(found: Found) -> Machine:
    uuid = found.get("config.instanceUuid")
    return Machine(
        ref=found.ref,
        name=str(found.get("name", "")),
        finished=uuid is not None,
        uuid=str(uuid or ""),
        annotation=str(found.get("config.annotation", "")),
        power=str(found.get("runtime.powerState", "")),
    )


def _datacenter(cluster: Found, by_id: Mapping[str, Found]) -> Found:
    """The datacenter that a cluster is in, however deep in folders."""
    parent = by_id[cluster.get("parent")._GetMoId()]
    while not isinstance(parent.ref, vim.Datacenter):
        parent = by_id[parent.get("parent")._GetMoId()]
    return parent


def _names(cluster: Found, datacenter: Found) -> tuple[str, str]:
    return str(cluster.get("name")), f"{datacenter.get('name')}/{cluster.get('name')}"
