"""The ledger in one DynamoDB table.

| pk        | sk               | what                                                             |
|-----------|------------------|------------------------------------------------------------------|
| saga id   | `HEADER`         | the saga; `status` with `id`, and `caller` with `id`, are an index's keys |
| saga id   | `RESOURCE#id`    | a resource; `home` with `until` are an index's keys               |
| saga id   | `EVENT#000000n`  | the event with number n, written with the change it tells of     |
| `KEY#...` | `KEY`            | which saga an idempotency key opened, and the request's digest   |

What is claimed of private clusters stands in the same table: see `claims.py` and `clusters.py`. A machine there has,
from when it was ready on, a `home`, its provider and target, and an `until`, when it was gone, or `~` as long as it is
not: what lived in a span is found by these without reading what was gone before.

Each record is one JSON document in `document`; what conditions and the index need stands beside it. The header's
`version` counts the writes to anything of the saga, and each write demands that it is still the one that was read: so
the fence, the commit and the intents of one saga are in one order. Two reads in a row may fall on either side of a
transaction, so a resource has a `revision` that its own writes demand, and what decides on all of them reads them in a
transaction.
"""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeVar

from lambdas.adapters.claims import claim_update, release_update
from lambdas.adapters.dynamodb import CONDITION_FAILED, Cancelled, asked, queried, transacted
from lambdas.core.changes import Write, resource_write, saga_write
from lambdas.core.clusters import Amounts
from lambdas.core.errors import ClaimRefused, IdempotencyConflict, RetryableError, SagaNotFound
from lambdas.core.model import Event, Fault, Record, Resource, Saga
from lambdas.core.ports.clock import Clock
from lambdas.core.ports.ledger import IdempotencyKey, ResourceChange, SagaChange, Snapshot
from lambdas.core.specs import PrivateInstance
from lambdas.core.states import SagaStatus
from lambdas.core.targets import DEFAULT

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

HEADER: Final = "HEADER"
RESOURCE: Final = "RESOURCE#"
"""How the sort keys of resources begin."""

_LAST: Final = f"{RESOURCE}~"
"""Above the sort keys of resources, as HEADER is below them, with nothing but these in between."""

STATUS_INDEX: Final = "by-status"
CALLER_INDEX: Final = "by-caller"
HOME_INDEX: Final = "by-home"

_LIVING: Final = "~"  # later than any moment
_LONGEST_KEY: Final = 2048  # bytes that DynamoDB takes as a partition key; it refuses to look for a longer one
_ATTEMPTS: Final = 12
_FIRST_PAUSE: Final = 0.01
_LONGEST_PAUSE: Final = 0.5

T = TypeVar("T")
R = TypeVar("R", bound=Record)


