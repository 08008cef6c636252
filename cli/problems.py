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
        fields = [f"{error['field']}: {error['reason']}" for error in problem.get("errors", [])]
        title = problem.get("title") or problem.get("message") or "refused"
        super().__init__("\n".join([f"{status} {title}", *filter(None, [problem.get("detail")]), *fields]))
        self.status = status
        self.problem = problem


class Unreachable(Exception):
    """The API did not answer; whether it did what it was asked for is not known."""


class Unsigned(Exception):
    """The credentials that a call is to be signed with cannot be had."""
