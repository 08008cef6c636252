"""What is wrong with a definition, as the service words it."""

from __future__ import annotations

from local.stepfunctions.jsontext import Json

SCHEMA = "SCHEMA_VALIDATION_FAILED"


class Diagnostics:
    """Collected diagnostics, in the order in which they were found."""

    def __init__(self) -> None:
        self.items: list[dict[str, Json]] = []

    def error(self, message: str, location: str | None = None, code: str = SCHEMA) -> None:
        """Note an error; `location` is a path such as `/States/A/Resource`."""
        found: dict[str, Json] = {"severity": "ERROR", "code": code, "message": message}
        if location is not None:
            found["location"] = location
        self.items.append(found)
