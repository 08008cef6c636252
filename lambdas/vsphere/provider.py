"""vSphere as a provider: a machine is cloned switched off, given its hardware, and switched on.

vSphere recognises no repeated request. What keeps a machine from being made twice is its name in its folder, which a
vCenter gives away once, its instance UUID, which is our token, and the token that its clone task carries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Self, TypeVar

from pyVmomi import vim, vmodl

from lambdas.adapters.clock import SystemClock
from lambdas.adapters.observability import cloud_answered
from lambdas.adapters.secrets import Secrets
from lambdas.core.clusters import ClusterSettings
from lambdas.core.errors import RetryableError, TerminalError
from lambdas.core.model import Intent
from lambdas.core.ports.clock import Clock
from lambdas.core.ports.provider import Observation, Survey
from lambdas.core.specs import VsphereInstance
from lambdas.vsphere import bodies, choosing
from lambdas.vsphere.bodies import MACHINE
from lambdas.vsphere.clients import Sessions, task_token
from lambdas.vsphere.errors import DELETED_LATER_CODES, UNDER_WAY_CODES, failed_task, is_any, translated
from lambdas.vsphere.hosts import configured_memory, datastore_room, host_room, standing
from lambdas.vsphere.settings import VsphereSettings
from lambdas.vsphere.survey import survey
from lambdas.vsphere.vcenter import Machine, Template, Vcenter

HARDWARE: Final = "hardware"
POWER: Final = "power"

_ON: Final = "poweredOn"
_OFF: Final = "poweredOff"

T = TypeVar("T")


class VsphereProvider:
    """Every vSphere cluster that `clusters` has by name, whichever vCenter it belongs to."""

    def __init__(
        self, clusters: Mapping[str, ClusterSettings], sessions: Sessions, settings: VsphereSettings, clock: Clock
    ) -> None:
        self._clusters = clusters
        self._sessions = sessions
        self._settings = settings
        self._clock = clock

    @classmethod
    def from_environment(
        cls, environ: Mapping[str, str], clusters: Mapping[str, ClusterSettings], secrets: Secrets
    ) -> Self:
        """The provider that the environment describes, for `clusters`."""
        settings = VsphereSettings.from_environment(environ)
        return cls(clusters, Sessions(secrets, settings), settings, SystemClock())

    @property
    def settling_seconds(self) -> float:
        """How long a machine must stay unfound before it counts as gone."""
        return self._settings.settling_seconds

    @property
    def repeat_seconds(self) -> float:
        """How long a create whose answer never came must not be sent again unless it is found."""
        return self._settings.repeat_seconds

    def parts(self, intent: Intent) -> tuple[str, ...]:
        """Three steps to one machine, so that none takes longer than its own task."""
        return (MACHINE, HARDWARE, POWER)

    def create(self, intent: Intent, part: str) -> str:
        """Begin a step; the handle is the id of its task, or "" where there was nothing to do."""
        begin = {MACHINE: self._clone, HARDWARE: self._equip, POWER: self._switch_on}[part]
        handle = self._on(intent, lambda vcenter: begin(vcenter, intent))
        cloud_answered("vsphere", f"create {part}", operation_id=handle, cluster=intent.cluster)
        return handle

    def observe(self, intent: Intent, part: str) -> Observation:
        """Look once at the task and, when it is done or forgotten, at the machine."""
        return self._on(intent, lambda vcenter: self._look(vcenter, intent, part))

    def delete(self, intent: Intent) -> None:
        """Begin switching our machine off, or destroying it where it is off."""
        self._on(intent, lambda vcenter: _remove(vcenter.machine(intent), intent))

    def find(self, intent: Intent) -> list[str]:
        """The id of our machine, or else those of the tasks that are about to make it."""
        return self._on(intent, lambda vcenter: _find(vcenter, intent))

    def survey(self, cluster: str) -> Survey:
        """Look at one cluster."""
        at = self._clock.now()
        with translated():
            settings = self._cluster(cluster)
            return self._sessions.run(settings, lambda session: survey(Vcenter(session, settings), at))

    def _on(self, intent: Intent, act: Callable[[Vcenter], T]) -> T:
        """What `act` does on the intent's vCenter; from the start again where the session had expired."""
        with translated():
            settings = self._cluster(intent.cluster)
            return self._sessions.run(settings, lambda session: act(Vcenter(session, settings)))

    def _cluster(self, name: str | None) -> ClusterSettings:
        if name is None or name not in self._clusters:
            raise TerminalError("UnknownCluster", f"no vSphere cluster {name!r} is declared here")
        return self._clusters[name]

    def _clone(self, vcenter: Vcenter, intent: Intent) -> str:
        definition = _definition(intent)
        under_way = vcenter.clones(intent)
        if _is_there(vcenter.machine(intent), intent) or under_way:
            return under_way[0] if under_way else ""
        template = _template(vcenter, definition)
        spec = _clone_spec(vcenter, intent, definition)
        try:
            with task_token(intent.token(MACHINE)):
                return _id(template.ref.CloneVM_Task(vcenter.place.folder, intent.name, spec))
        except vim.fault.DuplicateName as error:
            if not _is_there(vcenter.machine(intent), intent):
                raise RetryableError("DuplicateName", f"{intent.name} exists but cannot be seen yet") from error
            return ""

    def _equip(self, vcenter: Vcenter, intent: Intent) -> str:
        machine = _required(vcenter.machine(intent), intent)
        spec = self._due_hardware(vcenter, intent, machine)
        return _id(machine.ref.ReconfigVM_Task(spec)) if spec is not None else ""

    def _switch_on(self, vcenter: Vcenter, intent: Intent) -> str:
        machine = _required(vcenter.machine(intent), intent)
        if machine.power == _ON:
            return ""
        try:
            return _id(machine.ref.PowerOnVM_Task(None))
        except vim.fault.InvalidPowerState:
            return ""

    def _look(self, vcenter: Vcenter, intent: Intent, part: str) -> Observation:
        handle = intent.operations.get(part)
        task = vcenter.task(handle) if handle else None
        if task is not None and task.fault is not None and not is_any(task.fault, UNDER_WAY_CODES):
            raise failed_task(task.fault)
        machine = vcenter.machine(intent)
        _is_there(machine, intent)
        if machine is None or not machine.finished:
            return Observation(False, machine.id if machine else None)
        pending = task is not None and task.pending
        return Observation(not pending and self._is_ready(vcenter, intent, machine, part), machine.id)

    def _is_ready(self, vcenter: Vcenter, intent: Intent, machine: Machine, part: str) -> bool:
        match part:
            case "hardware":
                return self._due_hardware(vcenter, intent, machine) is None
            case "power":
                return machine.power == _ON
            case _:
                return not vcenter.clones(intent)

    def _due_hardware(self, vcenter: Vcenter, intent: Intent, machine: Machine) -> Any | None:
        config = vcenter.config(machine)
        if config is None:
            raise RetryableError("ManagedObjectNotFound", f"{intent.name} cannot be seen just now")
        definition = _definition(intent)
        name = definition.spec.network or self._cluster(intent.cluster).network
        return bodies.hardware(intent, definition, config, vcenter.network(name) if name else None)


