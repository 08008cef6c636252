"""The JSON Schema of a request, for editors; `python -m lambdas.core.schema > docs/request.schema.json` renews it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema

from lambdas.core.locations import AWS_REGIONS, AZURE_REGIONS, GCP_ZONES
from lambdas.core.request import SagaRequest

_PLACES: Final[Mapping[str, tuple[str, str, str, frozenset[str]]]] = {
    "Aws": ("region", "AwsRegion", "The AWS region it is placed in.", AWS_REGIONS),
    "Azure": ("region", "AzureRegion", "The Azure region it is placed in.", AZURE_REGIONS),
    "Gcp": ("zone", "GcpZone", "The Google Cloud zone it is placed in.", GCP_ZONES),
}


class WithoutTitles(GenerateJsonSchema):
    """Titles that only repeat a field's name hide its description in an editor's hints."""

    schema_dialect = "https://json-schema.org/draft/2020-12/schema"

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Whether a field without a title is given one."""
        return False


def request_schema() -> dict[str, Any]:
    """The schema as a document; what lies between resources (cycles, ids used twice) it cannot say."""
    schema = SagaRequest.model_json_schema(schema_generator=WithoutTitles)
    schema["properties"]["labels"]["additionalProperties"] = False  # pydantic leaves other keys open
    definitions = schema["$defs"]
    for cloud, (field, name, description, places) in _PLACES.items():
        definitions[name] = {"description": description, "enum": sorted(places)}
        for kind in ("Instance", "Disk"):
            definitions[f"{cloud}{kind}"]["properties"][field] = {"$ref": f"#/$defs/{name}"}
    return {"$schema": WithoutTitles.schema_dialect, **schema, "title": "skysaga request"}


def schema_text() -> str:
    """The schema as it is kept in `docs/request.schema.json`."""
    return json.dumps(request_schema(), indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
