"""What callers ask about costs, always answered with how fresh the sources of the answer are."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from lambdas.core.billing.freshness import Freshness, all_fresh, version_of
from lambdas.core.billing.questions import Question
from lambdas.core.billing.windows import SourceState
from lambdas.core.errors import FieldError, RequestError
from lambdas.core.ports.clock import Clock
from lambdas.core.ports.cost_query import CostLine, CostQuery
from lambdas.core.ports.costs import SourceDeclarations, Windows

_VERSION_DIGITS: Final = 32
_MOST_LINES: Final = 1_000_000


class CostPage(NamedTuple):
    """Some lines of an answer, where the next ones begin, and how fresh every source is."""

    lines: Sequence[CostLine]
    next_cursor: str | None
    freshness: Sequence[Freshness]


class _Place(NamedTuple):
    version: str
    start: int


class Costs:
    """The costs that are kept."""

    def __init__(
        self,
        query: CostQuery,
        windows: Windows,
        declarations: SourceDeclarations,
        clock: Clock,
    ) -> None:
        self._query = query
        self._windows = windows
        self._declarations = declarations
        self._clock = clock

    def ask(self, question: Question, cursor: str | None, limit: int) -> CostPage:
        """Answer a question, from where a cursor says on; raises RequestError for one that was not ours.

        Raises RetryableError when the answer is not there yet: the same question again goes on with it.
        """
        sources, states, now = self._declarations.declared(), self._windows.states(), self._clock.now()
        place = _place_of(cursor) if cursor else _Place(_version(states, now), 0)
        answer = self._query.answer(question, place.version, place.start, limit)
        following = _Place(place.version, place.start + len(answer.lines))
        cursor = _cursor_of(following) if answer.more else None
        return CostPage(answer.lines, cursor, all_fresh(sources, states, now))


def _version(states: Sequence[SourceState], now: datetime) -> str:
    return hashlib.sha256(version_of(states, now).encode()).hexdigest()[:_VERSION_DIGITS]


def _cursor_of(place: _Place) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def _place_of(cursor: str) -> _Place:
    try:
        version, start = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, TypeError):
        version, start = "", -1
    whole = isinstance(start, int) and not isinstance(start, bool) and 0 <= start <= _MOST_LINES
    if not whole or not isinstance(version, str) or len(version) != _VERSION_DIGITS:
        raise RequestError([FieldError("cursor", "is none of ours; begin without one")])
    return _Place(version, start)
