"""From a request to a saga."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from lambdas.core.model import Intent
from lambdas.core.plan import new_saga_id, plan_saga
from lambdas.core.request import parse_request
from lambdas.core.states import ResourceStatus, SagaStatus
from tests.fakes.clock import START
from tests.fakes.documents import aws_disk, aws_instance, request_document

MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 -- bounds


@given(MOMENTS, st.integers(1, 10**12))
def test_ids_sort_by_the_millisecond_of_creation(moment: datetime, later_ms: int) -> None:
    assert new_saga_id(moment) < new_saga_id(moment + timedelta(milliseconds=later_ms))


@given(MOMENTS)
def test_an_id_is_16_characters_that_every_cloud_takes_in_a_name(moment: datetime) -> None:
    assert re.fullmatch(r"s[0-9a-hjkmnp-tv-z]{15}", new_saga_id(moment))


def test_ids_of_the_same_moment_differ() -> None:
    assert len({new_saga_id(START) for _ in range(200)}) == 200


def test_a_planned_saga_has_begun_nothing() -> None:
    document = request_document(aws_instance(disks=("data-aws",)), aws_disk())
    saga, resources = plan_saga(parse_request(document), "s1", "somebody", START)
    assert (saga.status, saga.version, saga.created_at, saga.labels) == (
        SagaStatus.PENDING,
        0,
        START,
        {"team": "payments"},
    )
    assert [(it.id, it.status, it.operations) for it in resources] == [
        ("web-aws", ResourceStatus.PLANNED, {}),
        ("data-aws", ResourceStatus.PLANNED, {}),
    ]


def test_an_attached_disk_is_created_before_its_instance_without_being_named_in_depends_on() -> None:
    document = request_document(aws_instance(disks=("data-aws",)), aws_disk())
    saga, _ = plan_saga(parse_request(document), "s1", "somebody", START)
    assert saga.waves == (("data-aws",), ("web-aws",))


def test_the_longest_resource_id_still_makes_a_name_of_48_characters() -> None:
    document = request_document(aws_disk("a" * 30))
    _, (resource,) = plan_saga(parse_request(document), new_saga_id(START), "somebody", START)
    name = Intent(saga_id=resource.saga_id, definition=resource.definition).name
    assert re.fullmatch(r"[a-z][a-z0-9-]{0,47}", name)


def test_a_token_is_the_same_for_the_same_part_and_another_for_every_other() -> None:
    document = request_document(aws_disk("a"), aws_disk("b"))
    intents = [
        Intent(saga_id=saga_id, definition=resource.definition)
        for saga_id in ("s1", "s2")
        for resource in plan_saga(parse_request(document), saga_id, "somebody", START).resources
    ]
    tokens = [intent.token(part) for intent in intents for part in ("disk", "network")]
    assert len(set(tokens)) == len(tokens) == 8
    assert tokens == [intent.token(part) for intent in intents for part in ("disk", "network")]


def test_marks_carry_the_labels_and_win_over_them() -> None:
    _, (resource,) = plan_saga(parse_request(request_document(aws_disk())), "s1", "somebody", START)
    labels = {"team": "payments", "skysaga-saga": "forged"}
    marks = Intent(saga_id="s1", definition=resource.definition, labels=labels).marks
    assert marks == {
        "team": "payments",
        "skysaga-saga": "s1",
        "skysaga-resource": "data-aws",
        "skysaga-version": "1",
    }
