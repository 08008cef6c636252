"""The sweep: what exists in the clouds and should not, and the sagas that nobody works on any more.

It only looks and decides. What is to be done about it are releases, which the state machine starts.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Final, NamedTuple

from typing_extensions import TypedDict  # pydantic reads these, and takes the standard one from Python 3.12 on

from lambdas.core.errors import SagaNotFound
from lambdas.core.model import Saga
from lambdas.core.policy import Policy
from lambdas.core.ports.clock import Clock
from lambdas.core.ports.ledger import Ledger
from lambdas.core.ports.provider import Inventory, Marked
from lambdas.core.states import ResourceStatus, SagaStatus
from lambdas.core.steps.paging import pages
from lambdas.core.steps.saga import ReleaseReason
from lambdas.core.targets import DEFAULT, Target

MOST_LISTED: Final = 100
"""Of each kind and cloud, so that a sweep's payload stays far below 256 KiB; the next sweep takes what is left."""

_PAGE: Final = 100

_AT_WORK: Final = (SagaStatus.PENDING, SagaStatus.PROVISIONING, SagaStatus.COMPENSATING, SagaStatus.RELEASING)
_NOTHING_LEFT: Final = (SagaStatus.ROLLED_BACK, SagaStatus.RELEASED)
_TAKE_UP: Final[Mapping[SagaStatus, ReleaseReason]] = {
    SagaStatus.PENDING: ReleaseReason.COMPENSATE,
    SagaStatus.PROVISIONING: ReleaseReason.COMPENSATE,
    SagaStatus.AWAITING_APPROVAL: ReleaseReason.COMPENSATE,
    SagaStatus.COMPENSATING: ReleaseReason.COMPENSATE,
    SagaStatus.RELEASING: ReleaseReason.DESTROY,
}


class Finding(TypedDict):
    """Something in a target of a cloud that carries our mark."""

    cloud: str
    target: str
    saga_id: str
    resource_id: str
    cloud_id: str


class CloudFindings(TypedDict):
    """What a look at one target found: the first of each kind, and how many there are."""

    cloud: str
    target: str
    marked: int
    orphans: list[Finding]
    orphan_count: int
    unknown: list[Finding]
    unknown_count: int


class Overdue(TypedDict):
    """A saga that should be somewhere else by now, and the release that takes it there."""

    saga_id: str
    status: str
    reason: str


class Release(TypedDict):
    """A release to start, under a name that makes starting it twice in the same hour harmless."""

    saga_id: str
    reason: str
    name: str


class Standing(TypedDict):
    """What the ledger by itself says: overdue sagas, and how many need attention."""

    overdue: list[Overdue]
    needing_attention: int


class Verdict(TypedDict):
    """What a sweep found in all, and the releases that follow from it."""

    orphans: list[Finding]
    unknown: list[Finding]
    overdue: list[Overdue]
    releases: list[Release]


class NotSwept(TypedDict):
    """A target that could not be looked at, and its error's name."""

    cloud: str
    target: str
    error: str


class SweepResult(Verdict):
    """What a sweep puts out when it ends."""

    not_swept: list[NotSwept]
    complete: bool


def new_sweep_id(now: datetime) -> str:
    """A new id for a sweep; ids sort by time of creation."""
    return f"sweep-{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"


class _Expected(NamedTuple):
    """What a sweep compares of a resource: its status, and the private cluster that it is on."""

    status: ResourceStatus
    cluster: str | None


class _Known(NamedTuple):
    """A saga and, by their ids, what is expected of its resources: little is kept of a large one."""

    saga: Saga
    resources: Mapping[str, _Expected]


class CloudSweep:
    """A look at everything in one target of a cloud that carries our mark, compared with the ledger."""

    def __init__(self, cloud: str, ledger: Ledger, provider: Inventory, clock: Clock, policy: Policy) -> None:
        self._cloud = cloud
        self._ledger = ledger
        self._provider = provider
        self._clock = clock
        self._policy = policy

    def look(self, target: Target | None = None, most: int = MOST_LISTED) -> CloudFindings:
        """Compare: an orphan's saga has ended without it; what is unknown may belong to somebody else's deployment.

        `most` of each kind are listed.
        """
        name = target.name if target else DEFAULT
        everything = sorted(self._provider.inventory(target), key=lambda it: (it.saga_id, it.resource_id, it.cloud_id))
        orphans: list[Finding] = []
        unknown: list[Finding] = []
        for saga_id, marked in groupby(everything, key=lambda it: it.saga_id):
            known = self._known(saga_id)
            for thing in marked:
                expected = known.resources.get(thing.resource_id) if known else None
                if known is None or expected is None or self._is_astray(known.saga, expected, thing):
                    unknown.append(self._finding(name, thing))
                elif self._is_orphan(known.saga, expected, thing):
                    orphans.append(self._finding(name, thing))
            known = None  # before the next one is read
        return {
            "cloud": self._cloud,
            "target": name,
            "marked": len(everything),
            "orphans": orphans[:most],
            "orphan_count": len(orphans),
            "unknown": unknown[:most],
            "unknown_count": len(unknown),
        }

    def _known(self, saga_id: str) -> _Known | None:
        known, expected = None, dict[str, _Expected]()
        try:
            for saga, resources in pages(self._ledger, saga_id):
                expected |= {it.id: _Expected(it.status, it.cluster) for it in resources}
                known = _Known(saga, expected)
        except SagaNotFound:
            return None
        return known

    def _is_astray(self, saga: Saga, expected: _Expected, thing: Marked) -> bool:
        """Whether it is on a private cluster where nobody expects it any more, so that no release would find it.

        While its saga is at work it may be on its way from one cluster to another.
        """
        if thing.cluster is None or saga.finished_at is None or not self._sweepable(saga.finished_at, thing):
            return False
        return thing.cluster != expected.cluster

    def _is_orphan(self, saga: Saga, expected: _Expected, thing: Marked) -> bool:
        """Whether its saga has ended without it, both long enough ago.

        While a saga is at work what is left of it is its execution's to remove; and a saga that has committed wants it.
        """
        given_up = saga.status is SagaStatus.NEEDS_ATTENTION and expected.status is ResourceStatus.ABSENT
        if saga.finished_at is None or not (saga.status in _NOTHING_LEFT or given_up):
            return False
        return self._sweepable(saga.finished_at, thing)

    def _sweepable(self, finished_at: datetime, thing: Marked) -> bool:
        return self._policy.sweepable(max(finished_at, thing.created_at or finished_at), self._clock.now())

    def _finding(self, target: str, thing: Marked) -> Finding:
        return {
            "cloud": self._cloud,
            "target": target,
            "saga_id": thing.saga_id,
            "resource_id": thing.resource_id,
            "cloud_id": thing.cloud_id,
        }


