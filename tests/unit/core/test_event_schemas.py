"""The schemas of events are those that are kept, and a whole event of each kind is as its schema says."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]  # ships no types
import pytest

from lambdas.core.event_schemas import schema_files
from lambdas.core.notices import NOTICES, Notice
from tests.unit.adapters.test_announcements import passed

EVENTS = Path(__file__).resolve().parents[3] / "docs" / "events"


def test_the_schemas_that_are_kept_are_those_of_the_models() -> None:
    kept = {path.name: path.read_text() for path in EVENTS.glob("*")}
    assert kept == schema_files(), "python -m lambdas.core.event_schemas docs/events"


@pytest.mark.parametrize("kind", NOTICES, ids=lambda kind: kind.KIND)
def test_every_field_is_required_and_the_page_names_it(kind: type[Notice]) -> None:
    schema = json.loads(schema_files()[f"{kind.KIND.lower().replace(' ', '-')}.schema.json"])
    assert sorted(schema["properties"]["detail"]["required"]) == sorted(kind.model_fields)
    page = (EVENTS.parent / "events.md").read_text()
    assert f"`{kind.KIND}`" in page
    assert [name for name in kind.model_fields if f"`{name}`" not in page] == []


def test_an_event_of_a_budget_is_as_its_schema_says_and_may_have_more_fields_later() -> None:
    schema = json.loads((EVENTS / "budget-passed.schema.json").read_text())
    detail = json.loads(passed().model_dump_json())
    event = {"source": "skysaga", "detail-type": "Budget passed", "detail": {**detail, "later": True}}
    jsonschema.validate(event, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**event, "detail": {**detail, "spent": 85.1}}, schema)
