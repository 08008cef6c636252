"""Creating one resource: intent, act, look."""

from __future__ import annotations

import uuid
from datetime import timedelta

from lambdas.core.errors import TerminalError
from lambdas.core.model import AttachedDisk, Attempt, Intent, Resource, Saga, cloud_name
from lambdas.core.policy import Policy
from lambdas.core.ports.clock import Clock
from lambdas.core.ports.ledger import Ledger
from lambdas.core.ports.provider import Observation, Provider
from lambdas.core.specs import PrivateInstance
from lambdas.core.states import ResourceStatus, SagaStatus
from lambdas.core.steps.results import Next, StepResult

DONE: StepResult = {"next": Next.DONE, "delay": 0}


class Fenced(Exception):
    """Compensation has begun or was asked for, so no create may begin; not an error."""


class Unplaced(Exception):
    """The resource is to be placed on a cluster first, so its create may not begin; not an error."""


def intent_of(ledger: Ledger, saga: Saga, resource: Resource) -> Intent:
    """What the provider is to act on, with the cloud's ids of the disks it refers to."""
    disks = [ledger.resource(saga.id, disk_id) for disk_id in resource.definition.attached_disks]
    return Intent(
        saga_id=saga.id,
        definition=resource.definition,
        target=resource.target,
        cluster=resource.cluster,
        labels=saga.labels,
        disks=tuple(_attached(disk) for disk in disks),
        operations=resource.operations,
    )


def _attached(disk: Resource) -> AttachedDisk:
    zone = getattr(disk.definition.spec, "zone", None)
    return AttachedDisk(disk.id, cloud_name(disk.saga_id, disk.id), disk.cloud_id or "", zone)


def wanted(saga: Saga) -> bool:
    """Whether the saga still wants its resources: creates may begin."""
    return saga.status is SagaStatus.PROVISIONING and not saga.cancel_requested


