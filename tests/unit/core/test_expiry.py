"""A saga with a time to live is released when it has run out, wherever it stands then."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lambdas.core.durations import duration_of
from lambdas.core.errors import RequestError, RetryableError
from lambdas.core.plan import plan_saga
from lambdas.core.request import parse_request
from lambdas.core.states import SagaStatus
from lambdas.core.steps.saga import ReleaseReason
from tests.fakes.documents import aws_disk, request_document
from tests.unit.core.world import WEB, World

EXPIRE = ReleaseReason.EXPIRE


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("20s", timedelta(seconds=20)),
        ("90m", timedelta(minutes=90)),
        ("8h", timedelta(hours=8)),
        ("366d", timedelta(days=366)),
    ],
)
def test_a_time_to_live_counts_from_the_submission(world: World, text: str, duration: timedelta) -> None:
    now = world.clock.now()
    planned = plan_saga(parse_request(request_document(ttl=text)), "s1", "somebody", now)
    assert duration_of(text) == duration
    assert planned.saga.expires_at == now + duration


def test_without_a_time_to_live_it_never_expires(world: World) -> None:
    planned = plan_saga(parse_request(request_document()), "s1", "somebody", world.clock.now())
    assert planned.saga.expires_at is None


@pytest.mark.parametrize(
    "text", ["", "8", "h", "0h", "-1h", "8 h", "1.5h", "8w", "8H", "367d", "99999999d", "1h30m", 8]
)
def test_what_is_no_duration_is_refused_by_the_name_of_its_field(text: object) -> None:
    with pytest.raises(RequestError) as refusal:
        parse_request(request_document(ttl=text))
    assert [error.field for error in refusal.value.errors] == ["ttl"]


def opened(world: World, expires_in: timedelta) -> str:
    saga_id = world.open(aws_disk(WEB))
    until = world.clock.now() + expires_in
    world.ledger.change_saga(saga_id, lambda now: now.saga.model_copy(update={"expires_at": until}))
    return saga_id


def test_begin_has_the_expiry_scheduled_and_again_when_it_is_called_again(world: World) -> None:
    saga_id = opened(world, timedelta(hours=8))
    world.sagas.begin(saga_id)
    world.expiry.scheduled.clear()
    world.sagas.begin(saga_id)
    assert world.expiry.scheduled == {saga_id: world.saga(saga_id).expires_at}


def test_a_saga_that_could_not_be_scheduled_to_expire_does_not_provision(world: World) -> None:
    saga_id = opened(world, timedelta(hours=8))
    world.expiry.unavailable = 1
    with pytest.raises(RetryableError):
        world.sagas.begin(saga_id)
    assert world.sagas.begin(saga_id)["next"] == "PROVISION"
    assert saga_id in world.expiry.scheduled


def test_a_saga_cancelled_before_it_began_is_not_scheduled(world: World) -> None:
    saga_id = opened(world, timedelta(hours=8))
    world.cancel(saga_id)
    world.sagas.begin(saga_id)
    assert world.expiry.scheduled == {}


def test_a_committed_saga_that_expires_is_released(world: World) -> None:
    saga_id = world.committed_saga()
    assert world.sagas.fence(saga_id, EXPIRE)["next"] == "RELEASE"
    assert world.saga(saga_id).status is SagaStatus.RELEASING


def test_a_saga_that_expires_while_it_provisions_is_rolled_back(world: World) -> None:
    saga_id = world.provisioning_saga()
    assert world.sagas.fence(saga_id, EXPIRE)["next"] == "RELEASE"
    assert world.saga(saga_id).status is SagaStatus.COMPENSATING


def test_the_ledger_says_why(world: World) -> None:
    saga_id = world.committed_saga()
    world.sagas.fence(saga_id, EXPIRE)
    assert world.ledger.events(saga_id)[-1].message == "its time to live has run out"
