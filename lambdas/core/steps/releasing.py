"""Removing one resource: act, look, and believe in its absence only when it has lasted."""

from __future__ import annotations

from datetime import datetime, timedelta

from lambdas.core.errors import TerminalError
from lambdas.core.model import Resource, Saga
from lambdas.core.policy import Policy
from lambdas.core.ports.clock import Clock
from lambdas.core.ports.ledger import Ledger
from lambdas.core.ports.provider import Provider
from lambdas.core.states import UNDER_RELEASE, ResourceStatus
from lambdas.core.steps.provisioning import DONE, intent_of
from lambdas.core.steps.results import Next, StepResult


class ReleaseSteps:
    """The steps that make one resource absent, on one provider. They work from the intent, never from a response."""

    def __init__(self, ledger: Ledger, provider: Provider, clock: Clock, policy: Policy) -> None:
        self._ledger = ledger
        self._provider = provider
        self._clock = clock
        self._policy = policy

    def delete(self, saga_id: str, resource_id: str) -> StepResult:
        """Begin removing whatever there is of the resource; not of a saga that is not being released (any more)."""
        saga, resource = self._ledger.change_resource(saga_id, resource_id, self._begin)
        if saga.status not in UNDER_RELEASE or resource.status is not ResourceStatus.DELETING:
            return DONE
        self._provider.delete(intent_of(self._ledger, saga, resource))
        now = self._clock.now()
        return {"next": Next.WAIT, "delay": self._policy.release_delay(now - (resource.release_began_at or now))}

    def observe(self, saga_id: str, resource_id: str) -> StepResult:
        """Look once whether anything is left; raises TerminalError past the deadline.

        Absence counts once it has lasted for the provider's settling window: a create that was under way when the fence
        went up, or whose request arrives late, shows itself within it. It lasts from the end of the first look that
        found nothing to the beginning of the last, so that a slow look counts for nothing.
        """
        saga = self._ledger.saga(saga_id)
        resource = self._ledger.resource(saga_id, resource_id)
        if resource.status is ResourceStatus.ABSENT:
            return DONE
        began = self._clock.now()
        left = self._provider.find(intent_of(self._ledger, saga, resource))
        now = self._clock.now()
        if left:
            self._ledger.change_resource(saga_id, resource_id, lambda _, it: _absent_since(it, None), "found again")
            return self._delete_again(resource, left, now)
        since = resource.absent_since or now
        settled = began - since >= timedelta(seconds=self._provider.settling_seconds)
        if settled:
            seen = resource.absent_since
            _, it = self._ledger.change_resource(saga_id, resource_id, lambda _, it: _absent_if_still(it, seen))
            return DONE if it.status is ResourceStatus.ABSENT else {"next": Next.WAIT, "delay": 1}
        message = "not found; gone if that lasts"
        self._ledger.change_resource(saga_id, resource_id, lambda _, it: _absent_since(it, since), message)
        return {"next": Next.WAIT, "delay": self._until_settled(since, now)}

    def _begin(self, saga: Saga, resource: Resource) -> Resource:
        """A call that is delivered again when all has ended must not hide what is stuck."""
        if saga.status not in UNDER_RELEASE or resource.status in (ResourceStatus.DELETING, ResourceStatus.ABSENT):
            return resource
        if resource.created_at is None:  # no intent was written, so no cloud was ever asked
            return resource.model_copy(update={"status": ResourceStatus.ABSENT})
        return resource.model_copy(
            update={
                "status": ResourceStatus.DELETING,
                "release_began_at": self._clock.now(),
                "absent_since": None,
                "error": None if resource.status is ResourceStatus.STUCK else resource.error,
            }
        )

    def _delete_again(self, resource: Resource, left: list[str], now: datetime) -> StepResult:
        began = resource.release_began_at or now
        if self._policy.release_expired(began, now):
            raise TerminalError("StillThere", f"not gone after {self._policy.release_timeout:.0f} s: {', '.join(left)}")
        return {"next": Next.DELETE, "delay": 0}

    def _until_settled(self, since: datetime, now: datetime) -> int:
        left = timedelta(seconds=self._provider.settling_seconds) - (now - since)
        return max(1, min(self._policy.max_delay, -int(-left.total_seconds() // 1)))


def _absent_since(resource: Resource, since: datetime | None) -> Resource:
    if resource.absent_since == since:
        return resource
    return resource.model_copy(update={"absent_since": since})


def _absent_if_still(resource: Resource, since: datetime | None) -> Resource:
    """Gone, unless another look has found something in the meantime."""
    if resource.status is not ResourceStatus.DELETING or resource.absent_since != since:
        return resource
    return resource.model_copy(update={"status": ResourceStatus.ABSENT})
