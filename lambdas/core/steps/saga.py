"""The steps about a saga as a whole: which wave is next, and how it ends."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

from lambdas.core.clusters import Claim, claim_of
from lambdas.core.division import batches_of
from lambdas.core.model import Resource, Saga
from lambdas.core.policy import Policy
from lambdas.core.ports.clock import Clock
from lambdas.core.ports.expiry import Expiry
from lambdas.core.ports.ledger import Ledger, Standing
from lambdas.core.specs import PRIVATE_PROVIDERS, PrivateInstance
from lambdas.core.states import UNDECIDED, UNDER_RELEASE, ResourceStatus, SagaStatus
from lambdas.core.steps.approving import ApprovalSteps, asked_before, awaiting, last_wave_before, outstanding
from lambdas.core.steps.provisioning import wanted
from lambdas.core.steps.results import Batch, BatchItems, CloudCheck, WaveItem, WaveItems, WaveResult
from lambdas.core.steps.rounds import SECONDS_BETWEEN

ProviderFunctions = Mapping[str, Mapping[str, str]]
"""For each provider, the function behind each verb: `{"aws": {"create": arn, "observe": arn, "delete": arn}}`.

One that has no function to `check` with is not asked for shortages.
"""

PREFLIGHT = "PREFLIGHT"
APPROVE = "APPROVE"
PROVISION = "PROVISION"
RELEASE = "RELEASE"
AGAIN = "AGAIN"
COMPENSATE = "COMPENSATE"


class ReleaseReason(StrEnum):
    """Why a release was started; it decides in which statuses a saga is released at all."""

    COMPENSATE = "COMPENSATE"  # to undo what did not commit
    DESTROY = "DESTROY"  # to remove it, committed or not
    EXPIRE = "EXPIRE"  # its time to live has run out
    SWEEP = "SWEEP"  # something of it exists although it has ended


_RELEASED_FROM: Mapping[ReleaseReason, frozenset[SagaStatus]] = {
    ReleaseReason.COMPENSATE: UNDECIDED | {SagaStatus.NEEDS_ATTENTION},
    ReleaseReason.DESTROY: UNDECIDED | {SagaStatus.COMMITTED, SagaStatus.NEEDS_ATTENTION},
    ReleaseReason.EXPIRE: UNDECIDED | {SagaStatus.COMMITTED},
    ReleaseReason.SWEEP: frozenset({SagaStatus.ROLLED_BACK, SagaStatus.RELEASED, SagaStatus.NEEDS_ATTENTION}),
}

_UNFINISHED: Final = frozenset({ResourceStatus.PLANNED, ResourceStatus.CREATING})
_NOT_GONE: Final = frozenset(ResourceStatus) - {ResourceStatus.ABSENT}
_STILL_THERE: Final = _NOT_GONE - {ResourceStatus.PLANNED, ResourceStatus.STUCK}

_LEFT: Final = "ReleaseInterrupted: not seen to be gone in time; its events tell what stood in the way"

_WHY: Mapping[ReleaseReason, str] = {
    ReleaseReason.EXPIRE: "its time to live has run out",
    ReleaseReason.SWEEP: "the sweep found something of it",
}


class SagaSteps:
    """The steps that the state machines take between waves."""

    def __init__(
        self, ledger: Ledger, clock: Clock, policy: Policy, functions: ProviderFunctions, expiry: Expiry
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._policy = policy
        self._functions = functions
        self._expiry = expiry
        self.approvals = ApprovalSteps(ledger, clock)

    def header(self, saga_id: str) -> Saga:
        """The saga without its resources; raises SagaNotFound."""
        return self._ledger.saga(saga_id)

    def begin(self, saga_id: str) -> WaveResult:
        """Start with the clouds to check, or the first wave. From here on a time to live is somebody's to watch."""
        standing = self._ledger.change_saga(saga_id, _begin)
        saga = standing.saga
        if saga.expires_at is not None and wanted(saga):
            self._expiry.schedule(saga_id, saga.expires_at)
        checks = self._checks(saga)
        if checks and wanted(saga):
            return {**_nothing_of(saga, PREFLIGHT, -1), "checks": [{"clouds": checks}]}
        return self._provision(standing, 0)

    def leave_unchecked(self, saga_id: str, cloud: str, error: str) -> None:
        """Record that a cloud could not be asked for shortages, and why; the saga goes on without."""

        def change(standing: Standing) -> Saga:
            saga = standing.saga
            if cloud in saga.unchecked or not wanted(saga):
                return saga
            return saga.model_copy(update={"unchecked": (*saga.unchecked, cloud)})

        self._ledger.change_saga(saga_id, change, f"{cloud} could not be checked for shortages: {error}")

    def decide(self, saga_id: str, wave: int) -> WaveResult:
        """At the join of a wave, or of the checks (wave -1): the next one, approval, commit, or compensation.

        The commit is written in the transaction that finds every resource ready, no cancel asked for, and no approval
        outstanding. What is still being created, and may be for longer, gets another round.
        """
        standing = self._ledger.change_saga(saga_id, self._commit_if_complete)
        if _has(standing, wave, _UNFINISHED):
            now, forward = self._clock.now(), self._forward(standing, wave)
            again = self._again(standing.saga, forward, lambda it: self._still_creating(standing, it, now))
            if again:
                return again
            if self._ledger.standing(saga_id) != standing:  # what was late has made it after all
                return self.decide(saga_id, wave)
        return self._provision(standing, wave + 1)

    def list_batch(self, saga_id: str, wave: int, batch: int, *, again: bool) -> BatchItems:
        """What a batch works on: what is to be created of it, or under release removed.

        What was given up in one round is left alone in those that come again.
        """
        saga, resources = self._ledger.batch(saga_id, wave, batch)
        due = _UNFINISHED if saga.status not in UNDER_RELEASE else _STILL_THERE if again else _NOT_GONE
        return {"resources": [self._item(it) for it in resources if it.status in due and not _is_machine(it)]}

    def fail(self, saga_id: str, resource_id: str, error: str) -> None:
        """Record that a resource could not be created, and why; once a release has begun that no longer matters."""

        def change(_: Saga, resource: Resource) -> Resource:
            if resource.status not in (ResourceStatus.PLANNED, ResourceStatus.CREATING):
                return resource
            return resource.model_copy(update={"status": ResourceStatus.FAILED, "error": error})

        self._ledger.change_resource(saga_id, resource_id, change, error)

    def stick(self, saga_id: str, resource_id: str, error: str) -> None:
        """Record that a resource could not be removed, and why."""

        def change(_: Saga, resource: Resource) -> Resource:
            if resource.status in (ResourceStatus.ABSENT, ResourceStatus.STUCK):
                return resource
            if resource.created_at is None:  # no intent was written, so no cloud was ever asked
                return resource.model_copy(update={"status": ResourceStatus.ABSENT})
            return resource.model_copy(update={"status": ResourceStatus.STUCK, "error": error})

        self._ledger.change_resource(saga_id, resource_id, change, error)

    def fence(self, saga_id: str, reason: ReleaseReason) -> WaveResult:
        """Begin a release: from here on no create may begin. The last wave goes first.

        Compensation leaves a saga alone that committed after all; a sweep opens again what had ended.
        """
        standing = self._ledger.change_saga(saga_id, lambda now: self._fence(now, reason), _WHY.get(reason))
        if reason is ReleaseReason.SWEEP and standing.saga.status in UNDER_RELEASE:
            self._reopen(standing.saga)
        return self._release(standing.saga, len(standing.waves) - 1)

    def conclude(self, saga_id: str, wave: int) -> WaveResult:
        """At the join of a released wave: another round of it, the one before it, or the end."""
        standing = self._ledger.standing(saga_id)
        if _has(standing, wave, _STILL_THERE):
            saga, now = standing.saga, self._clock.now()
            again = self._again(saga, self._backward(saga, wave), lambda it: self._still_releasing(saga, it, now))
            if again:
                return again
        if wave > 0 or standing.saga.status not in UNDER_RELEASE:
            return self._release(standing.saga, wave - 1)
        self._give_up_on_what_is_left(standing)
        return self._release(self._ledger.change_saga(saga_id, self._end_release).saga, -1)

    def _provision(self, standing: Standing, wave: int) -> WaveResult:
        result = self._forward(standing, wave)
        return {**result, **self._items(standing.saga, wave)} if result["next"] == PROVISION else result

    def _release(self, saga: Saga, wave: int) -> WaveResult:
        result = self._backward(saga, wave)
        return {**result, **self._items(saga, wave)} if result["wave"] >= 0 else result

    def _forward(self, standing: Standing, wave: int) -> WaveResult:
        """Whether that wave may be created, and what to do otherwise."""
        saga = standing.saga
        if saga.status is SagaStatus.COMMITTED:
            return _nothing_of(saga, SagaStatus.COMMITTED, wave)
        ready = standing.all_are(ResourceStatus.READY, slice(wave))
        refused = standing.any_is(ResourceStatus.FAILED)
        if refused or not ready or not (wanted(saga) or awaiting(saga)):
            return _nothing_of(saga, COMPENSATE, wave)
        if saga.approval and asked_before(saga, wave):
            seconds = self.approvals.seconds_left(saga.approval)
            return {**_nothing_of(saga, APPROVE, last_wave_before(saga)), "approval_seconds": seconds}
        return _nothing_of(saga, PROVISION if wave < len(standing.waves) else COMPENSATE, wave)

    def _backward(self, saga: Saga, wave: int) -> WaveResult:
        """Whether that wave is to be removed, or how the release has ended."""
        if saga.status not in UNDER_RELEASE:
            return _nothing_of(saga, saga.status, -1)
        return _nothing_of(saga, RELEASE, wave)

    def _again(self, saga: Saga, result: WaveResult, in_time: Callable[[Resource], bool]) -> WaveResult | None:
        """Another round of a wave after a while, or another result; None if nothing of the wave is in time any more."""
        if result["next"] not in (PROVISION, RELEASE):
            return result
        items = self._chosen(saga, result["wave"], in_time, again=True)
        if not items["batches"] and not items["machines"]:
            return None
        return {**result, **items, "next": AGAIN, "delay": SECONDS_BETWEEN}

    def _still_creating(self, standing: Standing, resource: Resource, now: datetime) -> bool:
        """Whether it may be ready yet; what nobody came to begin may be begun for as long."""
        if resource.status not in _UNFINISHED:
            return False
        return not self._policy.create_expired(resource.created_at or _last_step_forward(standing), now)

    def _still_releasing(self, saga: Saga, resource: Resource, now: datetime) -> bool:
        """Whether it may be gone yet: what is not found has time to settle, what was not begun all of it."""
        if resource.status not in _STILL_THERE:
            return False
        since = resource.absent_since or resource.release_began_at or saga.status_since or saga.created_at
        return not self._policy.release_expired(since, now)

    def _checks(self, saga: Saga) -> list[CloudCheck]:
        functions = {cloud: self._functions[cloud].get("check") for cloud in saga.clouds if saga.preflight}
        return [
            {"saga_id": saga.id, "cloud": cloud, "function": function}
            for cloud, function in functions.items()
            if function
        ]

    def _items(self, saga: Saga, wave: int) -> WaveItems:
        """All of a wave. Batches are listed when they are worked on, but whoever has machines is asked for them now."""
        if not saga.clouds or not set(saga.clouds).isdisjoint(PRIVATE_PROVIDERS):
            return self._chosen(saga, wave, lambda _: True, again=False)
        return {"batches": [_batch(saga, wave, number, again=False) for number in _batches(saga, wave)], "machines": []}

    def _chosen(self, saga: Saga, wave: int, due: Callable[[Resource], bool], *, again: bool) -> WaveItems:
        """The machines of a wave that are due, and the batches in which anything else is."""
        items: WaveItems = {"batches": [], "machines": []}
        for number in _batches(saga, wave):
            chosen = [it for it in self._ledger.batch(saga.id, wave, number).resources if due(it)]
            items["machines"] += [self._item(it) for it in chosen if _is_machine(it)]
            if not all(_is_machine(it) for it in chosen):
                items["batches"].append(_batch(saga, wave, number, again=again))
        return items

    def _item(self, resource: Resource) -> WaveItem:
        functions = dict(self._functions[resource.definition.provider])
        return {"saga_id": resource.saga_id, "resource_id": resource.id, "functions": functions}

    def _commit_if_complete(self, standing: Standing) -> Saga:
        saga = standing.saga
        if not standing.all_are(ResourceStatus.READY) or not wanted(saga) or outstanding(saga):
            return saga
        return saga.model_copy(update={"status": SagaStatus.COMMITTED, "finished_at": self._clock.now()})

    def _fence(self, standing: Standing, reason: ReleaseReason) -> Saga:
        saga = standing.saga
        if saga.status not in _RELEASED_FROM[reason]:
            return saga  # under way, ended, or not what this reason is for
        goal = saga.release_goal or _RELEASE_GOAL[saga.status]
        status = SagaStatus.RELEASING if goal is SagaStatus.RELEASED else SagaStatus.COMPENSATING
        return saga.model_copy(update={"status": status, "release_goal": goal, "finished_at": None})

    def _reopen(self, reopened: Saga) -> None:
        """Doubt every absence: what the cloud was once asked for is removed, and seen to be gone, again."""

        def change(saga: Saga, resource: Resource) -> Resource:
            ended = saga.status not in UNDER_RELEASE  # another release was faster; the next sweep looks again
            never_asked_for = resource.created_at is None and resource.cluster is None
            if ended or resource.status is not ResourceStatus.ABSENT or never_asked_for:
                return resource
            return resource.model_copy(
                update={
                    "status": ResourceStatus.DELETING,
                    "release_began_at": self._clock.now(),
                    "absent_since": None,
                    "claim": _claim_again(resource),
                }
            )

        for wave in range(len(reopened.wave_sizes)):
            for resource in self._of_wave(reopened, wave):
                self._ledger.change_resource(reopened.id, resource.id, change, _WHY[ReleaseReason.SWEEP])

    def _give_up_on_what_is_left(self, standing: Standing) -> None:
        """What was not seen to be gone in any of its rounds, as long as those go on, is stuck."""
        for wave in range(len(standing.waves)):
            if _has(standing, wave, _STILL_THERE | {ResourceStatus.PLANNED}):
                for resource in self._of_wave(standing.saga, wave):
                    if resource.status not in (ResourceStatus.ABSENT, ResourceStatus.STUCK):
                        self.stick(standing.saga.id, resource.id, _LEFT)

    def _of_wave(self, saga: Saga, wave: int) -> Iterator[Resource]:
        for number in _batches(saga, wave):
            yield from self._ledger.batch(saga.id, wave, number).resources

    def _end_release(self, standing: Standing) -> Saga:
        saga = standing.saga
        if saga.status not in UNDER_RELEASE or saga.release_goal is None:
            return saga
        now = self._clock.now()
        gone = standing.all_are(ResourceStatus.ABSENT)
        status = saga.release_goal if gone else SagaStatus.NEEDS_ATTENTION
        since = None if gone else saga.attention_since or now
        return saga.model_copy(update={"status": status, "finished_at": now, "attention_since": since})


