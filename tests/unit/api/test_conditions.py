"""Conditional calls: who has something already is not sent it again; who has seen something else changes nothing."""

from __future__ import annotations

import pytest

from lambdas.api.conditions import seen_versions
from lambdas.core.sagas import Sagas
from lambdas.core.states import SagaStatus
from tests.fakes.documents import request_document
from tests.unit.api.conftest import Answer, Api
from tests.unit.api.test_routes import needing_attention
from tests.unit.core.world import DISK

ORDERS = [("POST", "/cancel"), ("POST", "/resume"), ("POST", "/approve"), ("DELETE", "")]


def order(calls: Api, method: str, saga_id: str, verb: str, tag: str) -> Answer:
    return calls.call(method, f"/sagas/{saga_id}{verb}", headers={"if-match": tag})


def tag_of(calls: Api, target: str) -> str:
    return calls.call("GET", target).headers["ETag"]


def test_a_saga_that_has_not_changed_is_not_sent_again(calls: Api) -> None:
    target = f"/sagas/{calls.world.provisioning_saga()}"
    tag = tag_of(calls, target)
    for header in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        answer = calls.call("GET", target, headers={"if-none-match": header})
        assert (answer.status, answer.headers["ETag"], answer.body) == (304, tag, None)


def test_a_saga_that_has_changed_is_sent_with_another_tag(calls: Api) -> None:
    saga_id = calls.world.provisioning_saga()
    tag = tag_of(calls, f"/sagas/{saga_id}")
    calls.world.provisioning.create(saga_id, DISK)
    answer = calls.call("GET", f"/sagas/{saga_id}", headers={"if-none-match": tag})
    assert answer.status == 200
    assert answer.headers["ETag"] != tag


def test_a_tag_of_a_saga_is_strong_and_begins_with_its_version(calls: Api) -> None:
    saga_id = calls.world.provisioning_saga()
    assert tag_of(calls, f"/sagas/{saga_id}").startswith(f'"{calls.world.saga(saga_id).version}.')


def test_a_list_that_has_not_changed_is_not_sent_again_and_one_that_has_is(calls: Api) -> None:
    calls.submit(request_document())
    tag = tag_of(calls, "/sagas")
    assert calls.call("GET", "/sagas", headers={"if-none-match": tag}).status == 304
    calls.world.clock.advance(1)
    calls.submit(request_document(), key="another")
    assert calls.call("GET", "/sagas", headers={"if-none-match": tag}).status == 200


@pytest.mark.parametrize(("method", "verb"), ORDERS)
@pytest.mark.parametrize("tag", ['"1.0123456789abcdef0123"', '"1"', '"x"', "1", 'W/"2.0123456789abcdef0123"'])
def test_an_order_about_another_version_is_refused_and_does_nothing(
    calls: Api, method: str, verb: str, tag: str
) -> None:
    saga_id = calls.world.provisioning_saga()
    before = calls.world.saga(saga_id)
    answer = order(calls, method, saga_id, verb, tag)
    assert (answer.status, answer.problems, answer.body["type"]) == (412, {}, "/problems/moved-on")
    assert f"at version {before.version} by now" in answer.body["detail"]
    assert calls.world.saga(saga_id) == before
    assert calls.executions.releases == []


@pytest.mark.parametrize("header", ["{tag}", '"5", {tag}', "*", '"{version}"'])
def test_an_order_about_the_saga_as_it_is_is_taken(calls: Api, header: str) -> None:
    saga_id = calls.world.provisioning_saga()
    tag, version = tag_of(calls, f"/sagas/{saga_id}"), calls.world.saga(saga_id).version
    assert order(calls, "POST", saga_id, "/cancel", header.format(tag=tag, version=version)).status == 202
    assert calls.world.saga(saga_id).cancel_requested


