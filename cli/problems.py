"""What goes wrong between a command and the API.

ApiProblem     it answered, and refused
Unreachable    it did not answer
Unsigned       it was not called: there is nothing to sign with any more
"""

from __future__ import annotations

from typing import Any


class ApiProblem(Exception):
    """The API refused; `problem` is its RFC 9457 document."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        fields = [f"{it['field']}: {it['reason']}" for it in _wrong_fields(problem)]
        title = problem.get("title") or problem.get("message") or "refused"
        super().__init__("\n".join([f"{status} {title}", *filter(None, [problem.get("detail")]), *fields]))
        self.status = status
        self.problem = problem


def _wrong_fields(problem: dict[str, Any]) -> list[dict[str, Any]]:
    """Those of a problem document; whatever else refuses between here and the API may mean other things by `errors`."""
    errors = problem.get("errors")
    named = [it for it in errors if isinstance(it, dict)] if isinstance(errors, list) else []
    return [it for it in named if {"field", "reason"} <= it.keys()]


class Unreachable(Exception):
    """The API did not answer; whether it did what it was asked for is not known."""


class Unsigned(Exception):
    """The credentials that a call is to be signed with cannot be had."""
