"""Removing one resource: act, look, and believe in its absence only when it has lasted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from lambdas.core.errors import TerminalError
from lambdas.core.model import Resource, Saga
from lambdas.core.policy import Policy
from lambdas.core.ports.clock import Clock
from lambdas.core.ports.ledger import Ledger
from lambdas.core.ports.provider import Provider
from lambdas.core.states import UNDER_RELEASE, ResourceStatus
from lambdas.core.steps.absence import Absence
from lambdas.core.steps.provisioning import DONE, intent_of
from lambdas.core.steps.results import Next, StepResult


class ReleaseSteps:
    """The steps that make one resource absent, on one provider. They work from the intent, never from a response."""

    def __init__(self, ledger: Ledger, provider: Provider, clock: Clock, policy: Policy) -> None:
        self._ledger = ledger
        self._provider = provider
        self._clock = clock
        self._policy = policy
        self._absence = Absence(ledger, provider, clock)

    def delete(self, saga_id: str, resource_id: str) -> StepResult:
        """Begin removing whatever there is of the resource; not of a saga that is not being released (any more)."""
        saga, resource = begin_release(self._ledger, self._clock, saga_id, resource_id)
        if saga.status not in UNDER_RELEASE or resource.status is not ResourceStatus.DELETING:
            return DONE
        self._provider.delete(intent_of(self._ledger, saga, resource))
        now = self._clock.now()
        return {"next": Next.WAIT, "delay": self._policy.release_delay(now - (resource.release_began_at or now))}

    def observe(self, saga_id: str, resource_id: str) -> StepResult:
        """Look once whether anything is left; raises TerminalError past the deadline."""
        saga = self._ledger.saga(saga_id)
        resource = self._ledger.resource(saga_id, resource_id)
        if resource.status is ResourceStatus.ABSENT:
            return DONE
        gone = partial(_absent, now=self._clock.now())
        look = self._absence.look(saga, resource, gone, ResourceStatus.ABSENT)
        if look.left:
            return self._delete_again(resource, look.left)
        return DONE if look.gone else {"next": Next.WAIT, "delay": look.delay}

    def _delete_again(self, resource: Resource, left: Sequence[str]) -> StepResult:
        now = self._clock.now()
        if self._policy.release_expired(resource.release_began_at or now, now):
            raise TerminalError("StillThere", f"not gone after {self._policy.release_timeout:.0f} s: {', '.join(left)}")
        return {"next": Next.DELETE, "delay": 0}


def begin_release(ledger: Ledger, clock: Clock, saga_id: str, resource_id: str) -> tuple[Saga, Resource]:
    """Let the removal of a resource begin, if its saga is being released; returns what stands then.

    A call that is delivered again when all has ended must not hide what is stuck.
    """

    def begin(saga: Saga, resource: Resource) -> Resource:
        if saga.status not in UNDER_RELEASE or resource.status in (ResourceStatus.DELETING, ResourceStatus.ABSENT):
            return resource
        if resource.created_at is None:  # no intent was written, so no cloud was ever asked
            return resource.model_copy(update={"status": ResourceStatus.ABSENT})
        return resource.model_copy(
            update={
                "status": ResourceStatus.DELETING,
                "release_began_at": clock.now(),
                "absent_since": None,
                "error": None if resource.status is ResourceStatus.STUCK else resource.error,
            }
        )

    return ledger.change_resource(saga_id, resource_id, begin)


def _absent(resource: Resource, now: datetime) -> Resource:
    """Gone, and with it what it has claimed of a cluster: since it was first not found."""
    if resource.status is not ResourceStatus.DELETING:
        return resource
    gone_at = resource.gone_at or resource.absent_since or now
    return resource.model_copy(update={"status": ResourceStatus.ABSENT, "claim": None, "gone_at": gone_at})
