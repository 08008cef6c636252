"""What callers do with sagas: submit, look, approve, cancel, resume, destroy."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Final, NamedTuple

from lambdas.core.errors import FieldError, MovedOn, NotPossible, RequestError
from lambdas.core.model import Event, Resource, Saga, Shard
from lambdas.core.plan import NO_TARGETS, new_saga_id, plan_saga
from lambdas.core.ports.clock import Clock
from lambdas.core.ports.executions import Executions
from lambdas.core.ports.ledger import IdempotencyKey, Ledger, Standing
from lambdas.core.request import SagaRequest
from lambdas.core.states import ENDINGS, ResourceStatus, SagaStatus
from lambdas.core.steps.approving import awaiting
from lambdas.core.steps.saga import ReleaseReason
from lambdas.core.targets import Target

LONGEST_WAIT: Final = 20.0
"""Seconds that a long poll may last: below API Gateway's 30."""

MOST_SHOWN: Final = 1000
"""Resources of a divided saga that are shown at once: what a function answers has at most 6 MB."""

EVENTS_IN_A_PAGE: Final = 100

_POLL_INTERVAL: Final = 0.05

_DIVIDED_POLL_INTERVAL: Final = 0.5
"""Of a divided saga all shards are read each time, a hundred times as much as a header."""

_UNDOING: Final = (
    SagaStatus.COMPENSATING,
    SagaStatus.ROLLED_BACK,
    SagaStatus.RELEASING,
    SagaStatus.RELEASED,
)


class SagaPage(NamedTuple):
    """A saga and some of its resources, how many in all have which status, and after which id there are more.

    Whatever comes after the events before `cursor` may not show yet, and nothing that came before is missing.
    """

    saga: Saga
    resources: tuple[Resource, ...]
    counts: Mapping[ResourceStatus, int]
    following: str | None
    cursor: tuple[int, ...]

    def first(self, number: int) -> SagaPage:
        """The page of a divided saga with no more than so many resources."""
        if number >= len(self.resources):
            return self
        return self._replace(resources=self.resources[:number], following=self.resources[number - 1].id)


class EventPage(NamedTuple):
    """Some events of a saga, and the cursor after which there are more."""

    saga: Saga
    events: list[Event]
    cursor: tuple[int, ...]


