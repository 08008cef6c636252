"""Placing a machine on a private cluster: choose, claim, and say who is to work on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import islice
from random import Random
from typing import Final, NamedTuple

from lambdas.core.clusters import Amounts, ClusterStanding, claim_of
from lambdas.core.errors import CapacityError, ClaimRefused, RetryableError, TerminalError
from lambdas.core.model import Intent, Resource, Saga
from lambdas.core.placement.board import Board
from lambdas.core.placement.choosing import choose, refusal
from lambdas.core.placement.filtering import OLDEST_REPORT, TAKEN, Filter, Reason
from lambdas.core.placement.needs import Need, need_of
from lambdas.core.policy import Policy
from lambdas.core.ports.clock import Clock
from lambdas.core.ports.clusters import Clusters
from lambdas.core.ports.ledger import Ledger
from lambdas.core.ports.provider import Marked
from lambdas.core.preflight import MOST_KINDS, Shortage, refused
from lambdas.core.specs import PrivateInstance
from lambdas.core.states import UNDER_RELEASE, ResourceStatus
from lambdas.core.steps.provisioning import DONE, Fenced, wanted
from lambdas.core.steps.releasing import begin_release
from lambdas.core.steps.results import Next, StepResult
from lambdas.core.targets import DEFAULT, Target

NO_CLUSTER: Final = "NoClusterFits"
"""The code of a refusal that lists why each cluster was filtered out."""

_GO_ON: Final[StepResult] = {"next": Next.WAIT, "delay": 0}


class PlacingSteps:
    """What the other providers' steps are to their clouds, for machines that a cluster's worker works on."""

    def __init__(self, ledger: Ledger, clusters: Clusters, clock: Clock, policy: Policy, random: Random) -> None:
        self._ledger = ledger
        self._clusters = clusters
        self._clock = clock
        self._policy = policy
        self._random = random
        self._board = Board()
        self._read: Sequence[ClusterStanding] = ()

    def create(self, saga_id: str, resource_id: str) -> StepResult:
        """Place the machine on a cluster, if it is on none: the claim is part of the intent.

        Raises CapacityError when no cluster takes it, with the reason of each. When it was placed before, or somebody
        else is faster, nothing changes.
        """
        saga = self._ledger.saga(saga_id)
        resource = self._ledger.resource(saga_id, resource_id)
        if not wanted(saga):
            return DONE
        if resource.status is ResourceStatus.PLANNED:
            try:
                resource = self._place(saga, resource, self._need(saga, resource))
            except Fenced:
                return DONE
        return _GO_ON if resource.status is ResourceStatus.CREATING else DONE

    def observe(self, saga_id: str, resource_id: str) -> StepResult:
        """Whose work the machine is: WORK with the queue of its cluster; CREATE when it is to be placed (again).

        Raises TerminalError when nobody has finished it for so long that nobody will.
        """
        resource = self._ledger.resource(saga_id, resource_id)
        if not wanted(self._ledger.saga(saga_id)):
            return DONE
        if resource.status is ResourceStatus.PLANNED:
            return {"next": Next.CREATE, "delay": 0}
        if resource.status is not ResourceStatus.CREATING:
            return DONE
        now = self._clock.now()
        if self._policy.build_abandoned(resource.created_at or now, now):
            raise TerminalError("NobodyWorks", f"the worker of {resource.cluster} has not finished it, or never began")
        return self._work_on(resource)

    def delete(self, saga_id: str, resource_id: str) -> StepResult:
        """Let its removal begin; its cluster's worker does it."""
        saga, resource = begin_release(self._ledger, self._clock, saga_id, resource_id)
        due = saga.status in UNDER_RELEASE and resource.status is ResourceStatus.DELETING
        return _GO_ON if due else DONE

    def observe_absence(self, saga_id: str, resource_id: str) -> StepResult:
        """WORK with the queue of its cluster, as long as it is to be removed; raises TerminalError as above."""
        resource = self._ledger.resource(saga_id, resource_id)
        if resource.status is not ResourceStatus.DELETING:
            return DONE
        now = self._clock.now()
        if self._policy.removal_abandoned(resource.release_began_at or now, now):
            raise TerminalError("NobodyWorks", f"the worker of {resource.cluster} has not removed it, or never began")
        return self._work_on(resource)

    def _work_on(self, resource: Resource) -> StepResult:
        assert resource.cluster is not None  # noqa: S101 -- the intent and its cluster are written together
        queue = self._clusters.standing(resource.cluster).settings.queue_url
        return {"next": Next.WORK, "delay": 0, "queue": queue}

    def _need(self, saga: Saga, resource: Resource) -> Need:
        definition = _private(resource.definition)
        near = definition.placement.near
        cluster = self._ledger.resource(saga.id, near).cluster if near else None
        return need_of(definition, saga.caller, cluster, resource.refused_by)

    def _place(self, saga: Saga, resource: Resource, need: Need) -> Resource:
        """Claim one cluster after the other until one takes it; raises CapacityError, or Fenced."""
        self._learn()
        choice = choose(need, self._board, self._clock.now(), self._random)
        refusals = dict(choice.refusals)
        for cluster in choice.ranked:
            try:
                return self._claim(saga, resource, need, cluster)
            except ClaimRefused:
                refusals[cluster] = self._lost(cluster, need)
        raise CapacityError(NO_CLUSTER, refusal(need, refusals))

    def _claim(self, saga: Saga, resource: Resource, need: Need, cluster: str) -> Resource:
        claim = claim_of(_private(resource.definition).placement, cluster, need.group)
        placed = {"status": ResourceStatus.CREATING, "cluster": cluster, "claim": claim, "operations": {}}

        def change(now: Saga, it: Resource) -> Resource:
            if not wanted(now):
                raise Fenced
            if it.status is not ResourceStatus.PLANNED:
                return it
            return it.model_copy(update={**placed, "created_at": self._clock.now()})

        bounds = self._board[cluster].facts.bounds
        _, it = self._ledger.change_resource(saga.id, resource.id, change, f"placed on {cluster}", bounds)
        if it.claim == claim:
            self._board.add(claim, f"{saga.id}/{resource.id}")
        return it

    def _lost(self, cluster: str, need: Need) -> Reason:
        """Look why a cluster refused the claim: what was known of it was a moment old."""
        self._board.replace(cluster, self._clusters.standing(cluster).claimed)
        known = self._board[cluster]
        age = self._clock.now().timestamp() - known.facts.reported
        return Filter(need).refuses(known, age) or TAKEN

    def _learn(self) -> None:
        """Take over what was read since the last time; what was learnt here since then is newer."""
        standings = self._clusters.standings()
        if standings is not self._read:
            self._board.learn(standings)
            self._read = standings


