"""A saga that wants somebody's consent waits for it, once, and no longer than it says."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lambdas.core.errors import NotPossible, RequestError, RetryableError, TerminalError
from lambdas.core.model import Approval, ApprovalPoint, Saga
from lambdas.core.plan import plan_saga
from lambdas.core.request import parse_request
from lambdas.core.sagas import Sagas
from lambdas.core.states import SagaStatus
from lambdas.core.steps.saga import ReleaseReason
from tests.fakes.clock import START
from tests.fakes.documents import aws_disk, request_document
from tests.fakes.executions import FakeExecutions
from tests.unit.core.world import DISK, World

WITHIN = timedelta(hours=1)
BEFORE = list(ApprovalPoint)
TOKEN = "token-1"


def opened(world: World, before: ApprovalPoint) -> str:
    """A pending saga of one disk that wants approval."""
    saga_id = world.open(aws_disk(DISK))
    approval = Approval(before=before, within=WITHIN)
    world.ledger.change_saga(saga_id, lambda now: now.saga.model_copy(update={"approval": approval}))
    return saga_id


def due(world: World, before: ApprovalPoint) -> str:
    """One that is to be asked for next."""
    saga_id = opened(world, before)
    result = world.sagas.begin(saga_id)
    if before is ApprovalPoint.COMMIT:
        world.make_ready(saga_id, DISK)
        result = world.sagas.decide(saga_id, 0)
    assert result["next"] == "APPROVE"
    return saga_id


def asked(world: World, before: ApprovalPoint, token: str = TOKEN) -> str:
    """One that waits for it."""
    saga_id = due(world, before)
    world.sagas.approvals.ask(saga_id, token)
    assert world.saga(saga_id).status is SagaStatus.AWAITING_APPROVAL
    return saga_id


def wave_of(before: ApprovalPoint) -> int:
    return -1 if before is ApprovalPoint.PROVISIONING else 0


def last_message(world: World, saga_id: str) -> str | None:
    return world.ledger.events(saga_id)[-1].message


def test_a_request_says_before_what_and_for_how_long() -> None:
    document = request_document(approval={"before": "commit", "within": "90m"})
    planned = plan_saga(parse_request(document), "s1", "somebody", START)
    assert planned.saga.approval == Approval(before=ApprovalPoint.COMMIT, within=timedelta(minutes=90))


@pytest.mark.parametrize(
    ("approval", "field"),
    [
        ({}, "approval.before"),
        ({"before": "lunch"}, "approval.before"),
        ({"before": "commit", "within": "8d"}, "approval.within"),
        ({"before": "commit", "within": "soon"}, "approval.within"),
        ({"before": "commit", "by": "me"}, "approval.by"),
        ("commit", "approval"),
    ],
)
def test_what_is_no_wish_for_approval_is_refused_by_the_name_of_its_field(approval: object, field: str) -> None:
    with pytest.raises(RequestError) as refusal:
        parse_request(request_document(approval=approval))
    assert [error.field for error in refusal.value.errors] == [field]


def test_what_may_be_approved_is_told() -> None:
    with pytest.raises(RequestError, match="must be 'provisioning' or 'commit'"):
        parse_request(request_document(approval={"before": "lunch"}))


def test_before_provisioning_it_is_asked_for_before_the_first_wave(world: World) -> None:
    saga_id = opened(world, ApprovalPoint.PROVISIONING)
    result = world.sagas.begin(saga_id)
    assert (result["next"], result["wave"], result["batches"]) == ("APPROVE", -1, [])
    assert result["approval_seconds"] == WITHIN.total_seconds()


def test_before_the_commit_it_is_asked_for_when_everything_is_ready(world: World) -> None:
    saga_id = opened(world, ApprovalPoint.COMMIT)
    assert world.sagas.begin(saga_id)["next"] == "PROVISION"
    world.make_ready(saga_id, DISK)
    result = world.sagas.decide(saga_id, 0)
    assert (result["next"], result["wave"]) == ("APPROVE", 0)
    assert world.saga(saga_id).status is SagaStatus.PROVISIONING


@pytest.mark.parametrize("before", BEFORE)
def test_deciding_again_while_it_waits_goes_on_waiting_for_what_is_left_of_the_time(
    world: World, before: ApprovalPoint
) -> None:
    saga_id = asked(world, before)
    world.clock.advance(600)
    result = world.sagas.decide(saga_id, wave_of(before))
    assert (result["next"], result["wave"]) == ("APPROVE", wave_of(before))
    assert result["approval_seconds"] == WITHIN.total_seconds() - 600


@pytest.mark.parametrize("before", BEFORE)
def test_no_create_begins_while_it_waits(world: World, before: ApprovalPoint) -> None:
    saga_id = asked(world, before)
    world.cloud.calls.clear()
    world.provisioning.create(saga_id, DISK)
    assert world.cloud.calls == []


@pytest.mark.parametrize("before", BEFORE)
def test_an_approved_saga_goes_on_and_tells_who_approved_it(
    world: World, sagas: Sagas, executions: FakeExecutions, before: ApprovalPoint
) -> None:
    saga_id = asked(world, before)
    approval = sagas.approve(saga_id, "boss").approval
    assert approval is not None
    assert (approval.approved_by, approval.approved_at) == ("boss", world.clock.now())
    assert last_message(world, saga_id) == "approved by boss"
    assert executions.woken == ["token-1"]
    expected = "PROVISION" if before is ApprovalPoint.PROVISIONING else "COMMITTED"
    assert world.sagas.decide(saga_id, wave_of(before))["next"] == expected


def test_one_that_was_approved_before_provisioning_is_not_asked_for_again_before_the_commit(
    world: World, sagas: Sagas
) -> None:
    saga_id = asked(world, ApprovalPoint.PROVISIONING)
    sagas.approve(saga_id, "boss")
    world.make_ready(saga_id, DISK)
    assert world.sagas.decide(saga_id, 0)["next"] == "COMMITTED"


def test_approving_again_changes_nothing_and_wakes_again(
    world: World, sagas: Sagas, executions: FakeExecutions
) -> None:
    saga_id = asked(world, ApprovalPoint.COMMIT)
    first = sagas.approve(saga_id, "boss")
    assert sagas.approve(saga_id, "another") == first
    assert executions.woken == ["token-1", "token-1"]


def test_an_approval_whose_waking_failed_is_kept_and_the_repeated_call_wakes(
    world: World, sagas: Sagas, executions: FakeExecutions
) -> None:
    saga_id = asked(world, ApprovalPoint.COMMIT)
    executions.unavailable = 1
    with pytest.raises(RetryableError):
        sagas.approve(saga_id, "boss")
    assert executions.woken == []
    sagas.approve(saga_id, "boss")
    assert executions.woken == ["token-1"]


def test_whichever_task_waits_is_woken_when_asking_had_to_be_tried_again(
    world: World, sagas: Sagas, executions: FakeExecutions
) -> None:
    """A late delivery of the first asking may be written after the second one's."""
    saga_id = asked(world, ApprovalPoint.COMMIT, "token-2")
    world.sagas.approvals.ask(saga_id, "token-1")
    world.sagas.approvals.ask(saga_id, "token-2")
    sagas.approve(saga_id, "boss")
    assert executions.woken == ["token-2", "token-1"]


