"""How a change becomes a write."""

from __future__ import annotations

import pytest

from lambdas.core.changes import resource_write, saga_write, standing_of
from lambdas.core.errors import IllegalTransition
from lambdas.core.model import Fault
from lambdas.core.plan import plan_saga
from lambdas.core.ports.ledger import Snapshot
from lambdas.core.request import parse_request
from lambdas.core.states import ResourceStatus, SagaStatus
from tests.fakes.clock import START
from tests.fakes.documents import aws_disk, request_document


@pytest.fixture
def before() -> Snapshot:
    planned = plan_saga(parse_request(request_document(aws_disk())), "s1", "somebody", START)
    return Snapshot(planned.saga.model_copy(update={"version": 7}), planned.resources)


def test_a_change_of_the_header_takes_the_next_version_which_is_its_events_number(before: Snapshot) -> None:
    write = saga_write(
        standing_of(before), lambda it: it.saga.model_copy(update={"status": SagaStatus.PROVISIONING}), START, "begun"
    )
    assert write is not None
    assert (write.saga.version, write.saga.status, write.resource) == (8, SagaStatus.PROVISIONING, None)
    assert write.event.model_dump() == {
        "seq": 8,
        "shard": None,
        "at": START,
        "resource_id": None,
        "status": "PROVISIONING",
        "message": "begun",
        "step": None,
        "error": None,
    }


def test_a_change_of_a_resource_takes_the_sagas_next_version(before: Snapshot) -> None:
    resource = before.resources[0]
    creating = resource.model_copy(update={"status": ResourceStatus.CREATING})
    write = resource_write(before.saga, resource, lambda *_: creating, START, None)
    assert write is not None
    assert write.saga == before.saga.model_copy(update={"version": 8})
    assert write.resource == creating.model_copy(update={"revision": 1})
    assert (write.event.seq, write.event.resource_id, write.event.status) == (8, "data-aws", "CREATING")


def test_a_change_because_of_a_fault_has_it_in_its_event(before: Snapshot) -> None:
    troubled = before.resources[0].model_copy(update={"trouble": 1})
    write = resource_write(
        before.saga, before.resources[0], lambda *_: troubled, START, "busy", Fault("create", "Throttling")
    )
    assert write is not None
    assert (write.event.step, write.event.error, write.event.message) == ("create", "Throttling", "busy")


def test_what_troubled_a_resource_is_over_when_it_is_ready(before: Snapshot) -> None:
    troubled = before.resources[0].model_copy(update={"status": ResourceStatus.CREATING, "trouble": 3})
    write = resource_write(
        before.saga, troubled, lambda _, it: it.model_copy(update={"status": ResourceStatus.READY}), START, None
    )
    assert write is not None
    assert write.resource is not None
    assert write.resource.trouble == 0


def test_a_change_that_changes_nothing_writes_nothing(before: Snapshot) -> None:
    assert saga_write(standing_of(before), lambda it: it.saga, START, "again") is None
    assert resource_write(before.saga, before.resources[0], lambda _, it: it, START, "again") is None


def test_an_illegal_change_of_the_header_is_refused(before: Snapshot) -> None:
    with pytest.raises(IllegalTransition, match="PENDING to COMMITTED"):
        saga_write(
            standing_of(before), lambda it: it.saga.model_copy(update={"status": SagaStatus.COMMITTED}), START, None
        )


def test_an_illegal_change_of_a_resource_is_refused(before: Snapshot) -> None:
    resource = before.resources[0]
    ready = resource.model_copy(update={"status": ResourceStatus.READY})
    with pytest.raises(IllegalTransition, match="PLANNED to READY"):
        resource_write(before.saga, resource, lambda *_: ready, START, None)
