"""Compute Engine's `filter` expressions, as far as equality and presence go: `(labels.a = "b") AND labels.c:*`.

Source: the `filter` parameter in https://cloud.google.com/compute/docs/reference/rest/v1/instances/list.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from local.simulators.gcp.errors import invalid

_TERM: Final = re.compile(
    r"""\s*(?:AND\s+)?(?P<open>\()?\s*(?P<field>[\w.-]+)\s*(?:(?P<present>:\*)|(?P<operator>!=|=|\beq\b|\bne\b)\s*
        (?:"(?P<quoted>[^"]*)"|(?P<bare>[^\s()"]+)))\s*(?P<close>\))?\s*""",
    re.VERBOSE,
)


def parse(expression: str) -> Callable[[dict[str, Any]], bool]:
    """A test of a resource's JSON; an expression beyond equalities and presence joined by AND is refused as invalid."""
    terms = []
    position = 0
    while position < len(expression):
        term = _TERM.match(expression, position)
        if term is None or bool(term["open"]) != bool(term["close"]):
            raise invalid("filter", expression, "Invalid list filter expression.")
        value = term["quoted"] if term["quoted"] is not None else term["bare"]
        wanted = None if term["present"] else term["operator"] in ("=", "eq")
        terms.append((term["field"], wanted, value))
        position = term.end()
    return lambda resource: all(_holds(_field(resource, name), wanted, value) for name, wanted, value in terms)


def _holds(found: str | None, wanted: bool | None, value: str | None) -> bool:
    """Whether a field equals a value as wanted; where nothing is wanted of it, whether it is there."""
    return found is not None if wanted is None else (found == value) == wanted


def _field(resource: Any, name: str) -> str | None:
    """The value of a field; what follows the first dot is one key, so that label keys may hold anything."""
    head, _, rest = name.partition(".")
    value = resource.get(head) if isinstance(resource, dict) else None
    if rest:
        return _field(value, rest) if isinstance(value, dict) else None
    return None if value is None else str(value)