class ProvisioningSteps:
    """The steps that bring one resource into being, on one provider."""

    def __init__(self, ledger: Ledger, provider: Provider, clock: Clock, policy: Policy) -> None:
        self._ledger = ledger
        self._provider = provider
        self._clock = clock
        self._policy = policy

    def create(self, saga_id: str, resource_id: str) -> StepResult:
        """Begin the resource's next part, and each after it as long as the one before is ready at once.

        The intent is written first, in the transaction that checks the fence; then the cloud is asked; then its answer
        is recorded, in a transaction that checks the fence for the next. Dying between any two of these and being
        called again leads to the same end.
        """
        try:
            saga, resource = self._ledger.change_resource(saga_id, resource_id, self._intend)
        except Fenced:
            return DONE
        except Unplaced:
            return {"next": Next.CREATE, "delay": 0}
        if resource.status is not ResourceStatus.CREATING:
            return DONE
        intent = intent_of(self._ledger, saga, resource)
        while part := self._due_part(intent):
            if not self._may_send(resource, intent):
                return self._await_the_fate_of(resource)
            claim, handle = resource.claim, self._provider.create(intent, part)
            saga, resource = self._record(resource, part, handle)
            if not wanted(saga) or resource.moving or resource.claim != claim:
                break
            intent = intent.model_copy(update={"operations": resource.operations})
        return self._wait(resource)

    def observe(self, saga_id: str, resource_id: str) -> StepResult:
        """Look once whether the part begun last is ready; raises TerminalError past the deadline."""
        saga = self._ledger.saga(saga_id)
        resource = self._ledger.resource(saga_id, resource_id)
        if not wanted(saga) or resource.status is not ResourceStatus.CREATING:
            return DONE
        intent = intent_of(self._ledger, saga, resource)
        parts = self._provider.parts(intent)
        begun = [part for part in parts if part in resource.operations]
        if not begun:
            self._check_deadline(resource)
            return {"next": Next.CREATE, "delay": 0}
        observation = self._provider.observe(intent, begun[-1])
        if not observation.ready:
            return self._look_again(resource)
        if len(begun) < len(parts):
            return {"next": Next.CREATE, "delay": 0}
        self._ledger.change_resource(saga_id, resource_id, lambda _, it: self._ready(it, resource, observation))
        return DONE

    def _intend(self, saga: Saga, resource: Resource) -> Resource:
        if not wanted(saga):
            raise Fenced
        if resource.status is not ResourceStatus.PLANNED:
            return resource
        if isinstance(resource.definition, PrivateInstance):
            raise Unplaced
        return resource.model_copy(update={"status": ResourceStatus.CREATING, "created_at": self._clock.now()})

    def _due_part(self, intent: Intent) -> str | None:
        """The part to begin now: the first that was not, once the one before it is ready.

        Looking again is what makes a repeated call harmless: its first delivery may have begun a part just before.
        """
        parts = self._provider.parts(intent)
        begun = [part for part in parts if part in intent.operations]
        if len(begun) == len(parts) or (begun and not self._provider.observe(intent, begun[-1]).ready):
            return None
        return parts[len(begun)]

    def _may_send(self, resource: Resource, intent: Intent) -> bool:
        """Whether a create may be sent to a cloud that does not recognise a repeated request.

        Only the first part has nothing by which a repeated request could be recognised. What was sent, or was about to
        be, and is not answered either shows itself, and then nothing new will come of asking again, or must be taken
        for under way until `repeat_seconds` have passed. Of several who ask at once one may. The time to become ready
        begins with the first: what waited in a queue before is not the machine's fault.
        """
        if not self._provider.repeat_seconds or intent.operations:
            return True
        if self._is_under_way(resource.attempt) and self._provider.find(intent):
            return True
        mine = Attempt(token=str(uuid.uuid4()), at=self._clock.now())
        sent = {"attempt": mine} if resource.attempt else {"attempt": mine, "created_at": mine.at}

        def attempt(saga: Saga, it: Resource) -> Resource:
            begun = it.operations or it.status is not ResourceStatus.CREATING or self._is_under_way(it.attempt)
            left = it.moving or it.cluster != intent.cluster
            return it if begun or left or not wanted(saga) else it.model_copy(update=sent)

        _, it = self._ledger.change_resource(resource.saga_id, resource.id, attempt, "about to be created")
        return it.attempt == mine

    def _is_under_way(self, attempt: Attempt | None) -> bool:
        return attempt is not None and self._left_of(attempt) > timedelta()

    def _left_of(self, attempt: Attempt) -> timedelta:
        return timedelta(seconds=self._provider.repeat_seconds) - (self._clock.now() - attempt.at)

    def _await_the_fate_of(self, resource: Resource) -> StepResult:
        """Look again soon, since it may show itself, and not later than when it may be sent again."""
        attempt = self._ledger.resource(resource.saga_id, resource.id).attempt
        left = self._left_of(attempt).total_seconds() if attempt else 0
        return {"next": Next.WAIT, "delay": max(1, min(self._policy.max_delay, int(left) + 1))}

    def _record(self, resource: Resource, part: str, handle: str) -> tuple[Saga, Resource]:
        """Record the operation, unless the resource has left the cluster that it is of; how both stand by then."""

        def change(_: Saga, it: Resource) -> Resource:
            if it.claim != resource.claim:
                return it
            return it.model_copy(update={"operations": {**it.operations, part: handle}, "attempt": None})

        return self._ledger.change_resource(resource.saga_id, resource.id, change, f"{part} begun")

    def _ready(self, resource: Resource, seen: Resource, observation: Observation) -> Resource:
        """Ready, unless it is not wanted there any more: whoever takes it off its cluster may have begun to."""
        if resource.status is not ResourceStatus.CREATING or resource.moving or resource.claim != seen.claim:
            return resource
        return resource.model_copy(
            update={
                "status": ResourceStatus.READY,
                "cloud_id": observation.cloud_id,
                "ready_at": self._clock.now(),
            }
        )

    def _look_again(self, resource: Resource) -> StepResult:
        self._check_deadline(resource)
        return self._wait(resource)

    def _check_deadline(self, resource: Resource) -> None:
        if self._policy.create_expired(resource.created_at or self._clock.now(), self._clock.now()):
            raise TerminalError("DeadlineExceeded", f"not ready after {self._policy.create_timeout:.0f} s")

    def _wait(self, resource: Resource) -> StepResult:
        now = self._clock.now()
        return {"next": Next.WAIT, "delay": self._policy.delay(now - (resource.created_at or now))}
