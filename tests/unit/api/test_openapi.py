"""The OpenAPI document: it is made from the code, it is kept as it is made, and it says what is there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # ships no types

from infra.api_stack import ROUTES
from lambdas.api.openapi import document_text, openapi
from lambdas.api.operations import OPERATIONS
from tests.fakes.documents import aws_disk, azure_instance, gcp_instance, request_document
from tests.unit.api.conftest import KINDS, Api

KEPT: Final = Path(__file__).parents[3] / "docs" / "openapi.json"
DOCUMENT: Final = openapi()


def test_the_kept_document_is_current() -> None:
    assert KEPT.read_text() == document_text(), "renew it: python -m lambdas.api.openapi > docs/openapi.json"


def test_what_is_served_is_what_is_kept_to_anybody_who_asks(calls: Api) -> None:
    answer = calls.call("GET", "/openapi.json", caller=None)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.body == json.loads(KEPT.read_text())
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    again = calls.call("GET", "/openapi.json", headers={"if-none-match": answer.headers["ETag"]}, caller=None)
    assert (again.status, again.body) == (304, None)


def test_its_operations_are_the_routes_that_are_deployed() -> None:
    deployed = {(route.method.value, route.path): route.public for route in ROUTES}
    assert {(it.method, it.path): it.public for it in OPERATIONS} == deployed


def test_its_operations_are_the_routes_of_the_application(calls: Api) -> None:
    app = calls.app()
    routes = [*app._static_routes, *app._dynamic_routes]
    served = {(it.method, re.sub(r"<(?:\w+_)?(\w+)>", r"{\1}", it.path)) for it in routes}
    assert {(it.method, it.path) for it in OPERATIONS} == served


def references(node: Any) -> set[str]:
    if isinstance(node, list):
        return set().union(*map(references, node))
    if not isinstance(node, dict):
        return set()
    own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
    return own.union(*map(references, node.values()))


def test_every_reference_leads_somewhere_and_everything_is_referred_to() -> None:
    components = DOCUMENT["components"]
    there = {f"#/components/{kind}/{name}" for kind in ("schemas", "responses") for name in components[kind]}
    headers = {f"#/components/headers/{name}" for name in components["headers"]}
    named = references(DOCUMENT)
    assert named <= there | headers
    assert there <= named


@pytest.mark.parametrize("name", sorted(DOCUMENT["components"]["schemas"]))
def test_every_schema_is_one_and_is_described(name: str) -> None:
    schema = DOCUMENT["components"]["schemas"][name]
    Draft202012Validator.check_schema(schema)
    assert schema.get("description") or name.endswith(("Disk", "Instance", "Spec"))


def test_operations_have_ids_of_their_own_and_say_what_they_take() -> None:
    ids = [it.id for it in OPERATIONS]
    assert len(ids) == len(set(ids))
    said = [parameter for it in OPERATIONS for parameter in it.parameters]
    assert [it.name for it in said if not it.description.endswith(".")] == []


@pytest.mark.parametrize(
    "document",
    [request_document(), request_document(gcp_instance(depends_on=["web-azure"]), azure_instance()), {}, {"name": "x"}],
)
def test_a_request_fits_its_schema_here_as_it_does_in_an_editor(document: dict[str, Any]) -> None:
    here = Draft202012Validator({"$ref": "#/components/schemas/SagaRequest", **DOCUMENT})
    editors = Draft202012Validator(json.loads((KEPT.parent / "request.schema.json").read_text()))
    assert here.is_valid(document) == editors.is_valid(document)
    assert here.is_valid(request_document(aws_disk()))


def test_every_type_of_problem_that_an_operation_names_says_so_in_its_response() -> None:
    described = json.dumps(DOCUMENT["components"]["responses"])
    unnamed = {"/problems/no-such-resource", "/problems/no-such-method"}
    assert {it.type for it in KINDS if f"`{it.type}`" not in described} == unnamed, "those two are of no operation"


def test_the_page_about_the_api_lists_every_type_of_problem_with_its_status() -> None:
    page = (KEPT.parent / "api.md").read_text()
    assert [it.type for it in KINDS if f"| `{it.type}` | {int(it.status)} |" not in page] == []
