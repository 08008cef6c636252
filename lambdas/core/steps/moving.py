"""Leaving a cluster that has no room after all: what was begun there has to go before another is tried."""

from __future__ import annotations

from lambdas.core.errors import CapacityError, TerminalError
from lambdas.core.model import Resource, Saga
from lambdas.core.policy import Policy
from lambdas.core.ports.clock import Clock
from lambdas.core.ports.ledger import Ledger
from lambdas.core.ports.provider import Provider
from lambdas.core.states import ResourceStatus
from lambdas.core.steps.absence import Absence
from lambdas.core.steps.provisioning import DONE, intent_of, wanted
from lambdas.core.steps.results import Next, StepResult


class MovingSteps:
    """The steps that take a machine off the cluster that refused it; its claim is kept while anything may be there."""

    def __init__(self, ledger: Ledger, provider: Provider, clock: Clock, policy: Policy) -> None:
        self._ledger = ledger
        self._provider = provider
        self._clock = clock
        self._policy = policy
        self._absence = Absence(ledger, provider, clock)

    def begin(self, saga_id: str, resource_id: str, refusal: CapacityError) -> None:
        """Record that its cluster refused it; from here on nothing more of it is created there."""

        def change(saga: Saga, it: Resource) -> Resource:
            if not wanted(saga) or it.status is not ResourceStatus.CREATING or it.claim is None or it.moving:
                return it
            return it.model_copy(update={"refused_by": (*it.refused_by, it.claim.cluster), "absent_since": None})

        self._ledger.change_resource(saga_id, resource_id, change, f"refused by its cluster: {refusal}")

    def go_on(self, saga_id: str, resource_id: str) -> StepResult:
        """Remove what is left there; once that is gone for good the claim is freed, and it can be placed again."""
        saga = self._ledger.saga(saga_id)
        resource = self._ledger.resource(saga_id, resource_id)
        if not wanted(saga) or resource.status is not ResourceStatus.CREATING:
            return DONE
        look = self._absence.look(saga, resource, _to_be_placed, ResourceStatus.PLANNED)
        if look.gone:
            return {"next": Next.CREATE, "delay": 0}
        if look.left:
            self._check_deadline(resource, look.left)
            self._provider.delete(intent_of(self._ledger, saga, resource))
        return {"next": Next.WAIT, "delay": max(look.delay, self._policy.min_delay)}

    def _check_deadline(self, resource: Resource, left: tuple[str, ...]) -> None:
        now = self._clock.now()
        if self._policy.create_expired(resource.created_at or now, now):
            raise TerminalError("StillThere", f"its cluster refused it and does not let go of {', '.join(left)}")


def _to_be_placed(resource: Resource) -> Resource:
    if resource.status is not ResourceStatus.CREATING or not resource.moving:
        return resource
    return resource.model_copy(
        update={
            "status": ResourceStatus.PLANNED,
            "claim": None,
            "attempt": None,
            "operations": {},
            "created_at": None,
            "absent_since": None,
        }
    )
