"""Compute Engine's `filter` expressions, as far as equality goes: `(labels.a = "b") AND status != DONE`.

Source: the `filter` parameter in https://cloud.google.com/compute/docs/reference/rest/v1/instances/list.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from local.simulators.gcp.errors import invalid

_TERM: Final = re.compile(
    r"""\s*(?:AND\s+)?(?P<open>\()?\s*(?P<field>[\w.-]+)\s*(?P<operator>!=|=|\beq\b|\bne\b)\s*
        (?:"(?P<quoted>[^"]*)"|(?P<bare>[^\s()"]+))\s*(?P<close>\))?\s*""",
    re.VERBOSE,
)


def parse(expression: str) -> Callable[[dict[str, Any]], bool]:
    """A test of a resource's JSON; an expression beyond equalities joined by AND is refused as invalid."""
    terms = []
    position = 0
    while position < len(expression):
        term = _TERM.match(expression, position)
        if term is None or bool(term["open"]) != bool(term["close"]):
            raise invalid("filter", expression, "Invalid list filter expression.")
        value = term["quoted"] if term["quoted"] is not None else term["bare"]
        terms.append((term["field"], term["operator"] in ("=", "eq"), value))
        position = term.end()
    return lambda resource: all((_field(resource, name) == value) == wanted for name, wanted, value in terms)


def _field(resource: Any, name: str) -> str | None:
    """The value of a field; what follows the first dot is one key, so that label keys may hold anything."""
    head, _, rest = name.partition(".")
    value = resource.get(head) if isinstance(resource, dict) else None
    if rest:
        return _field(value, rest) if isinstance(value, dict) else None
    return None if value is None else str(value)