class DynamoLedger:
    """The ledger on DynamoDB; reads are strongly consistent except for what is listed by an index."""

    def __init__(self, client: DynamoDBClient, table: str, clock: Clock, pause: Callable[[float], None] = time.sleep):
        self._client = client
        self._table = table
        self._clock = clock
        self._pause = pause

    def open(self, saga: Saga, resources: Sequence[Resource], key: IdempotencyKey) -> Saga:
        """Write a new saga, or return the one that the same key opened before."""
        opened = Write(saga.model_copy(update={"version": 1}), None, _opening_event(saga))
        puts = [self._put_new(_key_item(key, saga.id)), self._put_new(_header_item(opened.saga))]
        puts += [self._put_new(_resource_item(resource, place)) for place, resource in enumerate(resources)]
        puts.append(self._put_new(_event_item(saga.id, opened.event)))
        for attempt in range(_ATTEMPTS):
            before = self._opened_before(key)
            if before is not None:
                return before
            if self._transact(puts):
                return opened.saga
            self._back_off(attempt)
        raise _contention(saga.id)

    def saga(self, saga_id: str) -> Saga:
        """The saga's header, as last written."""
        return self._read(Saga, saga_id, HEADER)

    def resource(self, saga_id: str, resource_id: str) -> Resource:
        """One resource, as last written."""
        return self._read(Resource, saga_id, f"{RESOURCE}{resource_id}")

    def snapshot(self, saga_id: str) -> Snapshot:
        """The saga and its resources; what was written while they were read may show in some of them only."""
        bounds = {":header": {"S": HEADER}, ":last": {"S": _LAST}}
        items = self._query(saga_id, "sk BETWEEN :header AND :last", bounds) if _can_exist(saga_id) else []
        if not items:
            raise _no_saga(saga_id)
        header, *resources = items
        return _snapshot(_record(Saga, header), resources)

    def change_saga(self, saga_id: str, change: SagaChange, message: str | None = None) -> Snapshot:
        """Replace the header by what `change` makes of it; returns what stands now."""

        def attempt() -> Snapshot | None:
            before = self._isolated_snapshot(saga_id)
            if before is None:
                return None
            write = saga_write(before, change, self._clock.now(), message)
            if write is None:
                return before
            return Snapshot(write.saga, before.resources) if self._commit(write) else None

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
            saga = self.saga(saga_id)
            resource = self.resource(saga_id, resource_id)
            write = resource_write(saga, resource, change, self._clock.now(), message, fault)
            if write is None or write.resource is None:
                return saga, resource
            return (write.saga, write.resource) if self._commit(write, bounds) else None

        return self._until_written(saga_id, attempt)

    def events(self, saga_id: str, after: int = 0, limit: int = 100) -> list[Event]:
        """The saga's events with a number above `after`, in order, at most `limit`."""
        self.saga(saga_id)
        bounds = {":low": {"S": _event_key(after + 1)}, ":high": {"S": _event_key(10**12 - 1)}}
        return [_record(Event, item) for item in self._query(saga_id, "sk BETWEEN :low AND :high", bounds, limit)]

    def sagas(self, status: SagaStatus | None, limit: int, before: str | None, caller: str | None = None) -> list[Saga]:
        """The newest sagas first, of one caller if named, at most `limit`, continuing below the saga id `before`."""
        if caller is not None:
            return self._sagas_of(caller, status, limit, before)
        statuses = [status] if status else list(SagaStatus)
        found: dict[str, Saga] = {}
        for each in statuses:  # a saga that changes meanwhile may be found under two
            found |= {saga.id: saga for saga in self._sagas_with(each, limit, before)}
        return sorted(found.values(), key=lambda saga: saga.id, reverse=True)[:limit]

    def oldest(self, status: SagaStatus, limit: int) -> list[Saga]:
        """The sagas of a status that were opened first, at most `limit`."""
        return self._indexed(STATUS_INDEX, "status", status, limit, None, newest_first=False)

    def lived(self, provider: str, target: str, since: datetime) -> list[Resource]:
        """The machines in a target that were ready at some time, and were not gone at or before `since`."""
        request = {
            "TableName": self._table,
            "IndexName": HOME_INDEX,
            "KeyConditionExpression": "home = :home AND #until > :since",
            "ExpressionAttributeNames": {"#until": "until"},
            "ExpressionAttributeValues": {":home": {"S": f"{provider}/{target}"}, ":since": {"S": _moment(since)}},
        }
        return [_record(Resource, item) for item in queried(self._client, request)]

    def _isolated_snapshot(self, saga_id: str) -> Snapshot | None:
        """The saga and its resources as of one moment: what is decided on them must not mix two states.

        None when a transaction that writes them was in the way.
        """
        ids = [resource_id for wave in self.saga(saga_id).waves for resource_id in wave]
        keys = [HEADER, *(f"{RESOURCE}{resource_id}" for resource_id in ids)]
        gets: list[Any] = [
            {"Get": {"TableName": self._table, "Key": {"pk": {"S": saga_id}, "sk": {"S": key}}}} for key in keys
        ]
        try:
            answer = transacted(partial(self._client.transact_get_items, TransactItems=gets))
        except Cancelled:
            return None
        header, *items = [response["Item"] for response in answer["Responses"]]
        return _snapshot(_record(Saga, header), items)

    def _sagas_with(self, status: SagaStatus, limit: int, before: str | None) -> list[Saga]:
        return self._indexed(STATUS_INDEX, "status", status, limit, before)

    def _sagas_of(self, caller: str, status: SagaStatus | None, limit: int, before: str | None) -> list[Saga]:
        found: list[Saga] = []
        while len(found) < limit:
            page = self._indexed(CALLER_INDEX, "caller", caller, limit, before)
            found += [saga for saga in page if status in (None, saga.status)]
            if len(page) < limit:
                break
            before = page[-1].id
        return found[:limit]

    def _indexed(
        self, index: str, key: str, value: str, limit: int, before: str | None, *, newest_first: bool = True
    ) -> list[Saga]:
        answer = asked(
            lambda: self._client.query(
                TableName=self._table,
                IndexName=index,
                KeyConditionExpression="#key = :key AND id < :before",
                ExpressionAttributeNames={"#key": key},
                ExpressionAttributeValues={":key": {"S": value}, ":before": {"S": before or "~"}},
                ScanIndexForward=not newest_first,
                Limit=limit,
            )
        )
        return [_record(Saga, item) for item in answer["Items"]]

    def _opened_before(self, key: IdempotencyKey) -> Saga | None:
        item = self._get(_key_pk(key), "KEY")
        if item is None:
            return None
        if item["digest"]["S"] != key.digest:
            raise IdempotencyConflict(f"the idempotency key {key.key!r} was used for a different request")
        return self.saga(item["saga_id"]["S"])

    def _until_written(self, saga_id: str, attempt: Callable[[], T | None]) -> T:
        for number in range(_ATTEMPTS):
            result = attempt()
            if result is not None:
                return result
            self._back_off(number)
        raise _contention(saga_id)

    def _back_off(self, attempt: int) -> None:
        longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**attempt)
        self._pause(random.uniform(0, longest))  # noqa: S311 -- spreads retries, nothing secret

    def _commit(self, write: Write, bounds: Amounts | None = None) -> bool:
        """Write it, unless somebody else was faster; raises ClaimRefused where only its claim stands in the way."""
        items = [self._replace_header(write.saga), self._put_new(_event_item(write.saga.id, write.event))]
        if write.resource is not None:
            items.append(self._update_resource(write.resource))
        if write.freed is not None:
            items.append(release_update(self._table, write.freed))
        if write.claimed is None:
            return self._transact(items)
        holder = f"{write.saga.id}/{write.event.resource_id}"
        try:
            self._write([*items, claim_update(self._table, write.claimed, holder, bounds)])
        except Cancelled as cancelled:
            *others, claim = cancelled.reasons
            if claim == CONDITION_FAILED and not any(others):
                raise ClaimRefused(write.claimed.cluster) from cancelled
            return False
        return True

    def _transact(self, items: list[Any]) -> bool:
        """Write all or nothing; False when a condition failed or another transaction was in the way."""
        try:
            self._write(items)
        except Cancelled:
            return False
        return True

    def _write(self, items: list[Any]) -> None:
        """Write all or nothing; raises Cancelled.

        The SDK's own retries carry one token, so that a write whose reply was lost is not taken for somebody else's.
        """
        transacted(partial(self._client.transact_write_items, TransactItems=items))

    def _put_new(self, item: dict[str, Any]) -> dict[str, Any]:
        return {"Put": {"TableName": self._table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}

    def _replace_header(self, saga: Saga) -> dict[str, Any]:
        return {
            "Put": {
                "TableName": self._table,
                "Item": _header_item(saga),
                "ConditionExpression": "version = :read",
                "ExpressionAttributeValues": {":read": {"N": str(saga.version - 1)}},
            }
        }

    def _update_resource(self, resource: Resource) -> dict[str, Any]:
        home = _home(resource)
        return {
            "Update": {
                "TableName": self._table,
                "Key": {"pk": {"S": resource.saga_id}, "sk": {"S": f"{RESOURCE}{resource.id}"}},
                "UpdateExpression": ", ".join(
                    ["SET document = :document", "revision = :revision", *(f"#{name} = :{name}" for name in home)]
                ),
                "ConditionExpression": "revision = :read",
                **({"ExpressionAttributeNames": {f"#{name}": name for name in home}} if home else {}),
                "ExpressionAttributeValues": {
                    **{f":{name}": {"S": value} for name, value in home.items()},
                    ":document": {"S": resource.model_dump_json()},
                    ":revision": {"N": str(resource.revision)},
                    ":read": {"N": str(resource.revision - 1)},
                },
            }
        }

    def _read(self, kind: type[R], pk: str, sk: str) -> R:
        item = self._get(pk, sk)
        if item is None:
            raise _no_saga(pk) if sk == HEADER else SagaNotFound(f"no resource {sk.partition('#')[2]} in saga {pk}")
        return _record(kind, item)

    def _get(self, pk: str, sk: str) -> dict[str, Any] | None:
        if not _can_exist(pk):
            return None
        answer = asked(
            lambda: self._client.get_item(
                TableName=self._table, Key={"pk": {"S": pk}, "sk": {"S": sk}}, ConsistentRead=True
            )
        )
        item: dict[str, Any] | None = answer.get("Item")
        return item

    def _query(
        self, saga_id: str, condition: str, values: dict[str, Any], limit: int | None = None
    ) -> list[dict[str, Any]]:
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": f"pk = :pk AND {condition}",
            "ExpressionAttributeValues": {":pk": {"S": saga_id}, **values},
            "ConsistentRead": True,
            **({"Limit": limit} if limit else {}),
        }
        return list(islice(queried(self._client, request), limit))


