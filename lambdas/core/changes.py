"""How a change becomes a write: the next state, checked against the table of states, numbered, with its event."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

from lambdas.core.clusters import Claim
from lambdas.core.errors import IllegalTransition
from lambdas.core.model import Event, Fault, Resource, Saga
from lambdas.core.ports.ledger import ResourceChange, SagaChange, Snapshot
from lambdas.core.states import ResourceStatus, check_resource, check_saga

_ARRIVED: Final = frozenset({ResourceStatus.READY, ResourceStatus.ABSENT})
"""Where what troubled a resource on its way is over."""


class Write(NamedTuple):
    """What a ledger writes in one transaction.

    Provided that the header's version still is `saga.version - 1`, and the resource's revision `resource.revision - 1`.
    What is claimed of clusters in all follows from it: it grows by `claimed` and shrinks by `freed`.
    """

    saga: Saga
    resource: Resource | None
    event: Event
    claimed: Claim | None = None
    freed: Claim | None = None


def saga_write(before: Snapshot, change: SagaChange, now: datetime, message: str | None) -> Write | None:
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
) -> Write | None:
    """The write that a change of one resource amounts to, if it changes anything; raises IllegalTransition."""
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
    if after.claim == before.claim:
        return Write(saga, after, event)
    if before.claim and after.claim:
        raise IllegalTransition("a claim is freed before another is made")
    return Write(saga, after, event, claimed=after.claim, freed=before.claim)
