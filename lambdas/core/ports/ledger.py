"""Where sagas are remembered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from lambdas.core.clusters import Amounts
from lambdas.core.model import Event, Fault, Resource, Saga, Shard
from lambdas.core.states import ResourceStatus, SagaStatus


class IdempotencyKey(NamedTuple):
    """A caller's key and the digest of the request it stands for."""

    caller: str
    key: str
    digest: str


class Snapshot(NamedTuple):
    """A saga and all its resources, in the order of the request."""

    saga: Saga
    resources: tuple[Resource, ...]


class Standing(NamedTuple):
    """A saga, for each of its waves how many of the resources have which status, and when one last became ready."""

    saga: Saga
    waves: tuple[Mapping[ResourceStatus, int], ...]
    ready_at: datetime | None = None

    def all_are(self, status: ResourceStatus, waves: slice = slice(None)) -> bool:
        """Whether every resource, of these waves, has that status."""
        return all(other is status for wave in self.waves[waves] for other, number in wave.items() if number)

    def any_is(self, *statuses: ResourceStatus) -> bool:
        """Whether some resource has one of these statuses."""
        return any(wave.get(status, 0) for wave in self.waves for status in statuses)


SagaChange = Callable[[Standing], Saga]
ResourceChange = Callable[[Saga, Resource], Resource]


class Ledger(Protocol):
    """Sagas, their resources and their events.

    Every write is one transaction that holds only if nothing of the saga was written since it was read, and that
    appends one event: a `change` is called again with fresh state when somebody else was faster, so it must be pure.
    A change that returns its argument unchanged writes nothing. What a change raises is raised, and nothing is written.

    A divided saga has an order of writes for each shard, and one for its header. A resource's change sees the saga as
    its shard knows it; a change of the header has reached every shard when `change_saga` returns, whether it or
    somebody before wrote it. One that ends the saga reaches all in one transaction, which holds only if nothing of any
    shard was written since.
    """

    def open(self, saga: Saga, resources: Sequence[Resource], key: IdempotencyKey) -> Saga:
        """Write a new saga, or return the one that the same key opened before.

        Raises IdempotencyConflict when the key stands for another request.
        """
        ...

    def saga(self, saga_id: str) -> Saga:
        """The saga's header, as last written; raises SagaNotFound."""
        ...

    def standing(self, saga_id: str) -> Standing:
        """The saga and what became of its resources, as last written; raises SagaNotFound."""
        ...

    def batch(self, saga_id: str, wave: int, number: int) -> Snapshot:
        """The saga and the resources of one batch of a wave, as last written; raises SagaNotFound."""
        ...

    def page(self, saga_id: str, after: str | None, limit: int) -> Snapshot:
        """The saga and its resources, in the order of the request; raises SagaNotFound.

        Of a divided one they are in the order of their ids, at most `limit`, those above the id `after`.
        """
        ...

    def shards(self, saga_id: str) -> list[Shard]:
        """The shards of a saga in their order, as last written; none of one that is not divided."""
        ...

    def resource(self, saga_id: str, resource_id: str) -> Resource:
        """One resource, as last written; raises SagaNotFound."""
        ...

    def change_saga(self, saga_id: str, change: SagaChange, message: str | None = None) -> Standing:
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

    def events(self, saga_id: str, after: int = 0, limit: int = 100, shard: int | None = None) -> list[Event]:
        """The saga's events, or those of a shard, with a number above `after`, in order, at most `limit`.

        Raises SagaNotFound.
        """
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
