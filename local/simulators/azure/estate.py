"""Everything that exists in the simulated Azure, brought up to a moment by completing what was due before it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Final

from local.simulators.azure.errors import Failure
from local.simulators.azure.resource import Operation, Resource, State
from local.simulators.azure.settings import AzureSimulatorSettings

_IDS: Final = uuid.UUID("2b7b1c1e-6f0e-5b0a-9a55-8a4f3f6c0a21")

MOST_OPERATIONS: Final = 5_000
"""That can be asked for, the newest and whatever is under way; each holds its resource, so all would add up."""


class Estate:
    """Resources by id (case-insensitively, as Azure has it), operations by id, and network interfaces reserved."""

    def __init__(self, settings: AzureSimulatorSettings) -> None:
        self.settings = settings
        self._resources: dict[str, Resource] = {}
        self._operations: dict[str, Operation] = {}
        self._pending: list[Operation] = []
        self._reservations: dict[str, tuple[str, float]] = {}
        self._count = 0

    def __iter__(self) -> Iterator[Resource]:
        return iter(list(self._resources.values()))

    def get(self, resource_id: str) -> Resource | None:
        """The resource of that id, in whatever state."""
        return self._resources.get(resource_id.lower())

    def operation(self, operation_id: str) -> Operation | None:
        """The operation of that id, ended or not."""
        return self._operations.get(operation_id)

    def of_type(self, resource_type: str) -> list[Resource]:
        """All resources of one type, oldest first."""
        return [resource for resource in self if resource.kind.type.lower() == resource_type.lower()]

    def next_number(self) -> int:
        """A number not given out before, from which ids and addresses are made, so that runs repeat exactly."""
        self._count += 1
        return self._count

    def next_id(self) -> str:
        """A new UUID, the same in the same run."""
        return str(uuid.uuid5(_IDS, str(self.next_number())))

    def add(self, resource: Resource) -> None:
        """Take a resource in, or replace the one of its id."""
        self._resources[resource.id.lower()] = resource

    def begin(
        self, resource: Resource, *, at: float, seconds: float, deletes: bool = False, failure: Failure | None = None
    ) -> Operation:
        """Start an operation that ends `seconds` after `at`, badly if there is a `failure`."""
        operation = Operation(self.next_id(), resource, deletes, at, at + seconds, failure)
        self._operations[operation.id] = operation
        self._pending.append(operation)
        resource.operation = operation
        resource.version += 1
        return operation

    def begin_delete(self, resource: Resource, at: float, failure: Failure | None = None) -> Operation:
        """Start deleting, whatever holds on to it; a delete under way goes on."""
        if resource.state is State.DELETING and resource.operation and resource.busy:
            return resource.operation
        resource.state = State.DELETING
        seconds = resource.kind.delete_seconds(self)
        return self.begin(resource, at=at, seconds=seconds, deletes=True, failure=failure)

    def cascade(self, kind_type: str, resource_id: str, at: float) -> None:
        """Delete along with what referred to it, unless it is gone, reserved, or of another type."""
        resource = self.get(resource_id)
        if resource is None or resource.kind.type != kind_type or self.reserved_for(resource_id, at):
            return
        self.begin_delete(resource, at)

    def reserve(self, resource_id: str, holder: str, until: float) -> None:
        """Keep a network interface for the VM `holder` until that moment."""
        self._reservations[resource_id.lower()] = (holder, until)

    def reserved_for(self, resource_id: str, at: float) -> str | None:
        """The id of the VM that a network interface is still reserved for at that moment."""
        holder, until = self._reservations.get(resource_id.lower(), ("", 0.0))
        return holder if at < until else None

    def settle(self, now: float) -> None:
        """Complete every operation that was due by `now`, each at its own moment, in order."""
        while due := [operation for operation in self._pending if operation.ends <= now]:
            first = min(due, key=lambda operation: operation.ends)
            self._pending.remove(first)
            if first.ended is None:
                self._complete(first)

    def _complete(self, operation: Operation) -> None:
        operation.ended = operation.ends
        self._forget_oldest()
        resource = operation.resource
        if operation.failure:
            resource.state, resource.failure = State.FAILED, operation.failure
            if not operation.deletes:
                resource.kind.failed(self, resource, operation.ends)
        elif operation.deletes:
            del self._resources[resource.id.lower()]
            resource.kind.deleted(self, resource, operation.ends)
        else:
            resource.state, resource.failure = State.SUCCEEDED, None

    def _forget_oldest(self) -> None:
        ended = (name for name, it in self._operations.items() if it.ended is not None)
        if len(self._operations) > MOST_OPERATIONS:
            del self._operations[next(ended)]


def same_id(one: str, other: str) -> bool:
    """Whether two resource ids name the same resource; Azure does not tell case apart."""
    return one.lower() == other.lower()
