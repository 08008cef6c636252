"""The client that is written from the API's document: kept as it is written, and able to make every call."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from checks.api_client import DOCUMENT, ROOT, UnknownForm, client_text
from cli.api import Answer, Api, NotModified, Refused


class Recorder:
    """A transport that remembers each call, and answers what a test says."""

    def __init__(self, status: int = 200, document: Any = None, headers: Mapping[str, str] | None = None) -> None:
        self.calls: list[tuple[str, str, Mapping[str, str], Mapping[str, str], bytes | None]] = []
        self.answer: Answer[Any] = Answer(status, headers or {}, document)

    def send(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes | None
    ) -> Answer[Any]:
        """Remember a call."""
        self.calls.append((method, path, query, headers, body))
        return self.answer


def small(schema: Any, **operation: Any) -> dict[str, Any]:
    """A document with one operation that answers with one schema."""
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}
    responses = {"200": {"description": "It.", "content": content}}
    get = {"operationId": "getThing", "summary": "The thing", "responses": responses, **operation}
    problem = {"type": "object", "description": "A problem.", "properties": {"title": {"type": "string"}}}
    return {
        "info": {"version": "1"},
        "paths": {"/things/{id}": {"get": get}},
        "components": {"schemas": {"Thing": schema, "Problem": problem}},
    }


def test_the_kept_client_is_current() -> None:
    written = client_text(json.loads(DOCUMENT.read_text()))
    assert (ROOT / "cli" / "api.py").read_text() == written, "renew it: python -m checks.api_client > cli/api.py"


def test_fields_are_typed_as_their_schemas_say() -> None:
    fields = {
        "name": {"type": "string", "description": "What it is called."},
        "size": {"anyOf": [{"type": "number"}, {"type": "null"}]},
        "kinds": {"type": "array", "items": {"enum": ["a", "b"]}},
        "tags": {"type": "object", "additionalProperties": {"type": "integer"}},
        "self": {"$ref": "#/components/schemas/Thing"},
    }
    text = client_text(small({"description": "A thing.", "properties": fields, "required": ["name", "size"]}))
    assert "class Thing(TypedDict):" in text
    assert '    name: str\n    """What it is called."""' in text
    assert "    size: float | None\n" in text
    assert '    kinds: NotRequired[list[Literal["a", "b"]]]\n' in text
    assert "    tags: NotRequired[dict[str, int]]\n" in text
    assert "    self: NotRequired[Thing]\n" in text


def test_a_field_named_like_a_word_of_python_keeps_its_name() -> None:
    text = client_text(small({"properties": {"from": {"type": "string"}}, "required": ["from"]}))
    assert '"from": "str"' in text


def test_schemas_that_no_method_needs_are_left_out() -> None:
    document = small({"properties": {}})
    document["components"]["schemas"]["Other"] = {"properties": {}}
    assert "class Other" not in client_text(document)


@pytest.mark.parametrize("schema", [{"type": "file"}, {"oneOf": []}, {"type": ["string", "null"]}])
def test_what_it_does_not_know_is_an_error_and_no_guess(schema: Any) -> None:
    with pytest.raises(UnknownForm):
        client_text(small({"properties": {"odd": schema}}))


def test_parameters_go_where_they_belong_and_those_left_out_are_not_sent() -> None:
    transport = Recorder(document={"items": [], "next_cursor": None})
    Api(transport).list_sagas(status="COMMITTED", limit=5, if_none_match='"x"')
    Api(transport).list_events("s/1", after="7")
    assert transport.calls == [
        ("GET", "/sagas", {"status": "COMMITTED", "limit": "5"}, {"If-None-Match": '"x"'}, None),
        ("GET", "/sagas/s%2F1/events", {"after": "7"}, {}, None),
    ]


def test_documents_are_sent_as_they_are_or_as_json() -> None:
    transport = Recorder(202, {"id": "s1", "status": "PENDING"}, {"location": "/sagas/s1"})
    answer = Api(transport).submit_saga(b"name: x", "application/yaml", idempotency_key="k")
    Api(transport).start_sweep({"dry_run": True})
    assert (answer.document["id"], answer.headers["location"]) == ("s1", "/sagas/s1")
    assert [(call[3], call[4]) for call in transport.calls] == [
        ({"Content-Type": "application/yaml", "Idempotency-Key": "k"}, b"name: x"),
        ({"Content-Type": "application/json"}, b'{"dry_run": true}'),
    ]


def test_what_is_still_the_same_is_said_so() -> None:
    with pytest.raises(NotModified):
        Api(Recorder(304)).get_saga("s1", if_none_match='"1.x"')


def test_a_refusal_has_its_problem_and_its_headers() -> None:
    problem = {"type": "/problems/unavailable", "title": "Try again", "status": 503, "errors": [], "detail": "so"}
    with pytest.raises(Refused, match="503 Try again") as refused:
        Api(Recorder(503, problem, {"retry-after": "2"})).list_clusters()
    assert refused.value.problem == problem
    assert refused.value.headers["retry-after"] == "2"


@pytest.mark.parametrize(
    ("document", "title"), [({"message": "Forbidden"}, "Forbidden"), (None, "The call was refused")]
)
def test_what_api_gateway_says_by_itself_is_made_a_problem(document: Any, title: str) -> None:
    with pytest.raises(Refused) as refused:
        Api(Recorder(403, document)).list_clusters()
    assert refused.value.problem == {"type": "about:blank", "title": title, "status": 403, "errors": []}