def _nothing_of(saga: Saga, then: str, wave: int) -> WaveResult:
    """Go on with the saga in another way than by working on a wave."""
    return {"saga_id": saga.id, "next": then, "wave": wave, "batches": [], "machines": []}


def _batch(saga: Saga, wave: int, number: int, *, again: bool) -> Batch:
    return {"saga_id": saga.id, "wave": wave, "batch": number, "again": again}


def _batches(saga: Saga, wave: int) -> range:
    return range(batches_of(saga.wave_sizes[wave]))


def _has(standing: Standing, wave: int, statuses: Collection[ResourceStatus]) -> bool:
    """Whether a resource of that wave has one of these statuses; there is none before the first wave."""
    return wave >= 0 and any(standing.waves[wave].get(status, 0) for status in statuses)


def _last_step_forward(standing: Standing) -> datetime:
    """When something was last achieved: provisioning (re)started, or a resource became ready."""
    since = standing.saga.status_since or standing.saga.created_at
    return max(since, standing.ready_at or since)


def _is_machine(resource: Resource) -> bool:
    """Whether it is to be on a private cluster, whose worker does what its steps only decide."""
    return isinstance(resource.definition, PrivateInstance)


_RELEASE_GOAL: Mapping[SagaStatus, SagaStatus] = {
    SagaStatus.PENDING: SagaStatus.ROLLED_BACK,
    SagaStatus.PROVISIONING: SagaStatus.ROLLED_BACK,
    SagaStatus.AWAITING_APPROVAL: SagaStatus.ROLLED_BACK,
    SagaStatus.COMMITTED: SagaStatus.RELEASED,
}


def _claim_again(resource: Resource) -> Claim | None:
    """What lives takes its cluster's capacity, whether it should or not."""
    definition = resource.definition
    if resource.cluster is None or not isinstance(definition, PrivateInstance):
        return None
    return claim_of(definition.placement, resource.cluster)


def _begin(standing: Standing) -> Saga:
    saga = standing.saga
    if saga.status is not SagaStatus.PENDING or saga.cancel_requested:
        return saga
    return saga.model_copy(update={"status": SagaStatus.PROVISIONING})