def most_listed(targets: int) -> int:
    """How much of each kind a look may list when a cloud has so many targets to look at."""
    return max(1, MOST_LISTED // targets)


class LedgerSweep:
    """A look at the ledger alone, and the verdict over what all looks have found."""

    def __init__(self, ledger: Ledger, clock: Clock, policy: Policy) -> None:
        self._ledger = ledger
        self._clock = clock
        self._policy = policy

    def look(self) -> Standing:
        """Find the sagas that have lost their execution, outlived their time, or are stuck; count the stuck."""
        now = self._clock.now()
        overdue = [self._overdue(saga, _TAKE_UP[saga.status]) for saga in self._silent(now)]
        overdue += [self._overdue(saga, _TAKE_UP[saga.status]) for saga in self._unapproved(now)]
        overdue += [self._overdue(saga, ReleaseReason.DESTROY) for saga in self._worth_trying(now)]
        overdue += [self._overdue(saga, ReleaseReason.EXPIRE) for saga in self._expired(now)]
        stuck = sum(1 for _ in self._sagas(SagaStatus.NEEDS_ATTENTION))
        return {"overdue": overdue[:MOST_LISTED], "needing_attention": stuck}

    def decide(self, findings: Sequence[CloudFindings], overdue: Sequence[Overdue], *, dry_run: bool) -> Verdict:
        """Which releases to start: one for each saga that is overdue or has orphans; none in a dry run."""
        orphans = [it for found in findings for it in found["orphans"]]
        reasons = {it["saga_id"]: ReleaseReason.SWEEP.value for it in orphans}
        reasons |= {it["saga_id"]: it["reason"] for it in overdue}
        return {
            "orphans": orphans,
            "unknown": [it for found in findings for it in found["unknown"]],
            "overdue": list(overdue),
            "releases": [] if dry_run else [self._release(saga_id, reason) for saga_id, reason in reasons.items()],
        }

    def _silent(self, now: datetime) -> Iterator[Saga]:
        for status in _AT_WORK:
            for saga in self._sagas(status):
                if self._policy.silent(saga.created_at, now) and self._policy.silent(self._last_heard(saga), now):
                    yield saga

    def _unapproved(self, now: datetime) -> Iterator[Saga]:
        """Waiting for approval is no silence, unless the wait should be over: for want of time, or of a saga."""
        for saga in self._sagas(SagaStatus.AWAITING_APPROVAL):
            approve_by = saga.approval.approve_by if saga.approval else None
            too_late = approve_by is not None and self._policy.sweepable(approve_by, now)
            if too_late or (saga.cancel_requested and self._policy.silent(self._last_heard(saga), now)):
                yield saga

    def _worth_trying(self, now: datetime) -> Iterator[Saga]:
        for saga in self._sagas(SagaStatus.NEEDS_ATTENTION):
            if saga.attention_since and self._policy.worth_trying(saga.attention_since, now):
                yield saga

    def _expired(self, now: datetime) -> Iterator[Saga]:
        for saga in self._sagas(SagaStatus.COMMITTED):
            if saga.expires_at is not None and self._policy.sweepable(saga.expires_at, now):
                yield saga

    def _last_heard(self, saga: Saga) -> datetime:
        """When its newest event was written; the list of sagas may be a little behind."""
        newest = self._ledger.events(saga.id, after=saga.version - 1)
        written = [newest[-1].at] if newest else []
        shards = self._ledger.shards(saga.id) if saga.division else []
        return max([saga.created_at, *written, *(shard.written_at for shard in shards)])

    def _sagas(self, status: SagaStatus) -> Iterator[Saga]:
        before = None
        while page := self._ledger.sagas(status, _PAGE, before):
            yield from page
            before = page[-1].id

    def _overdue(self, saga: Saga, reason: ReleaseReason) -> Overdue:
        return {"saga_id": saga.id, "status": saga.status, "reason": reason}

    def _release(self, saga_id: str, reason: str) -> Release:
        return {"saga_id": saga_id, "reason": reason, "name": f"{saga_id}-sweep-{self._clock.now():%Y%m%d%H}"}
