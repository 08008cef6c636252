"""Believing that nothing is left of a resource: only when that has lasted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from math import ceil
from typing import NamedTuple

from lambdas.core.model import Resource, Saga
from lambdas.core.ports.clock import Clock
from lambdas.core.ports.ledger import Ledger
from lambdas.core.ports.provider import Provider
from lambdas.core.states import ResourceStatus
from lambdas.core.steps.provisioning import intent_of


class Look(NamedTuple):
    """What one look found: what is left, or whether it is gone for good, or in how many seconds to look again."""

    left: tuple[str, ...] = ()
    gone: bool = False
    delay: int = 0


class Absence:
    """Looks whether anything is left of a resource.

    Absence counts once it has lasted for the provider's settling window: a create that was under way when the fence
    went up, or whose request arrives late, shows itself within it. It lasts from the end of the first look that
    found nothing to the beginning of the last, so that a slow look counts for nothing.
    """

    def __init__(self, ledger: Ledger, provider: Provider, clock: Clock) -> None:
        self._ledger = ledger
        self._provider = provider
        self._clock = clock

    def look(
        self, saga: Saga, resource: Resource, conclude: Callable[[Resource], Resource], goal: ResourceStatus
    ) -> Look:
        """Look once; when nothing has been there for long enough, `conclude` brings the resource to its `goal`.

        Unless another look has found something in the meantime.
        """
        began = self._clock.now()
        left = self._provider.find(intent_of(self._ledger, saga, resource))
        now = self._clock.now()
        if left:
            self._note(resource, None, "found again")
            return Look(left=tuple(left))
        since = resource.absent_since or now
        if began - since < timedelta(seconds=self._provider.settling_seconds):
            self._note(resource, since, "not found; gone if that lasts")
            return Look(delay=self._until_settled(since, now))

        def gone(_: Saga, it: Resource) -> Resource:
            same = (it.absent_since, it.claim) == (resource.absent_since, resource.claim)
            return conclude(it) if same else it

        _, it = self._ledger.change_resource(resource.saga_id, resource.id, gone)
        return Look(gone=it.status is goal, delay=1)

    def _note(self, resource: Resource, since: datetime | None, message: str) -> None:
        def change(_: Saga, it: Resource) -> Resource:
            elsewhere = it.claim != resource.claim  # it is on another cluster by now, of which this says nothing
            seen = since is not None and it.absent_since != resource.absent_since  # by another look meanwhile
            if elsewhere or seen or it.absent_since == since:
                return it
            return it.model_copy(update={"absent_since": since})

        self._ledger.change_resource(resource.saga_id, resource.id, change, message)

    def _until_settled(self, since: datetime, now: datetime) -> int:
        """The next look is the one that counts: what shows itself before it is found by it, too."""
        left = timedelta(seconds=self._provider.settling_seconds) - (now - since)
        return max(1, ceil(left.total_seconds()))
