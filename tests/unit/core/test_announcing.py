"""What a write to the ledger is worth telling and counting."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lambdas.core.announcing import Figure, Named, ResourceWritten, SagaWritten, Written, figures_of, notice_of
from lambdas.core.errors import SagaNotFound
from lambdas.core.model import Position, Resource, Saga
from lambdas.core.notices import ResourceChanged, SagaChanged
from lambdas.core.specs.aws import AwsDisk
from lambdas.core.states import ResourceStatus, SagaStatus

OPENED = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
NOW = OPENED + timedelta(minutes=5)
NAMED = Named("checkout", {"team": "payments"})


def saga(status: SagaStatus, **fields: Any) -> Saga:
    known = {"version": 7, "caller": "arn:aws:iam::1:user/ann", "waves": (("data",),), "created_at": OPENED}
    return Saga.model_validate(
        {"id": "s-1", "name": NAMED.name, "labels": NAMED.labels, "status": status, **known, **fields}
    )


def resource(status: ResourceStatus, **fields: Any) -> Resource:
    spec = {"zone": "eu-west-1a", "size_gb": 1}
    disk = AwsDisk.model_validate(
        {"id": "data", "provider": "aws", "kind": "disk", "region": "eu-west-1", "spec": spec}
    )
    return Resource.model_validate({"saga_id": "s-1", "definition": disk, "revision": 3, "status": status, **fields})


def told(written: Written) -> Any:
    return notice_of(written, lambda _: NAMED)


def counted(written: Written) -> Sequence[tuple[str, float, str, dict[str, str]]]:
    return [(it.metric, it.value, it.unit, dict(it.dimensions)) for it in figures_of(written)]


def figures(written: Written) -> dict[str, Figure]:
    return {it.metric: it for it in figures_of(written)}


def test_a_saga_whose_status_changes_is_told_of_by_the_number_of_the_write() -> None:
    written = SagaWritten(saga(SagaStatus.PROVISIONING), saga(SagaStatus.COMMITTED, finished_at=NOW), NOW)
    assert told(written) == SagaChanged(
        id="s-1/7",
        at=NOW,
        saga="s-1",
        name="checkout",
        labels={"team": "payments"},
        status=SagaStatus.COMMITTED,
        before=SagaStatus.PROVISIONING,
        created_at=OPENED,
        finished_at=NOW,
        expires_at=None,
        cancel_requested=False,
    )


def test_a_new_saga_was_nothing_before() -> None:
    notice = told(SagaWritten(None, saga(SagaStatus.PENDING), NOW))
    assert (notice.status, notice.before) == (SagaStatus.PENDING, None)


def test_a_resource_is_told_of_with_its_sagas_name_and_labels_and_without_its_spec() -> None:
    written = ResourceWritten(resource(ResourceStatus.CREATING), resource(ResourceStatus.READY, cloud_id="vol-1"), NOW)
    assert told(written) == ResourceChanged(
        id="s-1/data/3",
        at=NOW,
        saga="s-1",
        name="checkout",
        labels={"team": "payments"},
        resource="data",
        provider="aws",
        kind="disk",
        status=ResourceStatus.READY,
        before=ResourceStatus.CREATING,
        cluster=None,
        cloud_id="vol-1",
        error=None,
    )


def test_of_a_large_sagas_resource_nothing_is_told_while_it_is_only_planned() -> None:
    def unknown(saga_id: str) -> Named:
        raise SagaNotFound(saga_id)

    large = {"position": Position(wave=0, shard=3)}
    planned = resource(ResourceStatus.PLANNED, **large)

    assert notice_of(ResourceWritten(None, planned, NOW), unknown) is None
    creating = told(ResourceWritten(planned, resource(ResourceStatus.CREATING, **large), NOW))
    assert (creating.before, creating.status) == (ResourceStatus.PLANNED, ResourceStatus.CREATING)
    again = told(ResourceWritten(resource(ResourceStatus.CREATING, **large), planned, NOW))
    assert (again.before, again.status) == (ResourceStatus.CREATING, ResourceStatus.PLANNED)


def test_of_a_small_sagas_resource_it_is_told_that_it_is_planned() -> None:
    notice = told(ResourceWritten(None, resource(ResourceStatus.PLANNED), NOW))
    assert (notice.before, notice.status) == (None, ResourceStatus.PLANNED)


@pytest.mark.parametrize(
    "written",
    [
        SagaWritten(saga(SagaStatus.PROVISIONING), saga(SagaStatus.PROVISIONING, version=8), NOW),
        ResourceWritten(resource(ResourceStatus.CREATING), resource(ResourceStatus.CREATING, trouble=1), NOW),
    ],
)
def test_a_status_that_stays_is_not_told_of(written: Written) -> None:
    assert told(written) is None


@pytest.mark.parametrize("ending", ["COMMITTED", "ROLLED_BACK", "NEEDS_ATTENTION"])
def test_an_ending_is_counted_with_the_time_since_the_saga_was_submitted(ending: str) -> None:
    fields: dict[str, Any] = {"attention_since": NOW} if ending == "NEEDS_ATTENTION" else {}
    after = saga(SagaStatus(ending), finished_at=NOW, **fields)
    assert counted(SagaWritten(saga(SagaStatus.PROVISIONING), after, NOW)) == [
        ("SagasEnded", 1, "Count", {"ending": ending}),
        ("SagaSeconds", 300.0, "Seconds", {"ending": ending}),
    ]


def test_how_long_a_saga_was_kept_is_not_measured() -> None:
    after = saga(SagaStatus.RELEASED, finished_at=NOW, release_goal="RELEASED")
    assert list(figures(SagaWritten(saga(SagaStatus.RELEASING), after, NOW))) == ["SagasEnded"]


def test_how_long_a_person_needed_is_not_measured() -> None:
    before = saga(SagaStatus.COMPENSATING, attention_since=OPENED, release_goal="ROLLED_BACK")
    after = saga(SagaStatus.ROLLED_BACK, finished_at=NOW, release_goal="ROLLED_BACK")
    assert list(figures(SagaWritten(before, after, NOW))) == ["SagasEnded"]


def test_what_needs_attention_is_counted_once_however_often_its_removal_is_tried_again() -> None:
    before = saga(SagaStatus.COMPENSATING, attention_since=OPENED, release_goal="ROLLED_BACK")
    after = saga(SagaStatus.NEEDS_ATTENTION, finished_at=NOW, attention_since=OPENED, release_goal="ROLLED_BACK")
    assert counted(SagaWritten(before, after, NOW)) == []


def test_an_ending_that_is_written_again_is_counted_once() -> None:
    ended = saga(SagaStatus.NEEDS_ATTENTION, finished_at=NOW)
    assert counted(SagaWritten(ended, ended.model_copy(update={"version": 8}), NOW)) == []


def test_a_resource_that_is_ready_is_measured_from_its_intent_on_and_its_faults_are_recovered_from() -> None:
    before = resource(ResourceStatus.CREATING, created_at=OPENED, trouble=3)
    after = resource(ResourceStatus.READY, created_at=OPENED, ready_at=NOW)
    assert counted(ResourceWritten(before, after, NOW)) == [
        ("TimeToReady", 300.0, "Seconds", {"provider": "aws"}),
        ("FaultsRecovered", 3, "Count", {"provider": "aws"}),
    ]


def test_a_resource_that_is_gone_is_measured_from_the_beginning_of_its_release_on() -> None:
    before = resource(ResourceStatus.DELETING, release_began_at=OPENED)
    after = resource(ResourceStatus.ABSENT, release_began_at=OPENED, gone_at=NOW)
    assert counted(ResourceWritten(before, after, NOW)) == [("TimeToRolledBack", 300.0, "Seconds", {"provider": "aws"})]


def test_what_was_never_asked_for_took_no_time_to_go() -> None:
    after = resource(ResourceStatus.ABSENT)
    assert counted(ResourceWritten(resource(ResourceStatus.PLANNED), after, NOW)) == []


def test_every_further_fault_is_a_retry() -> None:
    before = resource(ResourceStatus.CREATING, created_at=OPENED, trouble=1)
    after = resource(ResourceStatus.CREATING, created_at=OPENED, trouble=2)
    assert counted(ResourceWritten(before, after, NOW)) == [("Retries", 1, "Count", {"provider": "aws"})]


def test_faults_of_what_failed_are_not_recovered_from() -> None:
    before = resource(ResourceStatus.CREATING, created_at=OPENED, trouble=4)
    after = resource(ResourceStatus.FAILED, created_at=OPENED, trouble=4)
    assert counted(ResourceWritten(before, after, NOW)) == []
