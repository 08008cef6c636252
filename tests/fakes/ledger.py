"""A ledger in memory, under the same rules as the real one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from lambdas.core.changes import (
    Write,
    new_shards,
    resource_write,
    saga_write,
    standing_of,
    standing_of_shards,
)
from lambdas.core.clusters import Amounts, Claimed
from lambdas.core.division import batch_of
from lambdas.core.errors import ClaimRefused, IdempotencyConflict, RetryableError, SagaNotFound
from lambdas.core.model import Event, Fault, Resource, Saga, Shard
from lambdas.core.ports.clock import Clock
from lambdas.core.ports.ledger import IdempotencyKey, ResourceChange, SagaChange, Snapshot, Standing
from lambdas.core.specs import PRIVATE_PROVIDERS
from lambdas.core.states import SagaStatus
from lambdas.core.targets import DEFAULT

_ATTEMPTS = 12


@dataclass
class _Record:
    saga: Saga
    resources: dict[str, Resource]
    events: list[Event] = field(default_factory=list)
    shards: dict[int, Shard] = field(default_factory=dict)

    @property
    def snapshot(self) -> Snapshot:
        return Snapshot(self.saga, tuple(self.resources.values()))

    @property
    def standing(self) -> Standing:
        if self.saga.division is None:
            return standing_of(self.snapshot)
        return standing_of_shards(self.saga, list(self.shards.values()))

    def wave(self, number: int) -> list[Resource]:
        if self.saga.division is None:
            return [self.resources[resource_id] for resource_id in self.saga.waves[number]]
        placed = [(it.position, it) for it in self.resources.values() if it.position and it.position.wave == number]
        return [it for _, it in sorted(placed, key=lambda pair: pair[0].shard)]


class FakeLedger:
    """Optimistic like DynamoDB: a write counts only if nothing was written since its read, otherwise it is tried again.

    What stands in `meanwhile` is called once, one at a time, between a read and the write that rests on it: there a
    test plays somebody else who is faster. `unavailable` makes the next calls fail without effect.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._records: dict[str, _Record] = {}
        self._keys: dict[tuple[str, str], tuple[str, str]] = {}
        self._claims: dict[str, Claimed] = {}
        self._lock = threading.Lock()
        self.meanwhile: list[Callable[[], object]] = []
        self.unavailable = 0

    def open(self, saga: Saga, resources: Sequence[Resource], key: IdempotencyKey) -> Saga:
        """Write a new saga, or return the one that the same key opened before; raises IdempotencyConflict."""
        self._answer()
        with self._lock:
            opened = self._keys.get((key.caller, key.key))
            if opened is None:
                saga = saga.model_copy(update={"version": 1})
                event = Event(seq=1, at=saga.created_at, status=saga.status)
                self._records[saga.id] = _Record(saga, {it.id: it for it in resources}, [event])
                self._records[saga.id].shards = {it.number: it for it in new_shards(saga, resources)}
                self._keys[key.caller, key.key] = (saga.id, key.digest)
                return saga
        saga_id, digest = opened
        if digest != key.digest:
            raise IdempotencyConflict(f"the idempotency key {key.key!r} was used for a different request")
        return self.saga(saga_id)

    def saga(self, saga_id: str) -> Saga:
        """The saga's header; raises SagaNotFound."""
        return self._record(saga_id).saga

    def standing(self, saga_id: str) -> Standing:
        """The saga and what became of its resources; raises SagaNotFound."""
        with self._lock:
            return self._record(saga_id).standing

    def batch(self, saga_id: str, wave: int, number: int) -> Snapshot:
        """The saga and the resources of one batch of a wave; raises SagaNotFound."""
        with self._lock:
            record = self._record(saga_id)
            return Snapshot(record.saga, tuple(batch_of(record.wave(wave), number)))

    def page(self, saga_id: str, after: str | None, limit: int) -> Snapshot:
        """The saga and its resources; of a divided one, at most `limit` by their ids, those above the id `after`."""
        with self._lock:
            record = self._record(saga_id)
            if record.saga.division is None:
                return record.snapshot
            ids = sorted(it for it in record.resources if it > (after or ""))
            return Snapshot(record.saga, tuple(record.resources[it] for it in ids[:limit]))

    def shards(self, saga_id: str) -> list[Shard]:
        """The shards of a saga in their order; none of one that is not divided, or that there is not."""
        with self._lock:
            self._answer()
            return list(self._records[saga_id].shards.values()) if saga_id in self._records else []

    def resource(self, saga_id: str, resource_id: str) -> Resource:
        """One resource; raises SagaNotFound."""
        resources = self._record(saga_id).resources
        if resource_id not in resources:
            raise SagaNotFound(f"no resource {resource_id} in saga {saga_id}")
        return resources[resource_id]

    def change_saga(self, saga_id: str, change: SagaChange, message: str | None = None) -> Standing:
        """Replace the header by what `change` makes of it; returns what stands now."""
        for _ in range(_ATTEMPTS):
            before, shards = self._decided_on(saga_id)
            write = saga_write(before, change, self._clock.now(), message)
            if write is not None and not self._commit(write, shards=shards):
                continue
            after = write.saga if write else before.saga
            for shard in shards:
                if shard.header < after.version and not (write and write.ends):
                    self._tell(shard, after)
            return before._replace(saga=after)
        raise _contention(saga_id)

    def change_resource(
        self,
        saga_id: str,
        resource_id: str,
        change: ResourceChange,
        message: str | None = None,
        bounds: Amounts | None = None,
        fault: Fault | None = None,
    ) -> tuple[Saga, Resource]:
        """Replace one resource by what `change` makes of it; returns what stands now."""
        for _ in range(_ATTEMPTS):
            resource = self.resource(saga_id, resource_id)
            shard = self._shard(saga_id, resource.position.shard) if resource.position else None
            saga = shard.as_header() if shard else self.saga(saga_id)
            write = resource_write(saga, resource, change, self._clock.now(), message, fault, shard)
            if write is None or write.resource is None:
                return saga, resource
            if self._commit(write, bounds):
                return write.saga, write.resource
        raise _contention(saga_id)

    def events(self, saga_id: str, after: int = 0, limit: int = 100, shard: int | None = None) -> list[Event]:
        """The saga's events, or a shard's, with a number above `after`, in order, at most `limit`."""
        return [it for it in self._record(saga_id).events if it.shard == shard and it.seq > after][:limit]

    def sagas(self, status: SagaStatus | None, limit: int, before: str | None, caller: str | None = None) -> list[Saga]:
        """The newest sagas first, of one caller if named, at most `limit`, continuing below the saga id `before`."""
        sagas = sorted((record.saga for record in self._records.values()), key=lambda it: it.id, reverse=True)
        found = [it for it in sagas if (before is None or it.id < before) and status in (None, it.status)]
        found = [it for it in found if caller in (None, it.caller)]
        return found[:limit]

    def oldest(self, status: SagaStatus, limit: int) -> list[Saga]:
        """The sagas of a status that were opened first, at most `limit`."""
        self._answer()
        found = [it.saga for it in self._records.values() if it.saga.status is status]
        return sorted(found, key=lambda saga: saga.id)[:limit]

    def lived(self, provider: str, target: str, since: datetime) -> list[Resource]:
        """The machines in a target that were ready at some time, and were not gone at or before `since`."""
        self._answer()
        return [
            it
            for record in self._records.values()
            for it in record.resources.values()
            if (it.definition.provider, it.target.name if it.target else DEFAULT) == (provider, target)
            and provider in PRIVATE_PROVIDERS
            and it.ready_at
            and (it.gone_at is None or it.gone_at > since)
        ]

    def _record(self, saga_id: str) -> _Record:
        self._answer()
        if saga_id not in self._records:
            raise SagaNotFound(f"no saga {saga_id}")
        return self._records[saga_id]

    def claimed(self, cluster: str) -> Claimed:
        """What is claimed of a cluster in all."""
        return self._claims.get(cluster, Claimed())

    def drain(self, cluster: str, drained: bool) -> None:
        """Let a cluster take nothing new, or again."""
        with self._lock:
            self._claims[cluster] = self.claimed(cluster)._replace(drained=drained)

    def _decided_on(self, saga_id: str) -> tuple[Standing, list[Shard]]:
        """What stands; of a divided saga the header is read first, then the shards."""
        standing = self.standing(saga_id)
        if standing.saga.division is None:
            return standing, []
        shards = self.shards(saga_id)
        return standing_of_shards(standing.saga, shards), shards

    def _shard(self, saga_id: str, number: int) -> Shard:
        return self._record(saga_id).shards[number]

    def _tell(self, shard: Shard, saga: Saga) -> None:
        """Let a shard know a newer header, whatever else was written to it."""
        with self._lock:
            shards = self._record(saga.id).shards
            if shards[shard.number].header < saga.version:
                told = {"saga": saga, "header": saga.version}
                shards[shard.number] = shards[shard.number].model_copy(update=told)

    def _commit(self, write: Write, bounds: Amounts | None = None, shards: Sequence[Shard] = ()) -> bool:
        if self.meanwhile:
            self.meanwhile.pop(0)()
        with self._lock:
            record = self._record(write.saga.id)
            if not _is_as_read(record, write, shards):
                return False
            self._settle_claims(write, bounds)
            if write.shard is not None:
                record.shards[write.shard.number] = write.shard
            else:
                record.saga = write.saga
            if write.ends:
                told = {"saga": write.saga, "header": write.saga.version}
                record.shards = {it.number: it.model_copy(update=told) for it in shards}
            record.events.append(write.event)
            if write.resource is not None:
                record.resources[write.resource.id] = write.resource
            return True

    def _settle_claims(self, write: Write, bounds: Amounts | None) -> None:
        if write.freed is not None:
            amounts, groups, drained = self.claimed(write.freed.cluster)
            left = {group: holder for group, holder in groups.items() if group != write.freed.group}
            self._claims[write.freed.cluster] = Claimed(amounts - write.freed.amounts, left, drained)
        if write.claimed is not None:
            claim, (amounts, groups, drained) = write.claimed, self.claimed(write.claimed.cluster)
            full = bounds is not None and (drained or not (amounts + claim.amounts).within(bounds))
            if full or claim.group in groups:
                raise ClaimRefused(claim.cluster)
            held = {**groups, claim.group: f"{write.saga.id}/{write.event.resource_id}"} if claim.group else groups
            self._claims[claim.cluster] = Claimed(amounts + claim.amounts, held, drained)

    def _answer(self) -> None:
        if self.unavailable:
            self.unavailable -= 1
            raise RetryableError("ThrottlingException", "the ledger refused for now")


def _is_as_read(record: _Record, write: Write, shards: Sequence[Shard]) -> bool:
    if write.resource is not None and record.resources[write.resource.id].revision != write.resource.revision - 1:
        return False
    if write.shard is not None:
        now = record.shards[write.shard.number]
        return (now.version, now.header) == (write.shard.version - 1, write.shard.header)
    unchanged = not write.ends or all(record.shards[it.number].version == it.version for it in shards)
    return record.saga.version == write.saga.version - 1 and unchanged


def _contention(saga_id: str) -> RetryableError:
    return RetryableError("LedgerContention", f"saga {saga_id} is being written by others")
