"""Where it stands what to do about an alarm: the end of every alarm's description."""

from __future__ import annotations

from typing import Final

from constructs import Construct

DEFAULT: Final = "docs/operations.md"
CONTEXT: Final = "runbooks"
"""The context value with the address of that page, where whoever is called can open it."""


def with_runbook(scope: Construct, what_to_do: str, section: str) -> str:
    """What an alarm says, followed by the section of the page that tells the rest."""
    base = scope.node.try_get_context(CONTEXT) or DEFAULT
    return f"{what_to_do} Runbook: {base}#{section}"
