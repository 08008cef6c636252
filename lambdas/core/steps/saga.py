"""The steps about a saga as a whole: which wave is next, and how it ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final

from lambdas.core.clusters import Claim, claim_of
from lambdas.core.model import Resource, Saga
from lambdas.core.policy import Policy
from lambdas.core.ports.clock import Clock
from lambdas.core.ports.expiry import Expiry
from lambdas.core.ports.ledger import Ledger, Snapshot
from lambdas.core.specs import PrivateInstance
from lambdas.core.states import UNDECIDED, UNDER_RELEASE, ResourceStatus, SagaStatus
from lambdas.core.steps.approving import ApprovalSteps, asked_before, awaiting, last_wave_before, outstanding
from lambdas.core.steps.provisioning import wanted
from lambdas.core.steps.results import CloudCheck, WaveItem, WaveItems, WaveResult
from lambdas.core.steps.rounds import SECONDS_BETWEEN, batches

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
        snapshot = self._ledger.change_saga(saga_id, _begin)
        saga = snapshot.saga
        if saga.expires_at is not None and wanted(saga):
            self._expiry.schedule(saga_id, saga.expires_at)
        checks = self._checks(snapshot)
        if checks and wanted(saga):
            return {**_nothing_of(saga, PREFLIGHT, -1), "checks": [{"clouds": checks}]}
        return self._provision(snapshot, 0)

    def leave_unchecked(self, saga_id: str, cloud: str, error: str) -> None:
        """Record that a cloud could not be asked for shortages, and why; the saga goes on without."""

        def change(snapshot: Snapshot) -> Saga:
            saga = snapshot.saga
            if cloud in saga.unchecked or not wanted(saga):
                return saga
            return saga.model_copy(update={"unchecked": (*saga.unchecked, cloud)})

        self._ledger.change_saga(saga_id, change, f"{cloud} could not be checked for shortages: {error}")

    def decide(self, saga_id: str, wave: int) -> WaveResult:
        """At the join of a wave, or of the checks (wave -1): the next one, approval, commit, or compensation.

        The commit is written in the transaction that finds every resource ready, no cancel asked for, and no approval
        outstanding. What is still being created, and may be for longer, gets another round.
        """
        snapshot = self._ledger.change_saga(saga_id, self._commit_if_complete)
        unfinished = [it for it in _of_wave(snapshot, wave) if self._still_creating(snapshot, it)]
        if unfinished:
            return self._another_round(self._provision(snapshot, wave), unfinished)
        return self._provision(snapshot, wave + 1)

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
        snapshot = self._ledger.change_saga(saga_id, lambda now: self._fence(now, reason), _WHY.get(reason))
        if reason is ReleaseReason.SWEEP and snapshot.saga.status in UNDER_RELEASE:
            snapshot = self._reopen(snapshot)
        return self._release(snapshot, len(snapshot.saga.waves) - 1)

    def conclude(self, saga_id: str, wave: int) -> WaveResult:
        """At the join of a released wave: another round of it, the one before it, or the end."""
        snapshot = self._ledger.snapshot(saga_id)
        unfinished = [it for it in _of_wave(snapshot, wave) if self._still_releasing(snapshot.saga, it)]
        if unfinished:
            return self._another_round(self._release(snapshot, wave), unfinished)
        if wave > 0 or snapshot.saga.status not in UNDER_RELEASE:
            return self._release(snapshot, wave - 1)
        self._give_up_on_what_is_left(snapshot)
        return self._release(self._ledger.change_saga(saga_id, self._end_release), -1)

    def _provision(self, snapshot: Snapshot, wave: int) -> WaveResult:
        saga = snapshot.saga
        if saga.status is SagaStatus.COMMITTED:
            return _nothing_of(saga, SagaStatus.COMMITTED, wave)
        earlier = {resource_id for ids in saga.waves[:wave] for resource_id in ids}
        ready = all(it.status is ResourceStatus.READY for it in snapshot.resources if it.id in earlier)
        refused = any(it.status is ResourceStatus.FAILED for it in snapshot.resources)
        if refused or not ready or not (wanted(saga) or awaiting(saga)):
            return _nothing_of(saga, COMPENSATE, wave)
        if saga.approval and asked_before(saga, wave):
            seconds = self.approvals.seconds_left(saga.approval)
            return {**_nothing_of(saga, APPROVE, last_wave_before(saga)), "approval_seconds": seconds}
        if wave >= len(saga.waves):
            return _nothing_of(saga, COMPENSATE, wave)
        return {**_nothing_of(saga, PROVISION, wave), **self._items(_of_wave(snapshot, wave))}

    def _release(self, snapshot: Snapshot, wave: int) -> WaveResult:
        saga = snapshot.saga
        if saga.status not in UNDER_RELEASE:
            return _nothing_of(saga, saga.status, -1)
        return {**_nothing_of(saga, RELEASE, wave), **self._items(_of_wave(snapshot, wave))}

    def _another_round(self, result: WaveResult, unfinished: Sequence[Resource]) -> WaveResult:
        """The rest of the same wave again after a while, if there is anything to do to it at all."""
        if result["next"] not in (PROVISION, RELEASE):
            return result
        return {**result, **self._items(unfinished), "next": AGAIN, "delay": SECONDS_BETWEEN}

    def _still_creating(self, snapshot: Snapshot, resource: Resource) -> bool:
        """Whether it may be ready yet; what nobody came to begin may be begun for as long."""
        if resource.status not in (ResourceStatus.PLANNED, ResourceStatus.CREATING):
            return False
        since = resource.created_at or _last_step_forward(snapshot)
        return not self._policy.create_expired(since, self._clock.now())

    def _still_releasing(self, saga: Saga, resource: Resource) -> bool:
        """Whether it may be gone yet: what is not found has time to settle, what was not begun all of it."""
        if resource.status in (ResourceStatus.PLANNED, ResourceStatus.ABSENT, ResourceStatus.STUCK):
            return False
        since = resource.absent_since or resource.release_began_at or saga.status_since or saga.created_at
        return not self._policy.release_expired(since, self._clock.now())

    def _checks(self, snapshot: Snapshot) -> list[CloudCheck]:
        if not snapshot.saga.preflight:
            return []
        clouds = dict.fromkeys(it.definition.provider for it in snapshot.resources)
        functions = {cloud: self._functions[cloud].get("check") for cloud in clouds}
        return [
            {"saga_id": snapshot.saga.id, "cloud": cloud, "function": function}
            for cloud, function in functions.items()
            if function
        ]

    def _items(self, resources: Sequence[Resource]) -> WaveItems:
        return {
            "batches": batches([self._item(it) for it in resources if not _is_machine(it)]),
            "machines": [self._item(it) for it in resources if _is_machine(it)],
        }

    def _item(self, resource: Resource) -> WaveItem:
        functions = dict(self._functions[resource.definition.provider])
        return {"saga_id": resource.saga_id, "resource_id": resource.id, "functions": functions}

    def _commit_if_complete(self, snapshot: Snapshot) -> Saga:
        saga = snapshot.saga
        ready = all(it.status is ResourceStatus.READY for it in snapshot.resources)
        if not ready or not wanted(saga) or outstanding(saga):
            return saga
        return saga.model_copy(update={"status": SagaStatus.COMMITTED, "finished_at": self._clock.now()})

    def _fence(self, snapshot: Snapshot, reason: ReleaseReason) -> Saga:
        saga = snapshot.saga
        if saga.status not in _RELEASED_FROM[reason]:
            return saga  # under way, ended, or not what this reason is for
        goal = saga.release_goal or _RELEASE_GOAL[saga.status]
        status = SagaStatus.RELEASING if goal is SagaStatus.RELEASED else SagaStatus.COMPENSATING
        return saga.model_copy(update={"status": status, "release_goal": goal, "finished_at": None})

    def _reopen(self, snapshot: Snapshot) -> Snapshot:
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

        for resource in snapshot.resources:
            self._ledger.change_resource(snapshot.saga.id, resource.id, change, _WHY[ReleaseReason.SWEEP])
        return self._ledger.snapshot(snapshot.saga.id)

    def _give_up_on_what_is_left(self, snapshot: Snapshot) -> None:
        """What was not seen to be gone in any of its rounds, as long as those go on, is stuck."""
        for resource in snapshot.resources:
            if resource.status not in (ResourceStatus.ABSENT, ResourceStatus.STUCK):
                self.stick(snapshot.saga.id, resource.id, _LEFT)

    def _end_release(self, snapshot: Snapshot) -> Saga:
        saga = snapshot.saga
        if saga.status not in UNDER_RELEASE or saga.release_goal is None:
            return saga
        now = self._clock.now()
        gone = all(it.status is ResourceStatus.ABSENT for it in snapshot.resources)
        status = saga.release_goal if gone else SagaStatus.NEEDS_ATTENTION
        since = None if gone else saga.attention_since or now
        return saga.model_copy(update={"status": status, "finished_at": now, "attention_since": since})


def _nothing_of(saga: Saga, then: str, wave: int) -> WaveResult:
    """Go on with the saga in another way than by working on a wave."""
    return {"saga_id": saga.id, "next": then, "wave": wave, "batches": [], "machines": []}


def _of_wave(snapshot: Snapshot, wave: int) -> list[Resource]:
    """The resources of a wave, in its order; of none before the first."""
    by_id = {resource.id: resource for resource in snapshot.resources}
    return [by_id[resource_id] for resource_id in snapshot.saga.waves[wave]] if wave >= 0 else []


def _last_step_forward(snapshot: Snapshot) -> datetime:
    """When something was last achieved: provisioning (re)started, or a resource became ready."""
    saga = snapshot.saga
    return max([saga.status_since or saga.created_at, *(it.ready_at for it in snapshot.resources if it.ready_at)])


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


def _begin(snapshot: Snapshot) -> Saga:
    saga = snapshot.saga
    if saga.status is not SagaStatus.PENDING or saga.cancel_requested:
        return saga
    return saga.model_copy(update={"status": SagaStatus.PROVISIONING})
