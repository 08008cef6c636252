"""How the ledger's records stand in its table: the keys of items, and what is in them.

| pk        | sk                  | what                                                                      |
|-----------|---------------------|---------------------------------------------------------------------------|
| saga id   | `HEADER`            | the saga; `status` with `id`, and `caller` with `id`, are an index's keys |
| saga id   | `RESOURCE#id`       | a resource; `home` with `until` are an index's keys                       |
| saga id   | `EVENT#n`           | the event with number n, written with the change it tells of              |
| saga id   | `SHARD#s`           | of a divided saga: what orders the writes to the resources of shard s     |
| saga id   | `SHARDEVENT#s#n`    | the event to which shard s has given the number n                         |
| saga id   | `BATCH#w#b`         | of a divided saga: which resources are in batch b of wave w               |
| `KEY#...` | `KEY`               | which saga an idempotency key opened, and the request's digest            |

What is claimed of private clusters stands in the same table: see `claims.py` and `clusters.py`. A machine there has,
from when it was ready on, a `home`, its provider and target, and an `until`, when it was gone, or `~` as long as it is
not: what lived in a span is found by these without reading what was gone before.

Each record is one JSON document in `document`; what conditions and the index need stands beside it. Numbers in keys
have leading zeros, so that keys sort like them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from lambdas.core.division import batch_of, batches_of
from lambdas.core.model import Event, Record, Resource, Saga, Shard
from lambdas.core.ports.ledger import IdempotencyKey
from lambdas.core.specs import PrivateInstance
from lambdas.core.targets import DEFAULT

HEADER: Final = "HEADER"
RESOURCE: Final = "RESOURCE#"
"""How the sort keys of resources begin."""

SHARD: Final = "SHARD#"
"""How the sort keys of shards begin."""

LAST: Final = "~"
"""Above everything that a sort key may go on with."""

NEXT: Final = "!"
"""Below every character of an id: a key that ends with it is just above the one without."""

STATUS_INDEX: Final = "by-status"
CALLER_INDEX: Final = "by-caller"
HOME_INDEX: Final = "by-home"

_LIVING: Final = "~"  # later than any moment
_LONGEST_KEY: Final = 2048  # bytes that DynamoDB takes as a partition key; it refuses to look for a longer one

Item = dict[str, Any]
"""An item as DynamoDB's API has it: by each attribute's name its type and value."""

R = TypeVar("R", bound=Record)


def can_exist(pk: str) -> bool:
    """Whether DynamoDB takes a partition key at all."""
    return len(pk.encode()) <= _LONGEST_KEY


def key_of(pk: str, sk: str) -> Item:
    """The key of an item."""
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def record(kind: type[R], item: Item) -> R:
    """The record that an item holds."""
    return kind.model_validate_json(item["document"]["S"])


def header_item(saga: Saga) -> Item:
    """A saga's header."""
    return {
        **key_of(saga.id, HEADER),
        "id": {"S": saga.id},
        "status": {"S": saga.status},
        "caller": {"S": saga.caller},
        "version": {"N": str(saga.version)},
        "document": {"S": saga.model_dump_json()},
    }


def resource_item(resource: Resource, place: int) -> Item:
    """A resource that is new, with its place in the request."""
    return {
        **key_of(resource.saga_id, f"{RESOURCE}{resource.id}"),
        "place": {"N": str(place)},
        "revision": {"N": str(resource.revision)},
        "document": {"S": resource.model_dump_json()},
    }


def in_request_order(items: Sequence[Item]) -> list[Resource]:
    """The resources in some items."""
    return [record(Resource, item) for item in sorted(items, key=lambda item: int(item["place"]["N"]))]


def home(resource: Resource) -> dict[str, str]:
    """Where a machine lives or lived, and until when; empty for what is on no private cluster, or was never ready."""
    if not isinstance(resource.definition, PrivateInstance) or resource.ready_at is None:
        return {}
    target = resource.target.name if resource.target else DEFAULT
    until = moment(resource.gone_at) if resource.gone_at else _LIVING
    return {"home": f"{resource.definition.provider}/{target}", "until": until}


def moment(at: datetime) -> str:
    """A moment so that text sorts by time."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def event_item(saga_id: str, event: Event) -> Item:
    """An event."""
    return {**key_of(saga_id, event_key(event.seq, event.shard)), "document": {"S": event.model_dump_json()}}


def event_key(seq: int, shard: int | None) -> str:
    """The sort key of an event of the header, or of a shard."""
    return f"EVENT#{seq:012d}" if shard is None else f"SHARDEVENT#{shard:03d}#{seq:012d}"


def key_item(key: IdempotencyKey, saga_id: str) -> Item:
    """What a key stands for."""
    return {**key_of(key_pk(key), "KEY"), "saga_id": {"S": saga_id}, "digest": {"S": key.digest}}


def key_pk(key: IdempotencyKey) -> str:
    """The partition of a key, which may be longer than one can be."""
    return "KEY#" + hashlib.sha256(f"{key.caller}\n{key.key}".encode()).hexdigest()


def shard_key(number: int) -> str:
    """The sort key of a shard."""
    return f"{SHARD}{number:03d}"


def shard_item(shard: Shard) -> Item:
    """A shard; the saga as it knows it stands by itself, since it is written by itself."""
    return {**key_of(shard.saga.id, shard_key(shard.number)), **shard_attributes(shard), **known_saga(shard.saga)}


def shard_attributes(shard: Shard) -> Item:
    """What a write to one of a shard's resources changes."""
    return {
        "version": {"N": str(shard.version)},
        "document": {"S": shard.model_dump_json(exclude={"saga", "header", "version"})},
    }


def known_saga(saga: Saga) -> Item:
    """What a write to the header changes in a shard."""
    return {"header": {"N": str(saga.version)}, "saga": {"S": saga.model_dump_json()}}


def shard_of(item: Item) -> Shard:
    """The shard in an item."""
    return Shard.model_validate(
        {
            **json.loads(item["document"]["S"]),
            "saga": json.loads(item["saga"]["S"]),
            "header": item["header"]["N"],
            "version": item["version"]["N"],
        }
    )


def batch_key(wave: int, number: int) -> str:
    """The sort key of a batch."""
    return f"BATCH#{wave:03d}#{number:04d}"


def batch_ids(item: Item) -> list[str]:
    """The ids of the resources in a batch."""
    return [value["S"] for value in item["ids"]["L"]]


def batch_items(saga: Saga, resources: Sequence[Resource]) -> Iterator[Item]:
    """The batches of a saga that is divided."""
    placed = [(it.position, it.id) for it in resources if it.position is not None]
    placed.sort(key=lambda pair: pair[0].shard)
    for wave in range(len(saga.wave_sizes)):
        ids = [resource_id for position, resource_id in placed if position.wave == wave]
        for number in range(batches_of(len(ids))):
            listed = [{"S": resource_id} for resource_id in batch_of(ids, number)]
            yield {**key_of(saga.id, batch_key(wave, number)), "ids": {"L": listed}}
