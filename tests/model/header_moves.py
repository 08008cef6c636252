"""What can happen to a saga's header: begin, cancel, approve, decide, fence, conclude; at any time, like all steps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from lambdas.core.states import ResourceStatus, SagaStatus, check_saga
from tests.model.checker import Kind
from tests.model.rules import Rules
from tests.model.state import Header, Step

Statuses = frozenset[ResourceStatus]
"""The statuses that the saga's resources have between them."""


_UNDECIDED = (SagaStatus.PENDING, SagaStatus.PROVISIONING, SagaStatus.AWAITING_APPROVAL)


class HeaderChange(NamedTuple):
    """One way on for the header."""

    label: str
    kind: Kind
    after: Header
    wrote: bool
    """It wrote to the ledger, so whoever has read before is behind."""


def header_changes(rules: Rules, header: Header, statuses: Statuses) -> Iterator[HeaderChange]:
    """Everything that can happen to the header next."""
    if header.status is SagaStatus.PENDING and not header.cancelled:
        begun = _header(header, SagaStatus.PROVISIONING)
        yield HeaderChange("begin", Kind.PROGRESS, begun, wrote=True)
        yield HeaderChange("begin, to be approved", Kind.PROGRESS, begun._replace(outstanding=True), wrote=True)
    if header.status in _UNDECIDED and not header.cancelled:
        yield HeaderChange("cancel", Kind.PERSON, header_behind(header)._replace(cancelled=True), wrote=True)
    if header.outstanding and not header.cancelled:
        yield from _approving(header)
    yield from _deciding(rules, header, statuses)
    yield from _fencing(rules, header, statuses)
    if header.releasing and statuses <= {ResourceStatus.ABSENT, ResourceStatus.STUCK}:
        gone = statuses == {ResourceStatus.ABSENT}
        end = header.goal if gone and header.goal is not None else SagaStatus.NEEDS_ATTENTION
        yield HeaderChange("conclude", Kind.PROGRESS, _header(header, end), wrote=True)


def _approving(header: Header) -> Iterator[HeaderChange]:
    """`ApprovalSteps` and `Sagas.approve`: an asking may be repeated, and come when it is not due."""
    if header.status is SagaStatus.PROVISIONING:
        yield HeaderChange("ask", Kind.PROGRESS, _header(header, SagaStatus.AWAITING_APPROVAL), wrote=True)
    elif header.status is SagaStatus.AWAITING_APPROVAL:
        approved = _header(header, SagaStatus.PROVISIONING)._replace(outstanding=False)
        yield HeaderChange("approve", Kind.PERSON, approved, wrote=True)
        yield HeaderChange("lapse", Kind.PROGRESS, header_behind(header)._replace(cancelled=True), wrote=True)


def _deciding(rules: Rules, header: Header, statuses: Statuses) -> Iterator[HeaderChange]:
    """`SagaSteps.decide` where it commits: reads, then writes. It may die, and be called again."""
    if header.deciding is None:
        approved = not (header.outstanding and rules.commit_approved)
        if header.wanted and approved and statuses == {ResourceStatus.READY}:
            ready = header._replace(deciding=Step.READ)
            yield HeaderChange("decide: finds all ready", Kind.PROGRESS, ready, wrote=False)
        return
    yield HeaderChange("decide: dies", Kind.FAULT, header._replace(deciding=None), wrote=False)
    if header.deciding is Step.READ or not rules.commit_versioned:
        committed = header._replace(status=SagaStatus.COMMITTED, deciding=None, committed=True)
        yield HeaderChange("decide: commits", Kind.PROGRESS, committed, wrote=True)
    else:
        yield HeaderChange("decide: is behind, reads again", Kind.PROGRESS, header._replace(deciding=None), wrote=False)


def _fencing(rules: Rules, header: Header, statuses: Statuses) -> Iterator[HeaderChange]:
    """`SagaSteps.fence`: an abort, a timeout, a rescue or a sweep may bring it about at any time."""
    fenced = header_behind(header)._replace(outstanding=False)
    if header.status in _UNDECIDED:
        due = header.cancelled or ResourceStatus.FAILED in statuses
        goal = fenced._replace(goal=SagaStatus.ROLLED_BACK)
        kind = Kind.PROGRESS if due else Kind.FAULT
        yield HeaderChange("fence: compensate", kind, _header(goal, SagaStatus.COMPENSATING), wrote=True)
    elif header.status is SagaStatus.NEEDS_ATTENTION:
        yield HeaderChange("fence: resume", Kind.PERSON, _header(fenced, _undoing(header)), wrote=True)
    elif header.status in (SagaStatus.ROLLED_BACK, SagaStatus.RELEASED):
        yield HeaderChange("fence: sweep", Kind.REPEAT, _header(fenced, _undoing(header)), wrote=True)
    elif header.status is SagaStatus.COMMITTED:
        goal = fenced._replace(goal=SagaStatus.RELEASED)
        yield HeaderChange("fence: destroy", Kind.PERSON, _header(goal, SagaStatus.RELEASING), wrote=True)
        if not rules.spares_committed:
            undone = fenced._replace(goal=SagaStatus.ROLLED_BACK, status=SagaStatus.COMPENSATING)
            yield HeaderChange("fence: compensate, late", Kind.REPEAT, undone, wrote=True)


def _undoing(header: Header) -> SagaStatus:
    return SagaStatus.RELEASING if header.goal is SagaStatus.RELEASED else SagaStatus.COMPENSATING


def _header(header: Header, status: SagaStatus) -> Header:
    check_saga(header.status, status)
    return header_behind(header)._replace(status=status)


def header_behind(header: Header) -> Header:
    """The header after something of the saga was written: who is about to commit has old news."""
    return header if header.deciding is None else header._replace(deciding=Step.STALE)
