"""Whatever is wrong with a call is answered with a problem document that names it, and starts nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lambdas.core.request import MAX_DOCUMENT_BYTES, MAX_RESOURCES
from tests.fakes.documents import SSH_KEY, aws_disk, azure_instance, request_document
from tests.unit.api.conftest import Api

YAML = "application/yaml"
LINES_OF_LAUGHS = "\n".join(
    ["a0: &a0 [x, x]"] + [f"a{number}: &a{number} [*a{number - 1}, *a{number - 1}]" for number in range(1, 30)]
)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "line 1 column 1"),
        ("{", "line 1 column 2"),
        ('{"name": "x",\n "name" "y"}', "line 2 column 9"),
        ("name: x", "line 1 column 1"),
        ('{"name": NaN}', "NaN is not JSON"),
        ('{"name": "x", "name": "y"}', "'name' stands twice"),
        ('{"labels": {"a": "x", "a": "y"}}', "'a' stands twice"),
        ("[" * 50_000, "nested too deeply"),
        ("7" * 5000, "cannot be read"),
    ],
)
def test_malformed_json_is_answered_with_what_is_wrong_and_where(calls: Api, text: str, where: str) -> None:
    answer = calls.submit(text)
    assert answer.status == 400
    assert where in answer.problems["(document)"]
    assert calls.started_nothing


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("name: [x", "line 2 column 1"),
        ("name: x\n\tlabels: y", "line 2 column 1"),
        ("name: x\nname: y", "stands twice"),
        ("labels: {a: x, a: y}", "stands twice"),
        ("labels: {1: x, '1': y}", "stands twice"),
        ("a: &a [x]\nb: *a", "aliases are not accepted at line 2 column 4"),
        (LINES_OF_LAUGHS, "aliases are not accepted"),
        ("a: &a [*a]", "aliases are not accepted"),
        ("name: !!python/object/apply:os.system [id]", "could not determine a constructor"),
        ("name: !!map x", "cannot be read"),
        ("? [a]\n: b", "unhashable"),
        ("at: 2026-13-45", "cannot be read"),
        ("--- a\n--- b", "line 2 column 1"),
        ("[" * 50_000, "nested too deeply"),
        ("name: \x00", "is not YAML"),
    ],
)
def test_malformed_yaml_is_answered_with_what_is_wrong_and_where(calls: Api, text: str, where: str) -> None:
    answer = calls.submit(text, content_type=YAML)
    assert answer.status == 400
    assert where in answer.problems["(document)"]
    assert calls.started_nothing


@pytest.mark.parametrize("content_type", ["application/json", YAML])
def test_a_document_that_is_not_utf8_is_malformed(calls: Api, content_type: str) -> None:
    answer = calls.submit(b'{"name": "caf\xe9"}', content_type=content_type)
    assert (answer.status, answer.problems) == (400, {"(document)": "is not UTF-8"})


@pytest.mark.parametrize("as_bytes", [False, True], ids=["text", "base64"])
def test_a_document_over_the_size_limit_is_refused_unread(calls: Api, as_bytes: bool) -> None:
    text = "{" + " " * MAX_DOCUMENT_BYTES
    answer = calls.submit(text.encode() if as_bytes else text)
    assert answer.status == 413
    assert f"{MAX_DOCUMENT_BYTES + 1} bytes" in answer.problems["(document)"]
    assert calls.started_nothing


def test_the_size_limit_counts_bytes(calls: Api) -> None:
    assert calls.submit('"' + "é" * (MAX_DOCUMENT_BYTES // 2) + '"').status == 413


def test_a_document_at_the_size_limit_is_read(calls: Api) -> None:
    text = json.dumps(request_document())
    assert calls.submit(text + " " * (MAX_DOCUMENT_BYTES - len(text))).status == 202


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=x", "limit"),
        ("cursor=B/C", "cursor"),
        ("after=1", "after"),
    ],
)
def test_a_wrong_parameter_of_a_saga_is_named(calls: Api, query: str, field: str) -> None:
    answer = calls.call("GET", f"/sagas/{calls.world.open()}?{query}")
    assert answer.status == 422
    assert list(answer.problems) == [field]


def test_of_very_many_mistakes_the_first_are_listed_and_it_is_said_how_many_there_are(calls: Api) -> None:
    document = request_document(*[aws_disk(f"d{number}", region="mars") for number in range(300)])
    answer = calls.submit(document)
    assert answer.status == 422
    assert list(answer.problems) == [f"resources[{number}].region" for number in range(100)]
    assert answer.body["detail"] == "At least 300 fields are wrong; the first 100 are listed. Mend these first."
    assert calls.started_nothing


def test_whatever_is_wrong_with_the_largest_request_the_answer_is_small(calls: Api) -> None:
    missing = [f"not-there-{number}" for number in range(50)]
    document = request_document(*[aws_disk(f"d{number}", depends_on=missing) for number in range(MAX_RESOURCES)])
    answer = calls.submit(json.dumps(document).encode())
    assert answer.status in (413, 422)
    assert len(json.dumps(answer.body)) < 20_000


def test_every_offending_field_is_named_at_once(calls: Api) -> None:
    document = request_document(aws_disk("Data", region="mars"), azure_instance(depends_on=["nothing"]), colour="blue")
    answer = calls.submit(document)
    assert answer.status == 422
    assert set(answer.problems) == {
        "colour",
        "resources[0].id",
        "resources[0].region",
        "resources[1].depends_on[0]",
    }
    assert calls.started_nothing


@pytest.mark.parametrize("key", [None, "", "   ", "k" * 256])
def test_a_missing_or_unusable_idempotency_key_is_refused(calls: Api, key: str | None) -> None:
    answer = calls.submit(request_document(), key=key)
    assert answer.status == 422
    assert list(answer.problems) == ["Idempotency-Key"]
    assert "send this header" in answer.problems["Idempotency-Key"]
    assert calls.started_nothing


def test_a_missing_key_is_named_beside_the_documents_mistakes(calls: Api) -> None:
    answer = calls.submit(request_document(name="Shop"), key=None)
    assert set(answer.problems) == {"Idempotency-Key", "name"}


def test_a_key_used_for_another_request_is_a_conflict(calls: Api) -> None:
    first = calls.submit(request_document())
    answer = calls.submit(request_document(aws_disk()))
    assert (answer.status, answer.problems) == (409, {})
    assert "'key-1'" in answer.body["detail"]
    assert calls.executions.provisioning == [first.body["id"]]


@pytest.mark.parametrize(
    ("query", "field", "reason"),
    [
        ("status=DONE", "status", "must be one of PENDING, PROVISIONING"),
        ("status=", "status", "must be one of"),
        ("label=team", "label", "must be key=value"),
        ("limit=0", "limit", "a whole number from 1 to 100"),
        ("limit=101", "limit", "a whole number from 1 to 100"),
        ("limit=1.5", "limit", "a whole number"),
        ("limit=many", "limit", "a whole number"),
        ("colour=blue", "colour", "unknown parameter"),
    ],
)
def test_a_wrong_parameter_of_the_list_is_named(calls: Api, query: str, field: str, reason: str) -> None:
    answer = calls.call("GET", f"/sagas?{query}")
    assert answer.status == 422
    assert list(answer.problems) == [field]
    assert reason in answer.problems[field]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("after=-1", "after"),
        ("after=1.5", "after"),
        ("after=1.", "after"),
        ("after=x", "after"),
        ("after=", "after"),
        ("after=100000000000", "after"),
        ("after=0" + ".0" * 99, "after"),
        ("wait=21", "wait"),
        ("wait=-1", "wait"),
        ("wait=nan", "wait"),
        ("wait=inf", "wait"),
        ("limit=5", "limit"),
    ],
)
def test_a_wrong_parameter_of_the_events_is_named(calls: Api, query: str, field: str) -> None:
    saga_id = calls.world.open()
    answer = calls.call("GET", f"/sagas/{saga_id}/events?{query}")
    assert answer.status == 422
    assert list(answer.problems) == [field]


def test_all_wrong_parameters_are_named_at_once(calls: Api) -> None:
    answer = calls.call("GET", "/sagas?status=x&label=x&limit=x&colour=x&size=x")
    assert set(answer.problems) == {"status", "label", "limit", "colour", "size"}


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("GET", "/saga"), ("POST", "/sagas/s1/resume/now"), ("GET", "/problems/no-such-saga")],
)
def test_an_unknown_route_is_answered_with_a_problem(calls: Api, method: str, path: str) -> None:
    answer = calls.call(method, path)
    assert (answer.status, answer.problems) == (404, {})
    assert answer.body["type"] == "/problems/no-such-resource"
    assert path in answer.body["detail"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/sagas", "GET, POST"),
        ("POST", "/sagas/s1", "DELETE, GET"),
        ("GET", "/sagas/s1/resume", "POST"),
        ("OPTIONS", "/clusters", "GET"),
        ("GET", "/sweeps", "POST"),
    ],
)
def test_a_method_that_a_path_does_not_take_is_answered_with_those_that_it_does(
    calls: Api, method: str, path: str, allowed: str
) -> None:
    answer = calls.call(method, path)
    assert (answer.status, answer.headers["Allow"], answer.problems) == (405, allowed, {})
    assert f"{path} takes {allowed}" in answer.body["detail"]


@pytest.mark.parametrize(
    ("method", "suffix"),
    [("GET", ""), ("DELETE", ""), ("GET", "/events"), ("POST", "/cancel"), ("POST", "/resume")],
)
def test_an_unknown_saga_is_answered_with_a_problem(calls: Api, method: str, suffix: str) -> None:
    answer = calls.call(method, f"/sagas/s-unknown{suffix}")
    assert (answer.status, answer.problems) == (404, {})
    assert "s-unknown" in answer.body["detail"]


def test_what_the_status_does_not_allow_is_a_conflict_that_says_what_would_be(calls: Api) -> None:
    saga_id = calls.world.committed_saga()
    answer = calls.call("POST", f"/sagas/{saga_id}/cancel")
    assert (answer.status, answer.problems) == (409, {})
    assert "DELETE it" in answer.body["detail"]
    assert calls.call("POST", f"/sagas/{saga_id}/resume").status == 409


def test_a_ledger_that_does_not_answer_is_unavailable_and_asks_to_come_again(calls: Api) -> None:
    calls.world.ledger.unavailable = 1
    answer = calls.submit(request_document())
    assert (answer.status, answer.headers["Retry-After"], answer.problems) == (503, "2", {})
    assert calls.started_nothing


def test_a_start_that_fails_is_unavailable_and_made_up_for_by_the_repeated_call(calls: Api) -> None:
    calls.executions.unavailable = 1
    assert calls.submit(request_document()).status == 503
    saga_id = calls.submit(request_document()).body["id"]
    assert calls.executions.provisioning == [saga_id]
    assert [saga.id for saga in calls.world.ledger.sagas(None, 10, None)] == [saga_id]


def test_what_nobody_foresaw_is_answered_without_saying_what_it_was(
    calls: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise ValueError("the password is hunter2")

    monkeypatch.setattr(calls.world.ledger, "open", broken)
    answer = calls.submit(request_document())
    assert (answer.status, answer.problems) == (500, {})
    assert "hunter2" not in json.dumps(answer.body)


def test_a_refused_document_is_not_logged(calls: Api) -> None:
    calls.submit(request_document(azure_instance(), colour=SSH_KEY))
    calls.submit(f'{{"key": "{SSH_KEY}"')
    assert "refused" in calls.log.getvalue()
    assert "SECRETMATERIAL" not in calls.log.getvalue()