@pytest.mark.parametrize(("method", "verb"), [("POST", "/resume"), ("DELETE", "")])
def test_a_release_is_started_for_who_has_seen_what_is_left(calls: Api, method: str, verb: str) -> None:
    saga_id = needing_attention(calls.world)
    tag = tag_of(calls, f"/sagas/{saga_id}")
    assert order(calls, method, saga_id, verb, tag).status == 202
    assert [it[0] for it in calls.executions.releases] == [saga_id]


def test_an_approval_is_of_what_was_seen(calls: Api) -> None:
    saga_id = calls.world.awaiting_approval()
    seen = tag_of(calls, f"/sagas/{saga_id}")
    assert order(calls, "POST", saga_id, "/approve", seen).status == 202
    assert calls.world.saga(saga_id).status is SagaStatus.PROVISIONING
    assert order(calls, "POST", saga_id, "/approve", seen).status == 412


def test_what_a_saga_costs_is_nothing_to_an_order(calls: Api) -> None:
    saga_id = calls.world.provisioning_saga()
    version = calls.world.saga(saga_id).version
    assert order(calls, "POST", saga_id, "/cancel", f'"{version}.ffffffffffffffffffff"').status == 202


def test_an_order_about_a_saga_of_others_is_answered_as_about_none(calls: Api) -> None:
    saga_id = calls.world.provisioning_saga()
    stranger = "arn:aws:iam::123456789012:user/stranger"
    answer = calls.call("DELETE", f"/sagas/{saga_id}", headers={"if-match": '"1"'}, caller=stranger)
    assert answer.status == 404


@pytest.mark.parametrize(
    ("header", "versions"),
    [
        ("", None),
        (" * ", None),
        ('"7.ab"', {7}),
        ('"7.ab", "8"', {7, 8}),
        ('W/"7.ab"', set()),
        ('"a,b", "9.c"', {9}),
        ('"7.ab.cd"', set()),
        ('"-7"', set()),
        ("seven", set()),
        ('"' + "9" * 5000 + '"', set()),
    ],
)
def test_versions_are_those_of_strong_tags(header: str, versions: set[int] | None) -> None:
    assert seen_versions(header) == versions


def test_lists_lead_to_their_next_page_until_there_is_none(calls: Api) -> None:
    for number in range(3):
        calls.world.clock.advance(1)
        calls.submit(request_document(labels={"team": "a b".replace(" ", "-")}), key=f"key-{number}")
    page = calls.call("GET", "/sagas?limit=2&label=team%3Da-b")
    link = page.headers["Link"]
    assert link.startswith("</sagas?limit=2&label=team%3Da-b&cursor=")
    assert link.endswith('>; rel="next"')
    following = calls.call("GET", link[1:].partition(">")[0])
    assert len(following.body["items"]) == 1
    assert "Link" not in following.headers


def test_events_lead_to_those_that_are_still_to_come(calls: Api) -> None:
    saga_id = calls.world.provisioning_saga()
    answer = calls.call("GET", f"/sagas/{saga_id}/events?after=1&wait=3")
    assert answer.headers["Link"] == f'</sagas/{saga_id}/events?after=2&wait=3>; rel="next"'


def test_somebody_who_was_faster_wins_even_between_the_look_and_the_write(
    calls: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    saga_id = calls.world.provisioning_saga()
    version = calls.world.saga(saga_id).version
    real = calls.world.ledger.change_saga

    def overtaken(*args: object, **more: object) -> object:
        monkeypatch.undo()
        calls.world.provisioning.create(saga_id, DISK)
        return real(*args, **more)  # type: ignore[arg-type]

    sagas = Sagas(calls.world.ledger, calls.executions, calls.world.clock, calls.world.clock.advance)
    monkeypatch.setattr(calls.world.ledger, "change_saga", overtaken)
    with pytest.raises(Exception, match="look at it again"):
        sagas.cancel(saga_id, {version})
    assert not calls.world.saga(saga_id).cancel_requested