class Sagas:
    """The sagas of all callers. Everything that changes one is recorded in the ledger before it is acted on.

    Orders take the versions `seen` that their caller decided about, where it matters to them: MovedOn is raised, and
    nothing is done, for a saga that is at none of these.
    """

    def __init__(self, ledger: Ledger, executions: Executions, clock: Clock, pause: Callable[[float], None]) -> None:
        self._ledger = ledger
        self._executions = executions
        self._clock = clock
        self._pause = pause

    def submit(self, request: SagaRequest, caller: str, key: str, targets: Mapping[str, Target] = NO_TARGETS) -> Saga:
        """Open a saga and start it; the same key and request again give the same saga. `targets` are by resource id.

        Raises IdempotencyConflict when the key stands for another request. A crash between the ledger's write and the
        start is mended by the repeated call: starting twice starts once.
        """
        now = self._clock.now()
        planned = plan_saga(request, new_saga_id(now), caller, now, targets)
        saga = self._ledger.open(planned.saga, planned.resources, IdempotencyKey(caller, key, _digest(request)))
        if saga.status is SagaStatus.PENDING:
            self._executions.start_provisioning(saga.id)
        return saga

    def header(self, saga_id: str) -> Saga:
        """A saga without its resources; raises SagaNotFound."""
        return self._ledger.saga(saga_id)

    def get(self, saga_id: str, after: str | None = None, limit: int = MOST_SHOWN) -> SagaPage:
        """A saga and its resources, in the order of its request; raises SagaNotFound.

        Of a divided one they are in the order of their ids, at most `limit`, continuing above the id `after`.
        """
        saga, resources = self._ledger.page(saga_id, after, 1)
        if saga.division is None:
            return SagaPage(saga, resources, Counter(it.status for it in resources), None, (saga.version,))
        shards = self._ledger.shards(saga_id)  # before the resources, so that these are as new as the cursor says
        saga, resources = self._ledger.page(saga_id, after, limit + 1)
        counts = Counter[ResourceStatus]()
        for shard in shards:
            counts.update(shard.counts)
        return SagaPage(saga, resources, counts, None, _newest(saga, shards)).first(limit)

    def find(
        self,
        status: SagaStatus | None,
        label: tuple[str, str] | None,
        limit: int,
        before: str | None,
        caller: str | None = None,
    ) -> list[Saga]:
        """The newest sagas first, at most `limit`, below the id `before`; with that status, label and caller only."""
        found: list[Saga] = []
        while len(found) < limit:
            page = self._ledger.sagas(status, limit, before, caller)
            found += [saga for saga in page if label is None or saga.labels.get(label[0]) == label[1]]
            if len(page) < limit:
                break
            before = page[-1].id
        return found[:limit]

    def events(self, saga_id: str, after: Sequence[int], wait: float) -> EventPage:
        """Some of the events that come after a cursor; when there are none yet, wait for one up to `wait` seconds.

        A cursor has the number of the last event that was read: first of the saga's own, then of each shard's; those
        that it leaves out are 0. Raises RequestError for one with more numbers than the saga has.
        """
        deadline = self._clock.now() + timedelta(seconds=min(wait, LONGEST_WAIT))
        while True:
            saga = self._ledger.saga(saga_id)  # each of its versions is an event, so small items tell of any
            shards = self._ledger.shards(saga_id) if saga.division else []
            newest = _newest(saga, shards)
            if len(after) > len(newest):
                raise RequestError([FieldError("after", "is the cursor of another saga; begin with 0")])
            seen = (*after, *([0] * (len(newest) - len(after))))
            if any(now > then for now, then in zip(newest, seen, strict=True)):
                return self._events_between(saga, seen, newest)
            if self._clock.now() >= deadline or ended(saga):
                return EventPage(saga, [], seen)
            self._pause(_DIVIDED_POLL_INTERVAL if shards else _POLL_INTERVAL)

    def _events_between(self, saga: Saga, seen: Sequence[int], newest: Sequence[int]) -> EventPage:
        """As many events as a page has, in the order in which they happened.

        The header's come first, then those of the shard that has most of them: whoever cannot keep up with all shards
        hears of each in turn.
        """
        cursor, events = list(seen), list[Event]()
        behind = {place: now - then for place, (then, now) in enumerate(zip(seen, newest, strict=True)) if now > then}
        for place in sorted(behind, key=lambda it: (it > 0, -behind[it])):
            if len(events) < EVENTS_IN_A_PAGE:
                shard = place - 1 if place else None
                some = self._ledger.events(saga.id, seen[place], EVENTS_IN_A_PAGE - len(events), shard)
                events += some
                cursor[place] = some[-1].seq if some else seen[place]
        return EventPage(saga, sorted(events, key=lambda event: event.at), tuple(cursor))

    def approve(self, saga_id: str, caller: str, seen: Collection[int] | None = None) -> Saga:
        """Let a saga go on that waits for approval; one that was approved before stays as it is.

        Raises NotPossible for one that does not wait. Once this returns the state machine has been woken; a crash
        before that is mended by the repeated call.
        """
        now = self._clock.now()

        def change(standing: Standing) -> Saga:
            saga = _as_seen(standing.saga, seen)
            if saga.approval is None:
                raise NotPossible(f"saga {saga_id} asks for no approval; its request would have to say so")
            if saga.approval.approved_by is not None:
                return saga
            if not awaiting(saga):
                found = "cancelled" if saga.cancel_requested else saga.status
                raise NotPossible(f"saga {saga_id} is {found}; only one in AWAITING_APPROVAL can be approved")
            approval = saga.approval.model_copy(update={"approved_by": caller, "approved_at": now})
            return saga.model_copy(update={"status": SagaStatus.PROVISIONING, "approval": approval})

        saga = self._ledger.change_saga(saga_id, change, f"approved by {caller}").saga
        self._wake(saga)
        return saga

    def cancel(self, saga_id: str, seen: Collection[int] | None = None) -> Saga:
        """Ask for a saga that has not committed to be undone; one that is being undone already stays as it is.

        Raises NotPossible for one that committed, or that needs attention.
        """

        def change(standing: Standing) -> Saga:
            saga = _as_seen(standing.saga, seen)
            if saga.status in _UNDOING:
                return saga
            if saga.status is SagaStatus.COMMITTED:
                raise NotPossible(f"saga {saga_id} has committed; DELETE it to remove its resources")
            if saga.status is SagaStatus.NEEDS_ATTENTION:
                raise NotPossible(f"saga {saga_id} needs attention; resume it to have its resources removed")
            return saga.model_copy(update={"cancel_requested": True})

        saga = self._ledger.change_saga(saga_id, change, "cancel requested").saga
        if saga.status is SagaStatus.PENDING:  # its start may have been lost, and then nobody would act on the cancel
            self._executions.start_provisioning(saga_id)
        if saga.status is SagaStatus.AWAITING_APPROVAL:
            self._wake(saga)
        return saga

    def resume(self, saga_id: str, seen: Collection[int] | None = None) -> Saga:
        """Try again to remove what a release left behind; raises NotPossible unless the saga needs attention."""
        saga = _as_seen(self._ledger.saga(saga_id), seen)
        if saga.status is not SagaStatus.NEEDS_ATTENTION:
            raise NotPossible(f"saga {saga_id} is {saga.status}; only one in NEEDS_ATTENTION can be resumed")
        self._executions.start_release(saga_id, ReleaseReason.DESTROY, saga.version)
        return saga

    def destroy(self, saga_id: str, seen: Collection[int] | None = None) -> Saga:
        """Remove every resource of a saga, committed or not; one that is being undone already stays as it is."""
        saga = _as_seen(self._ledger.saga(saga_id), seen)
        if saga.status is SagaStatus.NEEDS_ATTENTION:
            return self.resume(saga_id, seen)
        if saga.status is not SagaStatus.COMMITTED:
            try:
                return self.cancel(saga_id, seen)
            except NotPossible:  # it ended in the meantime
                saga = _as_seen(self._ledger.saga(saga_id), seen)
        self._executions.start_release(saga_id, ReleaseReason.DESTROY, saga.version)
        return saga

    def _wake(self, saga: Saga) -> None:
        """Whichever of its tokens is waited for; an asking that was tried again has left others behind."""
        for token in saga.approval.tokens if saga.approval else ():
            self._executions.wake(token)


def _newest(saga: Saga, shards: Iterable[Shard]) -> tuple[int, ...]:
    """The cursor behind the latest event of a saga and of each of its shards."""
    return (saga.version, *(shard.version for shard in shards))


def _as_seen(saga: Saga, seen: Collection[int] | None) -> Saga:
    if seen is not None and saga.version not in seen:
        raise MovedOn(f"saga {saga.id} is at version {saga.version} by now; look at it again, then decide")
    return saga


def ended(saga: Saga) -> bool:
    """Whether no execution is at work on the saga."""
    return saga.status in ENDINGS


def _digest(request: SagaRequest) -> str:
    """The same for the same request, however its document was written and whatever fields there are one day."""
    document = request.model_dump(mode="json", exclude_defaults=True)
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
