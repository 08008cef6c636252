"""Google Cloud as a provider: Compute Engine instances and persistent disks.

Names are unique within a project's zone, so a deterministic name makes a create idempotent; the request id and the
labels come on top. A handle is the name of a zonal operation: it expires some time after it is done, and where it is
unknown the resource itself tells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Self, TypeVar

from google.cloud.compute_v1 import Disk, Instance, Operation

from lambdas.core.errors import RetryableError, TerminalError
from lambdas.core.model import MARK_RESOURCE, MARK_SAGA, Intent
from lambdas.core.ports.provider import Marked, Observation
from lambdas.core.preflight import Shortage, grouped
from lambdas.core.specs import GcpDisk, GcpInstance
from lambdas.core.targets import Target
from lambdas.gcp import bodies
from lambdas.gcp.clients import GcpProjects
from lambdas.gcp.errors import ALREADY_EXISTS_CODES, failed_operation, translated
from lambdas.gcp.inventory import inventory
from lambdas.gcp.preflight import MOST_ASKED, shortages
from lambdas.gcp.settings import GcpSettings
from lambdas.gcp.zone import Zone

MACHINE: Final = "machine"
DISK: Final = "disk"

_Resource = TypeVar("_Resource", Instance, Disk)

_READY: Final = frozenset({"RUNNING", "READY"})
_ON_THE_WAY: Final = frozenset({"PENDING", "PROVISIONING", "STAGING", "REPAIRING", "CREATING", "RESTORING"})
_GOING: Final = frozenset({"STOPPING", "DEPROVISIONING", "DELETING"})


class GcpProvider:
    """Compute Engine in every zone of every project that is a target."""

    def __init__(self, projects: GcpProjects, settings: GcpSettings) -> None:
        self._projects = projects
        self._settings = settings

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """The provider that the function's environment describes; raises MissingSettings."""
        settings = GcpSettings.from_environment(environ)
        return cls(GcpProjects(settings), settings)

    @property
    def settling_seconds(self) -> float:
        """How long something must stay unfound before it counts as gone."""
        return self._settings.settling_seconds

    @property
    def repeat_seconds(self) -> float:
        """None: a repeated request is recognised."""
        return 0

    def parts(self, intent: Intent) -> tuple[str, ...]:
        """An instance is one part, with its boot disk, network interface and address; so is a disk."""
        return (MACHINE,) if isinstance(intent.definition, GcpInstance) else (DISK,)

    def create(self, intent: Intent, part: str) -> str:
        """Begin creating an instance or a disk; the handle is the operation's name, or "" when it was there already."""
        zone = self._zone(intent)
        try:
            return self._insert(zone, intent, intent.token(part)).name
        except TerminalError as error:
            if error.code not in ALREADY_EXISTS_CODES:
                raise
            _adopt(zone, intent, error)
            return ""

    def observe(self, intent: Intent, part: str) -> Observation:
        """Look once at the operation and, when it is done or unknown, at the resource."""
        zone = self._zone(intent)
        operation = _operation(zone, intent, part)
        if operation is not None:
            if operation.status != Operation.Status.DONE:
                return Observation(ready=False, cloud_id=_path(operation.target_link))
            failure = failed_operation(operation)
            if failure is not None and failure.code not in ALREADY_EXISTS_CODES:
                raise failure
        resource = _named(zone, intent)
        if resource is None:
            return Observation(ready=False)
        if not _is_ours(resource, intent):
            raise _foreign(resource)
        return _observation(resource)

    def delete(self, intent: Intent) -> None:
        """Begin deleting the instance and whatever disk of it is not attached, or the disk."""
        zone = self._zone(intent)
        for machine in _instances(zone, intent):
            if machine.status not in _GOING:
                zone.delete_instance(machine.name)
        for disk in _disks(zone, intent):
            if disk.status not in _GOING and not disk.users:
                zone.delete_disk(disk.name)

    def find(self, intent: Intent) -> list[str]:
        """The paths (`projects/...`) of the instances and disks that are ours, and of one that is being created."""
        zone = self._zone(intent)
        found = {_path(machine.self_link) for machine in _instances(zone, intent)}
        found |= {_path(disk.self_link) for disk in _disks(zone, intent)}
        for part in intent.operations:
            operation = _operation(zone, intent, part)
            if operation is not None and operation.status != Operation.Status.DONE:
                found.add(_path(operation.target_link))
        return sorted(found)

    def shortages(self, intents: Sequence[Intent]) -> list[Shortage]:
        """What Compute Engine would refuse of the intents if they were created now."""
        found: list[Shortage] = []
        with translated():
            targets = grouped(intents, lambda intent: intent.target)
            for target, here in targets.items():
                clients = self._projects.of(target)
                found += shortages(clients, clients.project, here, max(1, MOST_ASKED // len(targets)))
        return found

    def inventory(self, target: Target | None = None) -> list[Marked]:
        """Everything in a target that carries the mark of any saga."""
        clients = self._projects.of(target)
        with translated():
            return list(inventory(clients, clients.project))

    def _zone(self, intent: Intent) -> Zone:
        clients = self._projects.of(intent.target)
        return Zone(clients, clients.project, intent.definition.location)

    def _insert(self, zone: Zone, intent: Intent, request_id: str) -> Operation:
        match intent.definition:
            case GcpInstance() as definition:
                return zone.insert_instance(bodies.instance(intent, definition, zone.project), request_id)
            case GcpDisk() as definition:
                return zone.insert_disk(bodies.disk(intent, definition), request_id)
            case _:
                raise TerminalError("WrongProvider", f"{intent.resource_id} is not a resource of Google Cloud")


def _adopt(zone: Zone, intent: Intent, refusal: TerminalError) -> None:
    """Accept what has our name if it carries our marks; raise the refusal if it is somebody else's.

    An instance's insert is also refused for its boot disk's name.
    """
    candidates: list[Instance | Disk | None] = [_named(zone, intent)]
    if isinstance(intent.definition, GcpInstance):
        candidates.append(zone.disk(bodies.boot_disk_name(intent)))
    for candidate in candidates:
        if candidate is not None and not _is_ours(candidate, intent):
            raise refusal
    if candidates[0] is None:
        raise RetryableError(refusal.code, f"{intent.name} exists but cannot be seen yet")


def _operation(zone: Zone, intent: Intent, part: str) -> Operation | None:
    handle = intent.operations.get(part)
    return zone.operation(handle) if handle else None


def _named(zone: Zone, intent: Intent) -> Instance | Disk | None:
    if isinstance(intent.definition, GcpInstance):
        return zone.instance(intent.name)
    return zone.disk(intent.name)


def _instances(zone: Zone, intent: Intent) -> list[Instance]:
    """Our instance, by name and by marks: the list lags behind, and a name alone does not make it ours."""
    if not isinstance(intent.definition, GcpInstance):
        return []
    listed = zone.instances(_marked(intent))
    named = zone.instance(intent.name)
    return _ours([*listed, named], intent)


def _disks(zone: Zone, intent: Intent) -> list[Disk]:
    """Our disk, or our instance's boot disk, by name and by marks."""
    is_instance = isinstance(intent.definition, GcpInstance)
    listed = zone.disks(_marked(intent))
    named = zone.disk(bodies.boot_disk_name(intent) if is_instance else intent.name)
    return _ours([*listed, named], intent)


def _ours(candidates: list[_Resource | None], intent: Intent) -> list[_Resource]:
    return list({it.name: it for it in candidates if it is not None and _is_ours(it, intent)}.values())


def _is_ours(resource: Instance | Disk, intent: Intent) -> bool:
    marks = (resource.labels.get(MARK_SAGA), resource.labels.get(MARK_RESOURCE))
    return marks == (intent.saga_id, intent.resource_id)


def _marked(intent: Intent) -> str:
    return f'(labels.{MARK_SAGA} = "{intent.saga_id}") (labels.{MARK_RESOURCE} = "{intent.resource_id}")'


def _observation(resource: Instance | Disk) -> Observation:
    if resource.status in _READY or resource.status in _ON_THE_WAY:
        return Observation(resource.status in _READY, _path(resource.self_link))
    raise TerminalError(str(resource.status), f"{resource.name} was created but did not stay")


def _foreign(resource: Instance | Disk) -> TerminalError:
    return TerminalError("alreadyExists", f"{_path(resource.self_link)} is somebody else's")


def _path(link: str) -> str:
    """`projects/...`: what names a resource whichever endpoint it was asked from."""
    return "projects/" + link.partition("/projects/")[2]
