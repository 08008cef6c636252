"""What the API answers about a saga that is divided, and how much of it in one answer."""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import pytest

from lambdas.api import handler
from lambdas.api.calls import LONGEST_KEY
from lambdas.core.model import Resource, Saga
from lambdas.core.request import MAX_DOCUMENT_BYTES, MAX_RESOURCES, parse_request
from local.lambda_runtime.outcomes import MAX_RESPONSE_BYTES
from local.lambda_runtime.runtime import MAX_REQUEST_BYTES
from tests.fakes.documents import aws_disk, aws_instance, request_document
from tests.unit.api.conftest import CONTEXT, Api, _event

MANY: Final = 130


def large_saga(calls: Api, count: int = MANY) -> str:
    saga_id = calls.world.open(*[aws_disk(f"d{number:04}") for number in range(count)])
    calls.world.sagas.begin(saga_id)
    return saga_id


def following(answer: Any) -> str:
    link: str = answer.headers["Link"]
    return link[1:].partition(">")[0]


def test_its_resources_are_shown_in_pages_with_counts_of_them_all(calls: Api) -> None:
    saga_id = large_saga(calls)
    calls.world.make_ready(saga_id, "d0007")
    page = calls.call("GET", f"/sagas/{saga_id}?limit=50")
    seen = list(page.body["resources"])
    while page.body["next_cursor"]:
        assert dict(parse_qsl(urlsplit(following(page)).query)) == {"limit": "50", "cursor": seen[-1]["id"]}
        page = calls.call("GET", following(page))
        seen += page.body["resources"]
    assert [it["id"] for it in seen] == [f"d{number:04}" for number in range(MANY)]
    assert page.body["resource_counts"] == {"PLANNED": MANY - 1, "READY": 1}
    assert "Link" not in page.headers
    assert page.body["waves"] == []


@pytest.mark.parametrize("query", ["", "?limit=1", "?limit=1&cursor=d0001"])
def test_a_saga_that_is_not_divided_is_shown_whole_whatever_the_limit(calls: Api, query: str) -> None:
    saga_id = large_saga(calls, 50)
    answer = calls.call("GET", f"/sagas/{saga_id}{query}")
    assert (len(answer.body["resources"]), answer.body["next_cursor"]) == (50, None)
    assert answer.body["waves"] == [[f"d{number:04}" for number in range(50)]]


def test_its_tag_changes_with_any_resource_and_begins_with_the_version_of_the_saga_alone(calls: Api) -> None:
    saga_id = large_saga(calls)
    before = calls.call("GET", f"/sagas/{saga_id}").headers["ETag"]
    calls.world.make_ready(saga_id, "d0007")
    after = calls.call("GET", f"/sagas/{saga_id}").headers["ETag"]
    assert before != after
    assert before.partition(".")[0] == after.partition(".")[0] == '"2'
    assert calls.call("POST", f"/sagas/{saga_id}/cancel", headers={"if-match": before}).status == 202
    assert calls.call("POST", f"/sagas/{saga_id}/cancel", headers={"if-match": before}).status == 412


