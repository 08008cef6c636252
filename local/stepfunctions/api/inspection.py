"""TestState's inspectionData: the data between a state's fields."""

from __future__ import annotations

from local.stepfunctions.jsontext import Json, dumps


class Inspection:
    """Collects what was seen; `wanted` only above the level INFO."""

    def __init__(self, level: str, raw: Json, variables: dict[str, Json]) -> None:
        self.wanted = level != "INFO"
        self.data: dict[str, Json] = {"input": dumps(raw)}
        self._variables = variables
        if variables:
            self.data["variables"] = dumps(variables)

    def note(self, name: str, value: Json) -> None:
        """Record a document, as JSON text."""
        self.data[name] = dumps(value)

    def set(self, name: str, value: Json) -> None:
        """Record a setting as it is."""
        self.data[name] = value

    def value(self, name: str) -> Json:
        """A recorded setting, None when there is none."""
        return self.data.get(name)

    def assigned(self, values: dict[str, Json]) -> None:
        """Record what Assign has set, beside the variables there were."""
        self.data["variables"] = dumps({**self._variables, **values})