class PlacementPreflight:
    """Says which machines no cluster would take, if they were placed now, one after the other.

    What no cluster takes, none takes later in the same look: it fills them. So a refusal stands for every machine that
    needs the same, and those of the first hundred different needs are told. Groups that other sagas hold are not known.
    """

    def __init__(self, clusters: Clusters, clock: Clock, random: Random) -> None:
        self._clusters = clusters
        self._clock = clock
        self._random = random

    def shortages(self, intents: Sequence[Intent]) -> list[Shortage]:
        """What no cluster would take of the intents, all of them together."""
        board, now = Board(self._clusters.standings()), self._clock.now()
        placed: dict[str, str] = {}
        lacking: dict[Need, _Lacking] = {}
        for intent in _neighbours_first(intents):
            definition = _private(intent.definition)
            need = need_of(definition, "", placed.get(definition.placement.near or ""))
            if need in lacking:
                lacking[need].resources.append(intent.resource_id)
                continue
            choice = choose(need, board, now, self._random)
            if choice.ranked:
                placed[intent.resource_id] = choice.ranked[0]
                claim = claim_of(definition.placement, choice.ranked[0], need.group)
                board.add(claim, f"{intent.saga_id}/{intent.resource_id}")
            else:
                error = CapacityError(NO_CLUSTER, refusal(need, choice.refusals))
                lacking[need] = _Lacking(definition.provider, error, [intent.resource_id])
        return [refused(it.resources, it.provider, it.error) for it in islice(lacking.values(), MOST_KINDS)]


class _Lacking(NamedTuple):
    """What no cluster of a provider takes: why, and who needs it."""

    provider: str
    error: CapacityError
    resources: list[str]


class ReportedInventory:
    """What the clusters of a provider reported to hold of ours: only their workers reach them."""

    def __init__(self, provider: str, clusters: Clusters, clock: Clock) -> None:
        self._provider = provider
        self._clusters = clusters
        self._clock = clock

    def inventory(self, target: Target | None = None) -> Iterable[Marked]:
        """Everything on the clusters of a target that carries our mark.

        Raises RetryableError when a report is too old to be believed: nobody knows what is there.
        """
        oldest = self._clock.now() - timedelta(seconds=OLDEST_REPORT)
        for reported in self._clusters.machines(self._provider, target.name if target else DEFAULT):
            if reported.at < oldest and not self._given_up(reported.cluster):
                raise RetryableError("ReportTooOld", f"{reported.cluster} has not reported since {reported.at:%c}")
            yield from (machine._replace(cluster=reported.cluster) for machine in reported.machines)

    def _given_up(self, cluster: str) -> bool:
        """Whether nobody expects reports any more: it was drained, and of all that was claimed nothing is left."""
        claimed = self._clusters.standing(cluster).claimed
        return claimed.drained and claimed.amounts == Amounts()


def _private(definition: object) -> PrivateInstance:
    assert isinstance(definition, PrivateInstance)  # noqa: S101 -- no other resource is given to these steps
    return definition


def _neighbours_first(intents: Sequence[Intent]) -> list[Intent]:
    """A machine after the one it is to be near; a request has no circles."""
    by_id = {intent.resource_id: intent for intent in intents}
    ordered: dict[str, Intent] = {}
    for intent in intents:
        chain = []
        link: Intent | None = intent
        while link is not None and link.resource_id not in ordered:
            chain.append(link)
            link = by_id.get(_private(link.definition).placement.near or "")
        ordered.update((it.resource_id, it) for it in reversed(chain))
    return list(ordered.values())
