"""Query strings: every parameter checked, every mistake named at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, TypeVar

from lambdas.core.division import MOST_SHARDS
from lambdas.core.errors import FieldError, RequestError
from lambdas.core.sagas import LONGEST_WAIT, MOST_SHOWN
from lambdas.core.states import SagaStatus

MOST_ITEMS: Final = 100
USUAL_ITEMS: Final = 20
MOST_LINES: Final = 1000
USUAL_LINES: Final = 200
EVENT_CURSOR: Final = rf"^[0-9]{{1,11}}(\.[0-9]{{1,11}}){{0,{MOST_SHARDS}}}$"
RESOURCE_CURSOR: Final = "^[a-z0-9-]{0,30}$"

N = TypeVar("N", int, float)


class Query:
    """The parameters of one call. Reading one that is wrong notes it; `check` raises what was noted."""

    def __init__(self, parameters: Mapping[str, str]) -> None:
        self._parameters = parameters
        self._read: set[str] = set()
        self._errors: list[FieldError] = []

    def check(self) -> None:
        """Raise RequestError for everything that was wrong, unknown parameters included."""
        unknown = sorted(set(self._parameters) - self._read)
        errors = self._errors + [FieldError(name, "unknown parameter") for name in unknown]
        if errors:
            raise RequestError(errors)

    def status(self) -> SagaStatus | None:
        """The saga status asked for."""
        value = self._take("status")
        if value is None or value in SagaStatus.__members__:
            return SagaStatus(value) if value else None
        self._errors.append(FieldError("status", f"must be one of {', '.join(SagaStatus)}"))
        return None

    def label(self) -> tuple[str, str] | None:
        """The label asked for, as `key=value`."""
        value = self._take("label")
        if value is None:
            return None
        key, equals, wanted = value.partition("=")
        if not equals:
            self._errors.append(FieldError("label", "must be key=value"))
        return key, wanted

    def cursor(self) -> str | None:
        """Where the page before ended; nothing, as on the first page, when it is empty."""
        return self._take("cursor") or None

    def limit(self) -> int:
        """How many items, at most."""
        return self._number("limit", int, USUAL_ITEMS, 1, MOST_ITEMS)

    def lines(self) -> int:
        """How many lines of an answer about costs, at most."""
        return self._number("limit", int, USUAL_LINES, 1, MOST_LINES)

    def resources(self) -> int:
        """How many resources of a divided saga, at most."""
        return self._number("limit", int, MOST_SHOWN, 1, MOST_SHOWN)

    def resource_cursor(self) -> str | None:
        """The resource with which the page before ended; nothing, as on the first page, when it is empty."""
        value = self._take("cursor") or None
        if value is not None and not re.fullmatch(RESOURCE_CURSOR, value):
            self._errors.append(FieldError("cursor", "must be the next_cursor of the page before"))
        return value

    def after(self) -> tuple[int, ...]:
        """The numbers of the last events seen."""
        value = self._take("after")
        if value is None:
            return (0,)
        if not re.fullmatch(EVENT_CURSOR, value):
            reason = "must be the next_cursor of the page before: whole numbers, separated by dots"
            self._errors.append(FieldError("after", reason))
            return (0,)
        return tuple(int(number) for number in value.split("."))

    def wait(self) -> float:
        """How many seconds to wait for something new."""
        return self._number("wait", float, 0.0, 0.0, LONGEST_WAIT)

    def _take(self, name: str) -> str | None:
        self._read.add(name)
        return self._parameters.get(name)

    def _number(self, name: str, kind: type[N], usual: N, least: N, most: N) -> N:
        value = self._take(name)
        if value is None:
            return usual
        try:
            number = kind(value)
        except ValueError:
            number = None
        if number is None or not least <= number <= most:
            what = "a whole number" if kind is int else "a number"
            self._errors.append(FieldError(name, f"must be {what} from {least:.0f} to {most:.0f}"))
            return usual
        return number
