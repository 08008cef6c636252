"""How a change becomes a write: the next state, checked against the table of states, numbered, with its event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from lambdas.core.clusters import Claim
from lambdas.core.errors import IllegalTransition
from lambdas.core.model import Event, Fault, Resource, Saga, Shard
from lambdas.core.ports.ledger import ResourceChange, SagaChange, Snapshot, Standing
from lambdas.core.states import ENDINGS, ResourceStatus, check_resource, check_saga

_ARRIVED: Final = frozenset({ResourceStatus.READY, ResourceStatus.ABSENT})
"""Where what troubled a resource on its way is over."""


class Write(NamedTuple):
    """What a ledger writes in one transaction.

    Provided that the header's version still is `saga.version - 1`, and the resource's revision `resource.revision - 1`.
    Where a `shard` stands in for the header, that its version is `shard.version - 1`, and that it knows the header as
    of the same version as when it was read. What is claimed of clusters in all follows from it: it grows by `claimed`
    and shrinks by `freed`.
    """

    saga: Saga
    resource: Resource | None
    event: Event
    claimed: Claim | None = None
    freed: Claim | None = None
    shard: Shard | None = None

    @property
    def ends(self) -> bool:
        """Whether a divided saga ends with it: then it has to be true of every shard at once."""
        return self.resource is None and self.saga.status in ENDINGS


def saga_write(before: Standing, change: SagaChange, now: datetime, message: str | None) -> Write | None:
    """The write that a change of the header amounts to, if it changes anything; raises IllegalTransition."""
    after = change(before)
    if after == before.saga:
        return None
    check_saga(before.saga.status, after.status)
    since = after.status_since if after.status is before.saga.status else now
    saga = after.model_copy(update={"version": before.saga.version + 1, "status_since": since})
    return Write(saga, None, Event(seq=saga.version, at=now, status=saga.status, message=message))


def resource_write(
    saga: Saga,
    before: Resource,
    change: ResourceChange,
    now: datetime,
    message: str | None,
    fault: Fault | None = None,
    shard: Shard | None = None,
) -> Write | None:
    """The write that a change of one resource amounts to, if it changes anything; raises IllegalTransition.

    Of a resource in a `shard`, the saga is as that knows it.
    """
    after = change(saga, before)
    if after == before:
        return None
    check_resource(before.status, after.status)
    trouble = 0 if after.status in _ARRIVED else after.trouble
    after = after.model_copy(update={"revision": before.revision + 1, "trouble": trouble})
    saga = saga.model_copy(update={"version": saga.version + 1})
    event = Event(seq=saga.version, at=now, resource_id=after.id, status=after.status, message=message)
    if fault is not None:
        event = event.model_copy(update=fault._asdict())
    write = Write(saga, after, event)
    if shard is not None:
        event = event.model_copy(update={"shard": shard.number})
        write = write._replace(event=event, shard=_moved_on(shard, before.status, after.status, now))
    if after.claim == before.claim:
        return write
    if before.claim and after.claim:
        raise IllegalTransition("a claim is freed before another is made")
    return write._replace(claimed=after.claim, freed=before.claim)


def _moved_on(shard: Shard, before: ResourceStatus, after: ResourceStatus, now: datetime) -> Shard:
    """The shard once one of its resources has another status, or the same once more."""
    counts = Counter(shard.counts)
    counts[before] -= 1
    counts[after] += 1
    arrived = {"ready_at": now} if after is ResourceStatus.READY else {}
    return shard.model_copy(
        update={"version": shard.version + 1, "counts": dict(+counts), "written_at": now, **arrived}
    )


def standing_of(snapshot: Snapshot) -> Standing:
    """What stands of a saga that is not divided."""
    by_id = {resource.id: resource for resource in snapshot.resources}
    waves = tuple(Counter(by_id[resource_id].status for resource_id in wave) for wave in snapshot.saga.waves)
    ready_at = max((it.ready_at for it in snapshot.resources if it.ready_at), default=None)
    return Standing(snapshot.saga, waves, ready_at)


def standing_of_shards(saga: Saga, shards: Sequence[Shard]) -> Standing:
    """What stands of a saga that is divided into these shards."""
    waves: list[Counter[ResourceStatus]] = [Counter() for _ in saga.wave_sizes]
    for shard in shards:
        waves[shard.wave].update(shard.counts)
    ready_at = max((it.ready_at for it in shards if it.ready_at), default=None)
    return Standing(saga, tuple(waves), ready_at)


def new_shards(saga: Saga, resources: Sequence[Resource]) -> list[Shard]:
    """The shards of a saga that is about to be opened; none of one that is not divided."""
    sizes = Counter(it.position for it in resources if it.position is not None)
    return [
        Shard(
            saga=saga,
            number=position.shard,
            wave=position.wave,
            counts={ResourceStatus.PLANNED: size},
            written_at=saga.created_at,
        )
        for position, size in sorted(sizes.items(), key=lambda item: item[0].shard)
    ]
