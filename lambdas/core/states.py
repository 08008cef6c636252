"""What may follow what: the only allowed status changes of sagas and of their resources."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from lambdas.core.errors import IllegalTransition


class SagaStatus(StrEnum):
    """Where a saga stands; the names are part of the API."""

    PENDING = "PENDING"
    PROVISIONING = "PROVISIONING"
    AWAITING_APPROVAL = "AWAITING_APPROVAL"
    COMMITTED = "COMMITTED"
    COMPENSATING = "COMPENSATING"
    ROLLED_BACK = "ROLLED_BACK"
    RELEASING = "RELEASING"
    RELEASED = "RELEASED"
    NEEDS_ATTENTION = "NEEDS_ATTENTION"


class ResourceStatus(StrEnum):
    """Where a resource stands; the names are part of the API."""

    PLANNED = "PLANNED"
    CREATING = "CREATING"
    READY = "READY"
    FAILED = "FAILED"
    DELETING = "DELETING"
    ABSENT = "ABSENT"
    STUCK = "STUCK"


SAGA_TRANSITIONS: Final[frozenset[tuple[SagaStatus, SagaStatus]]] = frozenset(
    {
        (SagaStatus.PENDING, SagaStatus.PROVISIONING),  # the execution began
        (SagaStatus.PENDING, SagaStatus.COMPENSATING),  # cancelled, or failed, before it began
        (SagaStatus.PROVISIONING, SagaStatus.COMMITTED),  # every resource is ready
        (SagaStatus.PROVISIONING, SagaStatus.AWAITING_APPROVAL),  # its request wants somebody's consent first
        (SagaStatus.PROVISIONING, SagaStatus.COMPENSATING),  # the fence: from here on no create may begin
        (SagaStatus.AWAITING_APPROVAL, SagaStatus.PROVISIONING),  # approved
        (SagaStatus.AWAITING_APPROVAL, SagaStatus.COMPENSATING),  # cancelled, expired, or nobody approved in time
        (SagaStatus.COMPENSATING, SagaStatus.ROLLED_BACK),  # every resource is absent
        (SagaStatus.COMPENSATING, SagaStatus.NEEDS_ATTENTION),  # something would not go away
        (SagaStatus.COMMITTED, SagaStatus.RELEASING),  # destroyed on purpose
        (SagaStatus.RELEASING, SagaStatus.RELEASED),  # every resource is absent
        (SagaStatus.RELEASING, SagaStatus.NEEDS_ATTENTION),  # something would not go away
        (SagaStatus.NEEDS_ATTENTION, SagaStatus.COMPENSATING),  # resumed: it was rolling back
        (SagaStatus.NEEDS_ATTENTION, SagaStatus.RELEASING),  # resumed: it was being destroyed
        (SagaStatus.ROLLED_BACK, SagaStatus.COMPENSATING),  # the sweep found something of it after all
        (SagaStatus.RELEASED, SagaStatus.RELEASING),  # the sweep found something of it after all
    }
)

RESOURCE_TRANSITIONS: Final[frozenset[tuple[ResourceStatus, ResourceStatus]]] = frozenset(
    {
        (ResourceStatus.PLANNED, ResourceStatus.CREATING),  # the intent, written before the cloud is asked
        (ResourceStatus.PLANNED, ResourceStatus.FAILED),  # short of something, or the step died before the intent
        (ResourceStatus.PLANNED, ResourceStatus.ABSENT),  # fenced before any intent: the cloud was never asked
        (ResourceStatus.CREATING, ResourceStatus.READY),  # the cloud says so
        (ResourceStatus.CREATING, ResourceStatus.PLANNED),  # its cluster had no room, and nothing of it is left there
        (ResourceStatus.CREATING, ResourceStatus.FAILED),  # the cloud says so, or nobody knows
        (ResourceStatus.CREATING, ResourceStatus.DELETING),  # released while its fate was still open
        (ResourceStatus.READY, ResourceStatus.DELETING),  # released
        (ResourceStatus.FAILED, ResourceStatus.ABSENT),  # failed before any intent: the cloud was never asked
        (ResourceStatus.FAILED, ResourceStatus.DELETING),  # a failed create may have left something behind
        (ResourceStatus.CREATING, ResourceStatus.STUCK),  # its removal could not even begin
        (ResourceStatus.READY, ResourceStatus.STUCK),  # its removal could not even begin
        (ResourceStatus.FAILED, ResourceStatus.STUCK),  # its removal could not even begin
        (ResourceStatus.DELETING, ResourceStatus.ABSENT),  # not found throughout the settling window
        (ResourceStatus.DELETING, ResourceStatus.STUCK),  # the cloud would not let go of it in time
        (ResourceStatus.STUCK, ResourceStatus.DELETING),  # resumed
        (ResourceStatus.ABSENT, ResourceStatus.DELETING),  # the sweep found something after all
    }
)

UNDECIDED: Final = frozenset({SagaStatus.PENDING, SagaStatus.PROVISIONING, SagaStatus.AWAITING_APPROVAL})
"""The statuses before the commit and the fence: a cancel is still heard in them."""

UNDER_RELEASE: Final = frozenset({SagaStatus.COMPENSATING, SagaStatus.RELEASING})
"""The statuses in which resources are removed, and in no other."""

ENDINGS: Final = frozenset(
    {SagaStatus.COMMITTED, SagaStatus.ROLLED_BACK, SagaStatus.RELEASED, SagaStatus.NEEDS_ATTENTION}
)
"""The statuses in which no execution is at work on a saga."""


def check_saga(before: SagaStatus, after: SagaStatus) -> None:
    """Raise IllegalTransition unless a saga may go from `before` to `after` (staying is always allowed)."""
    if before is not after and (before, after) not in SAGA_TRANSITIONS:
        raise IllegalTransition(f"a saga does not go from {before} to {after}")


def check_resource(before: ResourceStatus, after: ResourceStatus) -> None:
    """Raise IllegalTransition unless a resource may go from `before` to `after` (staying is always allowed)."""
    if before is not after and (before, after) not in RESOURCE_TRANSITIONS:
        raise IllegalTransition(f"a resource does not go from {before} to {after}")
