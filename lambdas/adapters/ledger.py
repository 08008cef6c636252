"""The ledger in one DynamoDB table, whose items `ledger_items.py` describes.

The header's `version` counts the writes to anything of the saga, and each write demands that it is still the one that
was read: so the fence, the commit and the intents of one saga are in one order. Two reads in a row may fall on either
side of a transaction, so a resource has a `revision` that its own writes demand, and what decides on all of them reads
them in a transaction.

A divided saga has too many resources for that. There a shard stands in for the header, with a `version` of its own and
a copy of the header, which a resource's write demands to be as it was read. So the fence and the intents of one shard
are in one order. A change of the header is written first, then told to each shard by itself: a transaction over all of
them would starve among the writes of many resources. What ends a saga is decided on all of them, when nobody is at work
any more: it is written to the header and every shard in one transaction.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from lambdas.adapters.claims import claim_update, release_update
from lambdas.adapters.dynamodb import CONDITION_FAILED, Cancelled
from lambdas.adapters.ledger_items import (
    CALLER_INDEX,
    HEADER,
    HOME_INDEX,
    LAST,
    NEXT,
    RESOURCE,
    SHARD,
    STATUS_INDEX,
    Item,
    batch_ids,
    batch_items,
    batch_key,
    event_item,
    event_key,
    header_item,
    in_request_order,
    key_item,
    key_pk,
    moment,
    record,
    resource_item,
    shard_item,
    shard_key,
    shard_of,
)
from lambdas.adapters.ledger_table import MOST_WRITTEN, LedgerTable, Request
from lambdas.core.changes import Write, new_shards, resource_write, saga_write, standing_of, standing_of_shards
from lambdas.core.clusters import Amounts
from lambdas.core.division import MOST_UNDIVIDED, batch_of
from lambdas.core.errors import ClaimRefused, IdempotencyConflict, RetryableError, SagaNotFound
from lambdas.core.model import Event, Fault, Resource, Saga, Shard
from lambdas.core.ports.clock import Clock
from lambdas.core.ports.ledger import IdempotencyKey, ResourceChange, SagaChange, Snapshot, Standing
from lambdas.core.states import SagaStatus

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_ATTEMPTS: Final = 12
_FIRST_PAUSE: Final = 0.01
_LONGEST_PAUSE: Final = 0.5
_LAST_NUMBER: Final = 10**12 - 1

T = TypeVar("T")


class DynamoLedger:
    """The ledger on DynamoDB; reads are strongly consistent except for what is listed by an index."""

    def __init__(self, client: DynamoDBClient, table: str, clock: Clock, pause: Callable[[float], None] = time.sleep):
        self._table = LedgerTable(client, table)
        self._clock = clock
        self._pause = pause

    def open(self, saga: Saga, resources: Sequence[Resource], key: IdempotencyKey) -> Saga:
        """Write a new saga, or return the one that the same key opened before.

        Of a divided one what belongs to it is written first: nobody knows of it before its header and key are there.
        """
        opened = saga.model_copy(update={"version": 1})
        planned = [resource_item(resource, place) for place, resource in enumerate(resources)]
        if saga.division is not None:
            before = self._opened_before(key)
            if before is not None:
                return before
            shards = map(shard_item, new_shards(opened, resources))
            self._prepare(saga.id, [*shards, *batch_items(opened, resources), *planned])
            planned = []
        opening = event_item(saga.id, Event(seq=1, at=saga.created_at, status=saga.status))
        puts = [self._table.put_new(it) for it in (key_item(key, saga.id), header_item(opened), *planned, opening)]

        def attempt() -> Saga | None:
            before = self._opened_before(key)
            if before is not None:
                return before
            return opened if self._table.written(puts) else None

        return self._until_written(saga.id, attempt)

    def saga(self, saga_id: str) -> Saga:
        """The saga's header, as last written."""
        item = self._table.get(saga_id, HEADER)
        if item is None:
            raise _no_saga(saga_id)
        return record(Saga, item)

    def resource(self, saga_id: str, resource_id: str) -> Resource:
        """One resource, as last written."""
        item = self._table.get(saga_id, f"{RESOURCE}{resource_id}")
        if item is None:
            raise SagaNotFound(f"no resource {resource_id} in saga {saga_id}")
        return record(Resource, item)

    def standing(self, saga_id: str) -> Standing:
        """The saga and what became of its resources; what was written meanwhile may show in some of them only."""
        snapshot = self._undivided(saga_id)
        if snapshot.saga.division is None:
            return standing_of(snapshot)
        return standing_of_shards(snapshot.saga, self.shards(saga_id))

    def batch(self, saga_id: str, wave: int, number: int) -> Snapshot:
        """The saga and the resources of one batch of a wave, in its order."""
        snapshot = self._undivided(saga_id)
        if snapshot.saga.division is None:
            by_id = {resource.id: resource for resource in snapshot.resources}
            ids = batch_of(snapshot.saga.waves[wave], number)
            return Snapshot(snapshot.saga, tuple(by_id[resource_id] for resource_id in ids))
        listed = self._table.get(saga_id, batch_key(wave, number))
        if listed is None:
            raise SagaNotFound(f"no batch {number} in wave {wave} of saga {saga_id}")
        keys = [f"{RESOURCE}{resource_id}" for resource_id in batch_ids(listed)]
        items = self._until_written(saga_id, lambda: self._table.get_at_once(saga_id, keys))
        return Snapshot(snapshot.saga, tuple(record(Resource, item) for item in items))

    def page(self, saga_id: str, after: str | None, limit: int) -> Snapshot:
        """The saga and its resources; of a divided one, at most `limit` by their ids, those above the id `after`."""
        snapshot = self._undivided(saga_id)
        if snapshot.saga.division is None:
            return snapshot
        low = f"{RESOURCE}{after}{NEXT}" if after else RESOURCE
        items = self._table.between(saga_id, low, f"{RESOURCE}{LAST}", limit)
        return Snapshot(snapshot.saga, tuple(record(Resource, item) for item in items))

    def shards(self, saga_id: str) -> list[Shard]:
        """The shards of a saga in their order, as last written; none of one that is not divided."""
        return [shard_of(item) for item in self._table.between(saga_id, SHARD, f"{SHARD}{LAST}")]

    def change_saga(self, saga_id: str, change: SagaChange, message: str | None = None) -> Standing:
        """Replace the header by what `change` makes of it; returns what stands now."""

        def attempt() -> Standing | None:
            saga = self.saga(saga_id)
            shards = self.shards(saga_id) if saga.division else []
            before = standing_of_shards(saga, shards) if saga.division else self._isolated(saga)
            if before is None:
                return None
            write = saga_write(before, change, self._clock.now(), message)
            if write is None:
                self._tell(shards, before.saga)
                return before
            if not self._commit(write, shards=shards if write.ends else ()):
                return None
            if not write.ends:
                self._tell(shards, write.saga)
            return before._replace(saga=write.saga)

        return self._until_written(saga_id, attempt)

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

        def attempt() -> tuple[Saga, Resource] | None:
            resource = self.resource(saga_id, resource_id)
            shard = self._shard(saga_id, resource.position.shard) if resource.position else None
            saga = shard.as_header() if shard else self.saga(saga_id)
            write = resource_write(saga, resource, change, self._clock.now(), message, fault, shard)
            if write is None or write.resource is None:
                return saga, resource
            return (write.saga, write.resource) if self._commit(write, bounds) else None

        return self._until_written(saga_id, attempt)

    def events(self, saga_id: str, after: int = 0, limit: int = 100, shard: int | None = None) -> list[Event]:
        """The saga's events, or those of a shard, with a number above `after`, in order, at most `limit`."""
        self.saga(saga_id)
        low, high = event_key(after + 1, shard), event_key(_LAST_NUMBER, shard)
        return [record(Event, item) for item in self._table.between(saga_id, low, high, limit)]

    def sagas(self, status: SagaStatus | None, limit: int, before: str | None, caller: str | None = None) -> list[Saga]:
        """The newest sagas first, of one caller if named, at most `limit`, continuing below the saga id `before`."""
        if caller is not None:
            return self._sagas_of(caller, status, limit, before)
        statuses = [status] if status else list(SagaStatus)
        found: dict[str, Saga] = {}
        for each in statuses:  # a saga that changes meanwhile may be found under two
            items = self._table.indexed(STATUS_INDEX, "status", each, limit, before)
            found |= {saga.id: saga for saga in _sagas(items)}
        return sorted(found.values(), key=lambda saga: saga.id, reverse=True)[:limit]

    def oldest(self, status: SagaStatus, limit: int) -> list[Saga]:
        """The sagas of a status that were opened first, at most `limit`."""
        return _sagas(self._table.indexed(STATUS_INDEX, "status", status, limit, None, newest_first=False))

    def lived(self, provider: str, target: str, since: datetime) -> list[Resource]:
        """The machines in a target that were ready at some time, and were not gone at or before `since`."""
        items = self._table.at_home_after(HOME_INDEX, f"{provider}/{target}", moment(since))
        return [record(Resource, item) for item in items]

    def _undivided(self, saga_id: str) -> Snapshot:
        """The saga with as many resources as it has if it is not divided."""
        return _snapshot(saga_id, self._table.between(saga_id, HEADER, f"{RESOURCE}{LAST}", 1 + MOST_UNDIVIDED))

    def _isolated(self, saga: Saga) -> Standing | None:
        """What stands of a saga that is not divided, as of one moment: a decision on it must not mix two states.

        None when a transaction that writes it was in the way.
        """
        ids = [resource_id for wave in saga.waves for resource_id in wave]
        items = self._table.get_at_once(saga.id, [HEADER, *(f"{RESOURCE}{resource_id}" for resource_id in ids)])
        return None if items is None else standing_of(_snapshot(saga.id, items))

    def _shard(self, saga_id: str, number: int) -> Shard:
        item = self._table.get(saga_id, shard_key(number))
        if item is None:
            raise SagaNotFound(f"no shard {number} in saga {saga_id}")
        return shard_of(item)

    def _sagas_of(self, caller: str, status: SagaStatus | None, limit: int, before: str | None) -> list[Saga]:
        found: list[Saga] = []
        while len(found) < limit:
            page = _sagas(self._table.indexed(CALLER_INDEX, "caller", caller, limit, before))
            found += [saga for saga in page if status in (None, saga.status)]
            if len(page) < limit:
                break
            before = page[-1].id
        return found[:limit]

    def _opened_before(self, key: IdempotencyKey) -> Saga | None:
        item = self._table.get(key_pk(key), "KEY")
        if item is None:
            return None
        if item["digest"]["S"] != key.digest:
            raise IdempotencyConflict(f"the idempotency key {key.key!r} was used for a different request")
        return self.saga(item["saga_id"]["S"])

    def _prepare(self, saga_id: str, items: Sequence[Item]) -> None:
        """Write what nobody knows of yet, in as many transactions as it takes."""
        puts = [self._table.put_new(item) for item in items]
        for first in range(0, len(puts), MOST_WRITTEN):
            some = puts[first : first + MOST_WRITTEN]
            self._until_written(saga_id, partial(self._prepared, some))

    def _prepared(self, requests: list[Request]) -> bool | None:
        return self._table.written(requests) or None

    def _tell(self, shards: Iterable[Shard], saga: Saga) -> None:
        """Let every shard know the header that has not been told it, or a newer one."""
        for shard in shards:
            if shard.header < saga.version:
                request = self._table.tell_shard(shard, saga, unchanged=False)
                self._until_written(saga.id, partial(self._told, request))

    def _told(self, request: Request) -> bool | None:
        """True when a shard knows a header by now; None when another transaction was in the way."""
        try:
            self._table.write([request])
        except Cancelled as cancelled:
            return True if cancelled.reasons == [CONDITION_FAILED] else None
        return True

    def _until_written(self, saga_id: str, attempt: Callable[[], T | None]) -> T:
        for number in range(_ATTEMPTS):
            result = attempt()
            if result is not None:
                return result
            self._back_off(number)
        raise RetryableError("LedgerContention", f"saga {saga_id} is being written by others")

    def _back_off(self, attempt: int) -> None:
        longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**attempt)
        self._pause(random.uniform(0, longest))  # noqa: S311 -- spreads retries, nothing secret

    def _commit(self, write: Write, bounds: Amounts | None = None, shards: Iterable[Shard] = ()) -> bool:
        """Write it, unless somebody else was faster; raises ClaimRefused where only its claim stands in the way.

        It ends a saga if it is told to `shards`, all of them.
        """
        requests = [*self._requests(write), *(self._table.tell_shard(it, write.saga, unchanged=True) for it in shards)]
        if write.claimed is None:
            return self._table.written(requests)
        holder = f"{write.saga.id}/{write.event.resource_id}"
        try:
            self._table.write([*requests, claim_update(self._table.name, write.claimed, holder, bounds)])
        except Cancelled as cancelled:
            *others, claim = cancelled.reasons
            if claim == CONDITION_FAILED and not any(others):
                raise ClaimRefused(write.claimed.cluster) from cancelled
            return False
        return True

    def _requests(self, write: Write) -> Iterator[Request]:
        if write.shard is not None:
            yield self._table.move_shard(write.shard)
        else:
            yield self._table.replace_header(write.saga)
        yield self._table.put_new(event_item(write.saga.id, write.event))
        if write.resource is not None:
            yield self._table.update_resource(write.resource)
        if write.freed is not None:
            yield release_update(self._table.name, write.freed)


def _no_saga(saga_id: str) -> SagaNotFound:
    return SagaNotFound(f"no saga {saga_id}")


def _sagas(items: Iterable[Item]) -> list[Saga]:
    return [record(Saga, item) for item in items]


def _snapshot(saga_id: str, items: Sequence[Item]) -> Snapshot:
    """The header, which comes first, and resources."""
    if not items:
        raise _no_saga(saga_id)
    header, *resources = items
    return Snapshot(record(Saga, header), tuple(in_request_order(resources)))
