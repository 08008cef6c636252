"""All that the simulated Compute Engine knows, brought up to the moment whenever somebody asks."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from local.simulators.gcp.collection import Collection, Term
from local.simulators.gcp.errors import OperationError
from local.simulators.gcp.paths import link
from local.simulators.gcp.settings import GcpTiming


@dataclass
class Disk:
    """A persistent disk; moments are Unix seconds."""

    path: str
    id: int
    size_gb: int
    type: str
    labels: dict[str, str]
    image: str | None
    created_at: float
    ready_at: float
    deleting: bool = False

    def status(self, now: float) -> str:
        """Its status in Compute Engine's words."""
        if self.deleting:
            return "DELETING"
        return "CREATING" if now < self.ready_at else "READY"


class Attachment(NamedTuple):
    """A disk as an instance has it."""

    disk: str
    boot: bool
    auto_delete: bool


@dataclass
class Instance:
    """A virtual machine; its network interface and ephemeral address live and die with it."""

    path: str
    id: int
    machine_type: str
    labels: dict[str, str]
    attachments: list[Attachment]
    network_ip: str
    nat_ip: str | None
    created_at: float
    ready_at: float
    deleting: bool = False

    def status(self, now: float) -> str:
        """Its status in Compute Engine's words."""
        if self.deleting:
            return "STOPPING"
        if now >= self.ready_at:
            return "RUNNING"
        return "PROVISIONING" if now < (self.created_at + self.ready_at) / 2 else "STAGING"


class Target(NamedTuple):
    """What an operation is about."""

    path: str
    id: int


class Failure(NamedTuple):
    """How an accepted operation is to fail: `delay` seconds after it was accepted, and whether it leaves something."""

    error: OperationError
    delay: float
    leaves_boot_disk: bool = False


class Change(NamedTuple):
    """How a call that changes something came in: when (Unix seconds), with which request id, and if it is to fail."""

    at: float
    request_id: str | None
    failure: Failure | None = None

    def done_after(self, seconds: float) -> float:
        """When it is done: after the `seconds` it takes, or when it is to fail."""
        return self.at + (self.failure.delay if self.failure else seconds)


@dataclass(frozen=True)
class Operation:
    """A zonal operation; it is done at `done_at`, with `error` if there is one."""

    path: str
    id: int
    type: str
    target: Target
    request_id: str | None
    created_at: float
    done_at: float
    error: OperationError | None

    def status(self, now: float) -> str:
        """Its status in Compute Engine's words."""
        if now >= self.done_at:
            return "DONE"
        return "PENDING" if now == self.created_at else "RUNNING"


def _labels(resource: Instance | Disk) -> Iterator[Term]:
    return ((f"labels.{name}", value) for name, value in resource.labels.items())


def _about(operation: Operation) -> Iterator[Term]:
    yield "targetLink", link(operation.target.path)
    if operation.request_id:
        yield "clientOperationId", operation.request_id


@dataclass
class State:
    """Every instance, disk and operation by path, and what will become of them."""

    timing: GcpTiming
    instances: Collection[Instance] = field(default_factory=lambda: Collection(("labels.",), _labels))
    disks: Collection[Disk] = field(default_factory=lambda: Collection(("labels.",), _labels))
    operations: Collection[Operation] = field(
        default_factory=lambda: Collection(("targetLink", "clientOperationId"), _about)
    )
    _users: dict[str, str] = field(default_factory=dict)
    _replays: dict[tuple[str, str, str], Operation] = field(default_factory=dict)
    _effects: list[tuple[float, int, Callable[[], object]]] = field(default_factory=list)
    _count: int = 0

    def settle(self, now: float) -> None:
        """Let everything that has become due by `now` happen, in order."""
        while self._effects and self._effects[0][0] <= now:
            heapq.heappop(self._effects)[2]()

    def next_id(self) -> int:
        """A number that nothing else has, of the size that Google's have."""
        self._count += 1
        return 4_000_000_000_000_000_000 + self._count

    def replay(self, zone_path: str, type_: str, request_id: str | None) -> Operation | None:
        """The operation that the same request started before."""
        return self._replays.get((zone_path, type_, request_id)) if request_id else None

    def begin(
        self,
        change: Change,
        type_: str,
        target: Target,
        done_at: float,
        *,
        succeed: Callable[[], None],
        fail: Callable[[], None],
    ) -> Operation:
        """Accept an operation that has its effect at `done_at`, or fails when the change is meant to."""
        failure = change.failure
        zone_path = target.path.rsplit("/", 2)[0]
        number = self.next_id()
        operation = Operation(
            path=f"{zone_path}/operations/operation-{int(change.at * 1000)}-{number % 10**13:013x}",
            id=number,
            type=type_,
            target=target,
            request_id=change.request_id,
            created_at=change.at,
            done_at=change.done_after(done_at - change.at),
            error=failure.error if failure else None,
        )
        self._schedule(operation.done_at, fail if failure else succeed)
        self._remember(operation, zone_path)
        return operation

    def place(self, instance: Instance) -> None:
        """Add an instance, which has its disks from now on."""
        self.instances[instance.path] = instance
        self._users.update(dict.fromkeys((it.disk for it in instance.attachments), instance.path))

    def remove(self, instance: Instance) -> bool:
        """Take an instance away and let go of its disks; False when it was gone already."""
        if self.instances.get(instance.path) is not instance:
            return False
        del self.instances[instance.path]
        for attachment in instance.attachments:
            self._users.pop(attachment.disk, None)
        return True

    def label(self, resource: Instance | Disk, labels: dict[str, str]) -> None:
        """Give a resource that is there other labels."""
        match resource:
            case Instance():
                self.instances.change(resource.path, lambda it: setattr(it, "labels", labels))
            case Disk():
                self.disks.change(resource.path, lambda it: setattr(it, "labels", labels))

    def user_of(self, disk_path: str) -> str | None:
        """The instance that a disk is attached to."""
        return self._users.get(disk_path)

    def resources(self, now: float) -> list[dict[str, Any]]:
        """The inventory: instances and disks, whatever their status."""
        everything: list[tuple[str, Instance | Disk]] = [
            *(("instance", instance) for instance in self.instances.values()),
            *(("disk", disk) for disk in self.disks.values()),
        ]
        return [_listed(type_, resource, now) for type_, resource in everything]

    def _remember(self, operation: Operation, zone_path: str) -> None:
        self.operations[operation.path] = operation
        self._schedule(operation.done_at + self.timing.operations_kept, lambda: self.operations.pop(operation.path))
        if operation.request_id:
            key = (zone_path, operation.type, operation.request_id)
            self._replays[key] = operation
            self._schedule(operation.created_at + self.timing.request_ids_kept, lambda: self._replays.pop(key))

    def _schedule(self, moment: float, effect: Callable[[], object]) -> None:
        heapq.heappush(self._effects, (moment, self.next_id(), effect))


def _listed(type_: str, resource: Instance | Disk, now: float) -> dict[str, Any]:
    _, _, _, zone, _, name = resource.path.split("/")
    return {
        "id": resource.path,
        "type": type_,
        "name": name,
        "location": zone,
        "status": resource.status(now),
        "marks": dict(resource.labels),
        "created_at": resource.created_at,
    }
