"""What a state of the model consists of: a ledger, its clouds, and the invocations and requests under way."""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple

from lambdas.core.states import ResourceStatus, SagaStatus

NEVER: Final = -1
"""In place of ticks: no absence has begun."""


class Step(IntEnum):
    """Where an invocation stands between two of its actions."""

    READ = 1  # has read a saga that wants its resources and a planned resource
    STALE = 2  # and something of the saga was written since
    PASSED = 3  # has passed the fence, and will ask the cloud
    ANSWERED = 4  # has the cloud's answer, and will record the operation
    SEEN_READY = 5  # has seen the resource ready, and will record it
    FOUND = 6  # has found that something is left
    MISSED = 7  # has found nothing


class Call(NamedTuple):
    """An invocation at work on a resource; dying, it simply is no more."""

    step: Step
    left: int
    """Ticks until the function's timeout."""
    since: int = NEVER
    """What `absent_since` was when a look began that found nothing, as ticks ago."""


class Resource(NamedTuple):
    """One resource: what the ledger says, who is at work on it, and what is really there."""

    status: ResourceStatus = ResourceStatus.PLANNED
    intended: bool = False
    """Its intent is in the ledger: `created_at` is set."""
    recorded: bool = False
    """The create operation is in the ledger."""
    since: int = NEVER
    """`absent_since`, as ticks ago; what is older than the settling window does not age."""
    calls: tuple[Call, ...] = ()
    wire: tuple[int, ...] = ()
    """Create requests still to take effect: ticks until they have at the latest."""
    lives: bool = False
    """It is there: building, ready or broken; ready is when a look says so."""
    young: int = 0
    """Ticks for which a read may still miss it."""
    asked: bool = False
    """Its removal was asked for; kept only where the rules allow that once."""
    twins: bool = False
    """Two lived at once."""
    trespass: bool = False
    """A create began after the fence."""


class Header(NamedTuple):
    """The saga's header, and the invocation that is about to commit it."""

    status: SagaStatus = SagaStatus.PENDING
    cancelled: bool = False
    outstanding: bool = False
    """It asked for approval, and nobody has given it yet; meaningless once it is being released."""
    goal: SagaStatus | None = None
    """`release_goal`: set once a release has begun, and with it the fence."""
    deciding: Step | None = None
    """READ or STALE: all were ready when it read them."""
    committed: bool = False
    """It committed once."""

    @property
    def wanted(self) -> bool:
        """As `lambdas.core.steps.provisioning.wanted`."""
        return self.status is SagaStatus.PROVISIONING and not self.cancelled

    @property
    def fenced(self) -> bool:
        """Whether no create may begin any more."""
        return self.cancelled or self.goal is not None

    @property
    def releasing(self) -> bool:
        """Whether a release is under way."""
        return self.status in (SagaStatus.COMPENSATING, SagaStatus.RELEASING)


class Saga(NamedTuple):
    """A whole state."""

    header: Header
    resources: tuple[Resource, ...]