def _clone_spec(vcenter: Vcenter, intent: Intent, definition: VsphereInstance) -> Any:
    cluster = vcenter.place.cluster
    now = standing(vcenter.collector, cluster)
    configured = {} if now.automated else configured_memory(vcenter.collector, cluster)
    rooms = [host_room(host, configured.get(_id(host.ref), 0)) for host in now.hosts]
    host = choosing.choose_host(rooms)
    datastores = [datastore_room(it) for it in now.datastores]
    datastore = choosing.choose_datastore(rooms, datastores, definition.placement.disk_gb)
    return bodies.clone(intent, vcenter.place.pool, datastore, None if now.automated else host)


def _template(vcenter: Vcenter, definition: VsphereInstance) -> Template:
    """The template of the image's name; of several the one that was there first."""
    templates = [it for it in vcenter.templates() if it.name == definition.spec.image]
    if not templates:
        raise TerminalError("UnknownImage", f"the vCenter has no template {definition.spec.image!r}")
    return min(templates, key=lambda it: (len(_id(it.ref)), _id(it.ref)))  # vm-101 was there before vm-1000


def _remove(machine: Machine | None, intent: Intent) -> None:
    if machine is None or not machine.finished or not machine.is_of(intent):
        return
    try:
        if machine.power == _OFF:
            cloud_answered("vsphere", "Destroy_Task", operation_id=_id(machine.ref.Destroy_Task()))
        else:
            cloud_answered("vsphere", "PowerOffVM_Task", operation_id=_id(machine.ref.PowerOffVM_Task()))
    except vmodl.MethodFault as fault:
        if not is_any(fault, DELETED_LATER_CODES):
            raise


def _find(vcenter: Vcenter, intent: Intent) -> list[str]:
    machine = vcenter.machine(intent)
    if machine is not None and (not machine.finished or machine.is_of(intent)):
        return [machine.id]
    handle = intent.operations.get(MACHINE)
    task = vcenter.task(handle) if handle else None
    found = {handle} if handle and task is not None and task.pending else set()
    found.update(vcenter.clones(intent))
    if handle is None:
        found.update(vcenter.unclaimed_clones(_definition(intent).spec.image))
    return sorted(found)


def _is_there(machine: Machine | None, intent: Intent) -> bool:
    """Whether it is there and, as far as can be said, ours; raises TerminalError where it is somebody else's."""
    if machine is None:
        return False
    if machine.finished and not machine.is_of(intent):
        raise TerminalError("DuplicateName", f"{machine.name} ({machine.id}) is somebody else's")
    return True


def _required(machine: Machine | None, intent: Intent) -> Machine:
    if machine is None or not machine.finished:
        raise RetryableError("ManagedObjectNotFound", f"{intent.name} cannot be seen just now")
    _is_there(machine, intent)
    return machine


def _definition(intent: Intent) -> VsphereInstance:
    if not isinstance(intent.definition, VsphereInstance):
        raise TerminalError("WrongProvider", f"{intent.resource_id} is not a resource of vSphere")
    return intent.definition


def _id(ref: Any) -> str:
    return str(ref._GetMoId())