def test_no_two_of_its_events_have_the_same_number_and_those_of_a_resource_count_up(calls: Api) -> None:
    saga_id = large_saga(calls)
    for number in range(0, MANY, 20):
        calls.world.make_ready(saga_id, f"d{number:04}")
    items: list[dict[str, Any]] = []
    cursor = "0"
    while (page := calls.call("GET", f"/sagas/{saga_id}/events?after={cursor}").body)["items"]:
        items += page["items"]
        cursor = page["next_cursor"]
    assert len({it["seq"] for it in items}) == len(items) > 2 + 7 * 2
    for one in {it["resource"] for it in items}:
        numbers = [it["seq"] for it in items if it["resource"] == one]
        assert numbers == sorted(numbers)
    orders = len(cursor.split("."))
    assert [it["seq"] // orders for it in items if it["resource"] is None] == [1, 2]
    assert cursor == calls.call("GET", f"/sagas/{saga_id}").body["events_cursor"]


def test_the_cursor_of_another_saga_is_a_problem_that_says_so(calls: Api) -> None:
    large, small = large_saga(calls), calls.world.open()
    cursor = calls.call("GET", f"/sagas/{large}").body["events_cursor"]
    answer = calls.call("GET", f"/sagas/{small}/events?after={cursor}")
    assert answer.status == 422
    assert answer.problems == {"after": "is the cursor of another saga; begin with 0"}


def stuffed(saga: Saga, number: int, error: str) -> Resource:
    """A resource about which as much is to be said as can be."""
    needed = [f"{'d' * 25}{place:05}" for place in range(50)]
    document = aws_disk(f"{'r' * 25}{number:05}", depends_on=needed)
    definition = parse_request(request_document(document, *map(aws_disk, needed))).resources[0]
    changes = {"error": error, "cloud_id": "/" * 500, "operations": dict.fromkeys(map(str, range(10)), "")}
    return Resource(saga_id=saga.id, definition=definition).model_copy(update=changes)


@pytest.mark.parametrize("error", ['"' * 3000, "\N{SNOWMAN}" * 2000, "\\" * 9000])
def test_what_is_answered_with_is_never_more_than_a_function_may_answer_with(
    calls: Api, monkeypatch: pytest.MonkeyPatch, error: str
) -> None:
    saga_id = large_saga(calls)
    saga = calls.world.saga(saga_id)
    one = stuffed(saga, 0, error)
    all_of_them = [
        one.model_copy(update={"definition": one.definition.model_copy(update={"id": f"{'r' * 25}{number:05}"})})
        for number in range(1001)
    ]
    monkeypatch.setattr(
        calls.world.ledger,
        "page",
        lambda _, after, limit: (saga, tuple(it for it in all_of_them if it.id > (after or ""))[:limit]),
    )
    seen: list[str] = []
    target = f"/sagas/{saga_id}"
    while target:
        split = urlsplit(target)
        event = _event("GET", split.path, dict(parse_qsl(split.query)), {}, calls.world.caller)
        answer = handler.handler(event, CONTEXT)
        assert len(json.dumps(answer)) <= MAX_RESPONSE_BYTES
        body = json.loads(answer["body"])
        seen += [it["id"] for it in body["resources"]]
        target = f"/sagas/{saga_id}?cursor={body['next_cursor']}" if body["next_cursor"] else ""
    assert seen == [it.id for it in all_of_them]


def as_called(body: str) -> int:
    """Bytes of the call of the function with this document as text, and the largest headers that API Gateway takes."""
    headers = {"content-type": "application/json", "idempotency-key": "k" * LONGEST_KEY, "x": "x" * 10_240}
    event = _event("POST", "/sagas", {}, headers, "arn:aws:iam::123456789012:user/ops")
    return len(json.dumps({**event, "body": body}))


def test_the_largest_document_fits_into_a_call_when_every_quote_is_escaped() -> None:
    names = [chr(97 + number) for number in range(26)]
    needing = [aws_instance(f"r{number}", depends_on=(names * 2)[:50]) for number in range(MAX_RESOURCES - 26)]
    document = request_document(*map(aws_disk, names), *needing)
    text = json.dumps(document, separators=(",", ":"))
    assert parse_request(document)
    assert 0.3 < text.count('"') / len(text) < 0.5, "hardly anything has more quotes"
    most = text * 2
    assert len(most) > MAX_DOCUMENT_BYTES
    assert as_called(most[:MAX_DOCUMENT_BYTES]) <= MAX_REQUEST_BYTES["RequestResponse"]


def test_the_largest_document_fits_into_a_call_in_base64() -> None:
    assert as_called("A" * (-(-MAX_DOCUMENT_BYTES // 3) * 4)) <= MAX_REQUEST_BYTES["RequestResponse"]