def test_asking_again_gives_no_more_time(world: World) -> None:
    saga_id = asked(world, ApprovalPoint.COMMIT)
    until = approval_of(world.saga(saga_id)).approve_by
    world.clock.advance(600)
    world.sagas.approvals.ask(saga_id, "token-2")
    assert approval_of(world.saga(saga_id)).approve_by == until


@pytest.mark.parametrize("before", BEFORE)
def test_a_saga_that_does_not_wait_yet_cannot_be_approved(world: World, sagas: Sagas, before: ApprovalPoint) -> None:
    saga_id = opened(world, before)
    with pytest.raises(NotPossible, match="is PENDING; only one in AWAITING_APPROVAL"):
        sagas.approve(saga_id, "boss")


def test_a_saga_that_asks_for_nothing_cannot_be_approved(world: World, sagas: Sagas) -> None:
    with pytest.raises(NotPossible, match="asks for no approval"):
        sagas.approve(world.provisioning_saga(), "boss")


@pytest.mark.parametrize("before", BEFORE)
def test_cancelling_what_waits_wakes_it_to_be_undone(
    world: World, sagas: Sagas, executions: FakeExecutions, before: ApprovalPoint
) -> None:
    saga_id = asked(world, before)
    sagas.cancel(saga_id)
    assert executions.woken == ["token-1"]
    assert world.sagas.decide(saga_id, wave_of(before))["next"] == "COMPENSATE"
    with pytest.raises(NotPossible, match="is cancelled"):
        sagas.approve(saga_id, "boss")


def test_an_approval_that_is_written_just_before_a_cancel_does_not_outrun_it(world: World, sagas: Sagas) -> None:
    saga_id = asked(world, ApprovalPoint.COMMIT)
    world.ledger.meanwhile = [lambda: sagas.approve(saga_id, "boss")]
    sagas.cancel(saga_id)
    assert world.sagas.decide(saga_id, 0)["next"] == "COMPENSATE"


@pytest.mark.parametrize("before", BEFORE)
def test_what_nobody_approves_in_time_is_undone_and_the_ledger_says_why(world: World, before: ApprovalPoint) -> None:
    saga_id = asked(world, before)
    world.sagas.approvals.lapse(saga_id, "States.Timeout")
    assert last_message(world, saga_id) == "not approved: States.Timeout"
    assert world.sagas.decide(saga_id, wave_of(before))["next"] == "COMPENSATE"


def test_an_approval_at_the_last_moment_outlives_the_end_of_the_wait(world: World, sagas: Sagas) -> None:
    saga_id = asked(world, ApprovalPoint.COMMIT)
    sagas.approve(saga_id, "boss")
    world.sagas.approvals.lapse(saga_id, "States.Timeout")
    assert world.sagas.decide(saga_id, 0)["next"] == "COMMITTED"


@pytest.mark.parametrize("before", BEFORE)
def test_asking_for_what_was_cancelled_in_the_meantime_fails_so_that_nobody_waits(
    world: World, sagas: Sagas, before: ApprovalPoint
) -> None:
    saga_id = due(world, before)
    sagas.cancel(saga_id)
    with pytest.raises(TerminalError, match="NothingToApprove"):
        world.sagas.approvals.ask(saga_id, "token-1")
    world.sagas.approvals.lapse(saga_id, "TerminalError: NothingToApprove")
    assert last_message(world, saga_id) == "cancel requested"


@pytest.mark.parametrize("reason", [ReleaseReason.COMPENSATE, ReleaseReason.DESTROY, ReleaseReason.EXPIRE])
def test_whatever_releases_a_saga_releases_one_that_waits(world: World, sagas: Sagas, reason: ReleaseReason) -> None:
    saga_id = asked(world, ApprovalPoint.COMMIT)
    assert world.sagas.fence(saga_id, reason)["next"] == "RELEASE"
    assert world.saga(saga_id).status is SagaStatus.COMPENSATING
    with pytest.raises(NotPossible, match="is COMPENSATING"):
        sagas.approve(saga_id, "boss")


def approval_of(saga: Saga) -> Approval:
    assert saga.approval is not None
    return saga.approval
