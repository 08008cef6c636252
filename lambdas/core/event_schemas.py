"""The JSON Schemas of our events; `python -m lambdas.core.event_schemas docs/events` renews them."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema

from lambdas.core.notices import NOTICES, Notice

SOURCE: Final = "skysaga"


class _WithoutTitles(GenerateJsonSchema):
    """Titles that only repeat a field's name hide its description."""

    schema_dialect = "https://json-schema.org/draft/2020-12/schema"

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def event_schema(kind: type[Notice]) -> dict[str, Any]:
    """The schema of a whole event as a rule's target gets it, with the detail of one kind.

    Fields that are not named are allowed, in the detail, too: later ones are added to it.
    """
    detail = kind.model_json_schema(mode="serialization", schema_generator=_WithoutTitles)
    definitions = detail.pop("$defs", {})
    for opened in (detail, *definitions.values()):
        opened.pop("additionalProperties", None)
        opened.pop("title", None)
    return {
        "$schema": _WithoutTitles.schema_dialect,
        "title": kind.KIND,
        "description": f"An event of EventBridge: {detail.pop('description')}",
        "type": "object",
        "properties": {
            "source": {"const": SOURCE},
            "detail-type": {"const": kind.KIND},
            "detail": {"type": "object", **detail},
        },
        "required": ["source", "detail-type", "detail"],
        "$defs": definitions,
    }


def schema_files() -> Mapping[str, str]:
    """The schemas by the names of the files that they are kept in."""
    return {
        f"{kind.KIND.lower().replace(' ', '-')}.schema.json": json.dumps(event_schema(kind), indent=2) + "\n"
        for kind in NOTICES
    }


if __name__ == "__main__":
    for name, text in schema_files().items():
        Path(sys.argv[1], name).write_text(text)
