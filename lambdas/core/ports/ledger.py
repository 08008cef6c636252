"""Where sagas are remembered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from lambdas.core.clusters import Amounts
from lambdas.core.model import Event, Fault, Resource, Saga
from lambdas.core.states import SagaStatus


class IdempotencyKey(NamedTuple):
    """A caller's key and the digest of the request it stands for."""

    caller: str
    key: str
    digest: str


class Snapshot(NamedTuple):
    """A saga and all its resources, in the order of the request."""

    saga: Saga
    resources: tuple[Resource, ...]


SagaChange = Callable[[Snapshot], Saga]
ResourceChange = Callable[[Saga, Resource], Resource]


class Ledger(Protocol):
    """Sagas, their resources and their events.

    Every write is one transaction that holds only if nothing of the saga was written since it was read, and that
    appends one event: a `change` is called again with fresh state when somebody else was faster, so it must be pure.
    A change that returns its argument unchanged writes nothing. What a change raises is raised, and nothing is written.
    """

    def open(self, saga: Saga, resources: Sequence[Resource], key: IdempotencyKey) -> Saga:
        """Write a new saga, or return the one that the same key opened before.

        Raises IdempotencyConflict when the key stands for another request.
        """
        ...

    def saga(self, saga_id: str) -> Saga:
        """The saga's header, as last written; raises SagaNotFound."""
        ...

    def snapshot(self, saga_id: str) -> Snapshot:
        """The saga and its resources, as last written; raises SagaNotFound."""
        ...

    def resource(self, saga_id: str, resource_id: str) -> Resource:
        """One resource, as last written; raises SagaNotFound."""
        ...

    def change_saga(self, saga_id: str, change: SagaChange, message: str | None = None) -> Snapshot:
        """Replace the header by what `change` makes of it; returns what stands now."""
        ...

    def change_resource(
        self,
        saga_id: str,
        resource_id: str,
        change: ResourceChange,
        message: str | None = None,
        bounds: Amounts | None = None,
        fault: Fault | None = None,
    ) -> tuple[Saga, Resource]:
        """Replace one resource by what `change` makes of it; returns what stands now.

        In the same transaction what is claimed of its cluster changes with its claim. A claim that is made within
        `bounds` raises ClaimRefused, and nothing is written, when more than that would be claimed of the cluster in
        all, its group is held already, or the cluster is drained. What is done because of a `fault` has it in its
        event.
        """
        ...

    def events(self, saga_id: str, after: int = 0, limit: int = 100) -> list[Event]:
        """The saga's events with a number above `after`, in order, at most `limit`; raises SagaNotFound."""
        ...

    def sagas(self, status: SagaStatus | None, limit: int, before: str | None, caller: str | None = None) -> list[Saga]:
        """The newest sagas first, of one caller if named, at most `limit`, continuing below the saga id `before`."""
        ...


class Backlog(Protocol):
    """What is still to be done; raises RetryableError. What was written a moment ago may not show yet."""

    def oldest(self, status: SagaStatus, limit: int) -> list[Saga]:
        """The sagas of a status that were opened first, at most `limit`."""
        ...


class History(Protocol):
    """What there was on private clusters, however long ago; raises RetryableError.

    What was written a moment ago may not show yet.
    """

    def lived(self, provider: str, target: str, since: datetime) -> list[Resource]:
        """The machines in a target that were ready at some time, and were not gone at or before `since`."""
        ...
