"""Compute Engine's `filter` expressions, as far as equality and presence go: `(labels.a = "b") AND labels.c:*`.

Source: the `filter` parameter in https://cloud.google.com/compute/docs/reference/rest/v1/instances/list.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from local.simulators.gcp.errors import invalid

_TERM: Final = re.compile(
    r"""\s*(?:AND\s+)?(?P<open>\()?\s*(?P<field>[\w.-]+)\s*(?:(?P<present>:\*)|(?P<operator>!=|=|\beq\b|\bne\b)\s*
        (?:"(?P<quoted>[^"]*)"|(?P<bare>[^\s()"]+)))\s*(?P<close>\))?\s*""",
    re.VERBOSE,
)


class _Term(NamedTuple):
    """What is wanted of a field: that it equals the value or not, or, where nothing is, that it is there."""

    field: str
    wanted: bool | None
    value: str


class Filter(NamedTuple):
    """What resources are asked for, all of it."""

    terms: tuple[_Term, ...]

    def matches(self, resource: dict[str, Any]) -> bool:
        """Whether a resource's JSON is what is asked for."""
        return all(_holds(_field(resource, name), wanted, value) for name, wanted, value in self.terms)

    def equalities(self) -> list[tuple[str, str]]:
        """The values that what matches has, by field."""
        return [(name, value) for name, wanted, value in self.terms if wanted]


def parse(expression: str) -> Filter:
    """What an expression asks for; one beyond equalities and presence joined by AND is refused as invalid."""
    terms: list[_Term] = []
    position = 0
    while position < len(expression):
        term = _TERM.match(expression, position)
        if term is None or bool(term["open"]) != bool(term["close"]):
            raise invalid("filter", expression, "Invalid list filter expression.")
        value = term["quoted"] if term["quoted"] is not None else term["bare"] or ""
        wanted = None if term["present"] else term["operator"] in ("=", "eq")
        terms.append(_Term(term["field"], wanted, value))
        position = term.end()
    return Filter(tuple(terms))


def _holds(found: str | None, wanted: bool | None, value: str) -> bool:
    """Whether a field that was found is as wanted."""
    return found is not None if wanted is None else (found == value) == wanted


def _field(resource: Any, name: str) -> str | None:
    """The value of a field; what follows the first dot is one key, so that label keys may hold anything."""
    head, _, rest = name.partition(".")
    value = resource.get(head) if isinstance(resource, dict) else None
    if rest:
        return _field(value, rest) if isinstance(value, dict) else None
    return None if value is None else str(value)
