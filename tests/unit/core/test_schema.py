"""The JSON Schema that editors complete from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # ships no types

from lambdas.core.locations import AWS_REGIONS, GCP_ZONES
from lambdas.core.request import SagaRequest, parse_request
from lambdas.core.schema import request_schema, schema_text
from tests.fakes.documents import aws_disk, aws_instance, azure_instance, gcp_instance, request_document

KEPT: Final = Path(__file__).parents[3] / "docs" / "request.schema.json"
SCHEMA: Final = request_schema()


def accepts(document: Any) -> bool:
    return bool(Draft202012Validator(SCHEMA).is_valid(document))


def properties() -> Iterator[tuple[str, dict[str, Any]]]:
    for owner, schema in {"SagaRequest": SCHEMA, **SCHEMA["$defs"]}.items():
        for name, definition in schema.get("properties", {}).items():
            yield f"{owner}.{name}", definition


def test_the_kept_schema_is_current() -> None:
    assert KEPT.read_text() == schema_text(), "renew it: python -m lambdas.core.schema > docs/request.schema.json"


def test_it_is_a_schema_of_the_dialect_it_names() -> None:
    assert SCHEMA["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    "document",
    [
        request_document(),
        request_document(aws_instance(disks=("data-aws",)), aws_disk()),
        request_document(gcp_instance(depends_on=["web-azure"]), azure_instance()),
    ],
)
def test_what_is_accepted_fits_the_schema_as_sent_and_as_understood(document: dict[str, Any]) -> None:
    assert accepts(document)
    assert accepts(parse_request(document).model_dump(mode="json"))


@pytest.mark.parametrize(
    "document",
    [
        {},
        request_document(colour="blue"),
        request_document(name="Shop"),
        request_document(resources=[]),
        request_document(labels={"Team": "x"}),
        request_document(labels={"team": "X"}),
        request_document(aws_disk(region="mars")),
        request_document(gcp_instance(zone="europe-west1")),
        request_document(aws_disk(provider="ibm")),
        request_document(aws_disk(kind="instance")),
        request_document(aws_disk("Data")),
        request_document(aws_disk(spec={"zone": "eu-west-1a", "size_gb": 0})),
        request_document(aws_disk(spec={"zone": "eu-west-1a", "size_gb": 8, "flavour": "big"})),
    ],
)
def test_what_an_editor_can_see_to_be_wrong_does_not_fit(document: dict[str, Any]) -> None:
    assert not accepts(document)


@pytest.mark.parametrize(("name", "definition"), [pytest.param(*each, id=each[0]) for each in properties()])
def test_every_property_has_a_hint_or_one_value_only(name: str, definition: dict[str, Any]) -> None:
    target = SCHEMA["$defs"][definition["$ref"].rpartition("/")[2]] if "$ref" in definition else definition
    assert definition.get("description") or target.get("description") or "const" in definition


def test_places_are_listed_once_each() -> None:
    assert SCHEMA["$defs"]["AwsRegion"]["enum"] == sorted(AWS_REGIONS)
    assert SCHEMA["$defs"]["GcpZone"]["enum"] == sorted(GCP_ZONES)
    assert schema_text().count('"eu-west-1"') == 1


def test_every_field_of_a_request_is_in_the_schema() -> None:
    assert set(SCHEMA["properties"]) == set(SagaRequest.model_fields)
