"""What callers do with sagas."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from lambdas.core.errors import IdempotencyConflict, NotPossible, RetryableError, SagaNotFound
from lambdas.core.model import Saga
from lambdas.core.request import parse_request
from lambdas.core.sagas import LONGEST_WAIT, Sagas, ended
from lambdas.core.states import SagaStatus
from lambdas.core.steps.saga import ReleaseReason
from tests.fakes.documents import aws_disk, request_document
from tests.fakes.executions import FakeExecutions
from tests.unit.core.world import DISK, POLICY, WEB, World

REQUEST = parse_request(request_document())


def compensating(world: World) -> str:
    saga_id = world.provisioning_saga()
    world.compensate(saga_id)
    return saga_id


def rolled_back(world: World) -> str:
    saga_id = compensating(world)
    world.sagas.conclude(saga_id, 0)
    return saga_id


def releasing(world: World) -> str:
    saga_id = world.committed_saga()
    world.sagas.fence(saga_id, ReleaseReason.DESTROY)
    return saga_id


def released(world: World) -> str:
    saga_id = releasing(world)
    world.make_absent(saga_id, WEB)
    world.make_absent(saga_id, DISK)
    world.sagas.conclude(saga_id, 0)
    return saga_id


def needs_attention(world: World) -> str:
    saga_id = releasing(world)
    world.clock.advance(POLICY.release_timeout + 1)
    world.sagas.conclude(saga_id, 0)
    return saga_id


IN_STATUS: dict[SagaStatus, Callable[[World], str]] = {
    SagaStatus.PENDING: World.open,
    SagaStatus.PROVISIONING: World.provisioning_saga,
    SagaStatus.AWAITING_APPROVAL: World.awaiting_approval,
    SagaStatus.COMMITTED: World.committed_saga,
    SagaStatus.COMPENSATING: compensating,
    SagaStatus.ROLLED_BACK: rolled_back,
    SagaStatus.RELEASING: releasing,
    SagaStatus.RELEASED: released,
    SagaStatus.NEEDS_ATTENTION: needs_attention,
}


def saga_in(world: World, status: SagaStatus) -> Saga:
    saga = world.saga(IN_STATUS[status](world))
    assert saga.status is status
    return saga


def test_a_submitted_saga_is_in_the_ledger_and_started(sagas: Sagas, executions: FakeExecutions) -> None:
    saga = sagas.submit(REQUEST, "somebody", "key-1")
    assert (saga.status, saga.version, saga.caller) == (SagaStatus.PENDING, 1, "somebody")
    assert [it.id for it in sagas.get(saga.id).resources] == ["web-aws", "web-azure", "web-gcp"]
    assert executions.provisioning == [saga.id]


def test_the_same_key_and_request_again_give_the_same_saga_and_start_it_once(
    sagas: Sagas, executions: FakeExecutions
) -> None:
    first = sagas.submit(REQUEST, "somebody", "key-1")
    reordered = dict(reversed(list(request_document().items())))
    assert sagas.submit(parse_request(reordered), "somebody", "key-1") == first
    assert executions.provisioning == [first.id]


def test_the_same_key_for_another_request_is_refused_and_starts_nothing(
    sagas: Sagas, executions: FakeExecutions
) -> None:
    first = sagas.submit(REQUEST, "somebody", "key-1")
    with pytest.raises(IdempotencyConflict, match="'key-1'"):
        sagas.submit(parse_request(request_document(aws_disk())), "somebody", "key-1")
    assert executions.provisioning == [first.id]


def test_keys_belong_to_their_caller(sagas: Sagas) -> None:
    assert sagas.submit(REQUEST, "somebody", "key-1").id != sagas.submit(REQUEST, "another", "key-1").id


def test_a_start_that_failed_is_made_up_for_by_the_repeated_call(sagas: Sagas, executions: FakeExecutions) -> None:
    executions.unavailable = 1
    with pytest.raises(RetryableError):
        sagas.submit(REQUEST, "somebody", "key-1")
    saga = sagas.submit(REQUEST, "somebody", "key-1")
    assert executions.provisioning == [saga.id]


def test_repeating_a_submit_does_not_start_what_has_gone_on(
    world: World, sagas: Sagas, executions: FakeExecutions
) -> None:
    saga = sagas.submit(REQUEST, "somebody", "key-1")
    world.sagas.begin(saga.id)
    executions.provisioning.clear()
    assert sagas.submit(REQUEST, "somebody", "key-1").status is SagaStatus.PROVISIONING
    assert executions.provisioning == []


UNDECIDED = [SagaStatus.PENDING, SagaStatus.PROVISIONING, SagaStatus.AWAITING_APPROVAL]


@pytest.mark.parametrize("status", UNDECIDED)
def test_cancel_of_what_has_not_committed_is_recorded(world: World, sagas: Sagas, status: SagaStatus) -> None:
    saga = sagas.cancel(saga_in(world, status).id)
    assert saga.cancel_requested
    assert world.ledger.events(saga.id)[-1].message == "cancel requested"


def test_cancel_repeated_writes_nothing_more(world: World, sagas: Sagas) -> None:
    saga = sagas.cancel(world.provisioning_saga())
    assert sagas.cancel(saga.id) == saga


def test_cancel_starts_a_pending_saga_whose_start_was_lost_so_that_somebody_acts_on_it(
    world: World, sagas: Sagas, executions: FakeExecutions
) -> None:
    saga_id = world.open()
    sagas.cancel(saga_id)
    assert executions.provisioning == [saga_id]
    assert world.sagas.begin(saga_id)["next"] == "COMPENSATE"


@pytest.mark.parametrize(
    "status", [SagaStatus.COMPENSATING, SagaStatus.ROLLED_BACK, SagaStatus.RELEASING, SagaStatus.RELEASED]
)
def test_cancel_and_destroy_leave_alone_what_is_being_undone_already(
    world: World, sagas: Sagas, executions: FakeExecutions, status: SagaStatus
) -> None:
    saga = saga_in(world, status)
    assert sagas.cancel(saga.id) == saga
    assert sagas.destroy(saga.id) == saga
    assert executions.releases == []


@pytest.mark.parametrize(
    ("status", "advice"), [(SagaStatus.COMMITTED, "DELETE it"), (SagaStatus.NEEDS_ATTENTION, "resume it")]
)
def test_cancel_of_what_has_ended_with_resources_says_what_to_do_instead(
    world: World, sagas: Sagas, status: SagaStatus, advice: str
) -> None:
    with pytest.raises(NotPossible, match=advice):
        sagas.cancel(saga_in(world, status).id)


def test_destroy_of_a_committed_saga_starts_one_release_however_often_it_is_asked_for(
    world: World, sagas: Sagas, executions: FakeExecutions
) -> None:
    saga = saga_in(world, SagaStatus.COMMITTED)
    sagas.destroy(saga.id)
    sagas.destroy(saga.id)
    assert executions.releases == [(saga.id, ReleaseReason.DESTROY, saga.version)]


@pytest.mark.parametrize("status", UNDECIDED)
def test_destroy_of_what_has_not_committed_cancels_it(world: World, sagas: Sagas, status: SagaStatus) -> None:
    assert sagas.destroy(saga_in(world, status).id).cancel_requested


def test_destroy_of_a_saga_that_commits_at_that_moment_releases_it(
    world: World, sagas: Sagas, executions: FakeExecutions
) -> None:
    saga_id = world.provisioning_saga(aws_disk())
    world.make_ready(saga_id, DISK)
    world.ledger.meanwhile = [lambda: world.sagas.decide(saga_id, 0)]
    saga = sagas.destroy(saga_id)
    assert saga.status is SagaStatus.COMMITTED
    assert executions.releases == [(saga_id, ReleaseReason.DESTROY, saga.version)]


@pytest.mark.parametrize("ask", [Sagas.resume, Sagas.destroy])
def test_a_saga_that_needs_attention_is_resumed_once_per_time_it_ended_so(
    world: World, sagas: Sagas, executions: FakeExecutions, ask: Callable[[Sagas, str], Saga]
) -> None:
    saga = saga_in(world, SagaStatus.NEEDS_ATTENTION)
    ask(sagas, saga.id)
    ask(sagas, saga.id)
    assert executions.releases == [(saga.id, ReleaseReason.DESTROY, saga.version)]
    world.sagas.fence(saga.id, ReleaseReason.DESTROY)
    world.sagas.stick(saga.id, DISK, "StillThere")
    world.sagas.conclude(saga.id, 0)
    ask(sagas, saga.id)
    assert len(executions.releases) == 2


@pytest.mark.parametrize("status", sorted(set(SagaStatus) - {SagaStatus.NEEDS_ATTENTION}))
def test_only_what_needs_attention_can_be_resumed(world: World, sagas: Sagas, status: SagaStatus) -> None:
    with pytest.raises(NotPossible, match=f"is {status}; only one in NEEDS_ATTENTION"):
        sagas.resume(saga_in(world, status).id)


@pytest.mark.parametrize("ask", [Sagas.get, Sagas.cancel, Sagas.resume, Sagas.destroy])
def test_an_unknown_saga_is_an_error(sagas: Sagas, ask: Callable[[Sagas, str], object]) -> None:
    with pytest.raises(SagaNotFound):
        ask(sagas, "s-unknown")


def test_a_saga_has_ended_when_no_execution_is_at_work_on_it(world: World) -> None:
    ends = {status for status in SagaStatus if ended(saga_in(world, status))}
    assert ends == {
        SagaStatus.COMMITTED,
        SagaStatus.ROLLED_BACK,
        SagaStatus.RELEASED,
        SagaStatus.NEEDS_ATTENTION,
    }


def test_sagas_are_found_newest_first_page_by_page(world: World, sagas: Sagas) -> None:
    ids = []
    for number in range(7):
        world.clock.advance(1)
        ids.append(sagas.submit(REQUEST, "somebody", f"key-{number}").id)
    found: list[str] = []
    while page := sagas.find(None, None, 3, found[-1] if found else None):
        found += [saga.id for saga in page]
    assert found == list(reversed(ids))


def test_a_label_is_looked_for_beyond_the_first_page(world: World, sagas: Sagas) -> None:
    ids = []
    for number in range(9):
        world.clock.advance(1)
        request = parse_request(request_document(labels={"team": "a" if number % 4 == 0 else "b"}))
        ids.append(sagas.submit(request, "somebody", f"key-{number}").id)
    assert [it.id for it in sagas.find(None, ("team", "a"), 2, None)] == [ids[8], ids[4]]
    assert [it.id for it in sagas.find(None, ("team", "a"), 2, ids[4])] == [ids[0]]
    assert sagas.find(None, ("team", "c"), 2, None) == []


def test_sagas_are_found_by_status(world: World, sagas: Sagas) -> None:
    pending = world.open()
    world.clock.advance(1)
    begun = world.provisioning_saga()
    assert [it.id for it in sagas.find(SagaStatus.PROVISIONING, None, 5, None)] == [begun]
    assert [it.id for it in sagas.find(SagaStatus.PENDING, None, 5, None)] == [pending]


def test_events_that_exist_are_given_without_waiting(world: World, sagas: Sagas) -> None:
    saga_id = world.provisioning_saga()
    began = world.clock.now()
    assert [event.seq for event in sagas.events(saga_id, (1,), wait=20).events] == [2]
    assert world.clock.now() == began


def test_waiting_ends_as_soon_as_there_is_an_event(world: World) -> None:
    saga_id = world.open()
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        world.clock.advance(seconds)
        pauses.append(seconds)
        if len(pauses) == 3:
            world.sagas.begin(saga_id)

    sagas = Sagas(world.ledger, FakeExecutions(), world.clock, pause)
    assert [event.status for event in sagas.events(saga_id, (1,), wait=20).events] == ["PROVISIONING"]
    assert len(pauses) == 3


@pytest.mark.parametrize(("wait", "waited"), [(0, 0), (1.5, 1.5), (3600, LONGEST_WAIT)])
def test_waiting_in_vain_ends_when_it_was_asked_to_and_never_later_than_the_longest_wait(
    world: World, sagas: Sagas, wait: float, waited: float
) -> None:
    saga_id = world.open()
    began = world.clock.now()
    assert sagas.events(saga_id, (1,), wait).events == []
    assert timedelta(seconds=waited) <= world.clock.now() - began <= timedelta(seconds=waited + 0.2)