def _can_exist(pk: str) -> bool:
    """Whether DynamoDB takes a partition key at all."""
    return len(pk.encode()) <= _LONGEST_KEY


def _no_saga(saga_id: str) -> SagaNotFound:
    return SagaNotFound(f"no saga {saga_id}")


def _contention(saga_id: str) -> RetryableError:
    return RetryableError("LedgerContention", f"saga {saga_id} is being written by others")


def _opening_event(saga: Saga) -> Event:
    return Event(seq=1, at=saga.created_at, status=saga.status)


def _header_item(saga: Saga) -> dict[str, Any]:
    return {
        "pk": {"S": saga.id},
        "sk": {"S": HEADER},
        "id": {"S": saga.id},
        "status": {"S": saga.status},
        "caller": {"S": saga.caller},
        "version": {"N": str(saga.version)},
        "document": {"S": saga.model_dump_json()},
    }


def _resource_item(resource: Resource, place: int) -> dict[str, Any]:
    return {
        "pk": {"S": resource.saga_id},
        "sk": {"S": f"{RESOURCE}{resource.id}"},
        "place": {"N": str(place)},
        "revision": {"N": str(resource.revision)},
        "document": {"S": resource.model_dump_json()},
    }


def _home(resource: Resource) -> dict[str, str]:
    """Where a machine lives or lived, and until when; empty for what is on no private cluster, or was never ready."""
    if not isinstance(resource.definition, PrivateInstance) or resource.ready_at is None:
        return {}
    target = resource.target.name if resource.target else DEFAULT
    until = _moment(resource.gone_at) if resource.gone_at else _LIVING
    return {"home": f"{resource.definition.provider}/{target}", "until": until}


def _moment(at: datetime) -> str:
    """A moment so that text sorts by time."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _event_item(saga_id: str, event: Event) -> dict[str, Any]:
    return {
        "pk": {"S": saga_id},
        "sk": {"S": _event_key(event.seq)},
        "document": {"S": event.model_dump_json()},
    }


def _event_key(seq: int) -> str:
    return f"EVENT#{seq:012d}"


def _key_item(key: IdempotencyKey, saga_id: str) -> dict[str, Any]:
    return {
        "pk": {"S": _key_pk(key)},
        "sk": {"S": "KEY"},
        "saga_id": {"S": saga_id},
        "digest": {"S": key.digest},
    }


def _key_pk(key: IdempotencyKey) -> str:
    return "KEY#" + hashlib.sha256(f"{key.caller}\n{key.key}".encode()).hexdigest()


def _snapshot(saga: Saga, items: list[dict[str, Any]]) -> Snapshot:
    items = sorted(items, key=lambda item: int(item["place"]["N"]))
    return Snapshot(saga, tuple(_record(Resource, item) for item in items))


def _record(kind: type[R], item: dict[str, Any]) -> R:
    return kind.model_validate_json(item["document"]["S"])
