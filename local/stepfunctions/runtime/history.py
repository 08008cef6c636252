"""An execution's history as GetExecutionHistory shows it."""

from __future__ import annotations

import marshal
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, overload

from local.stepfunctions.jsontext import Json

MAX_EVENTS = 25_000


class HistoryFullError(Exception):
    """An execution has reached the service's 25,000 events."""


class Event(NamedTuple):
    """One event; `details` is None where AWS gives the type alone, and says nowhere that nothing was truncated."""

    id: int
    previous: int
    type: str
    timestamp: float
    details: dict[str, Any] | None


_Entry = tuple[int, int, str, float, dict[str, Any] | None]

_TERMINAL = {"ExecutionFailed", "ExecutionSucceeded", "ExecutionAborted", "ExecutionTimedOut"}
# What AWS says beside each of these, always: our limit on payloads is its limit, so nothing is ever cut off.
_UNTRUNCATED = {field: f"{field}Details" for field in ("input", "output", "assignedVariables")}
_SHARED_DETAILS = {"Entered": "stateEnteredEventDetails", "Exited": "stateExitedEventDetails"}


def details_key(event_type: str) -> str:
    """The member of a HistoryEvent that holds the details of events of this type."""
    for suffix, key in _SHARED_DETAILS.items():
        if event_type.endswith(f"State{suffix}"):
            return key
    return f"{event_type[0].lower()}{event_type[1:]}EventDetails"


class History(Sequence[Event]):
    """The events so far, numbered from 1.

    They are kept as plain tuples of plain values, which the garbage collector looks at once and then no more; a
    long-lived engine has millions of them. Once it has ended they are kept as one piece of bytes, a quarter of that.
    """

    __slots__ = ("_entries", "_packed")

    def __init__(self) -> None:
        self._entries: list[_Entry] = []
        self._packed: bytes | None = None

    def pack(self) -> None:
        """Keep them in less memory: hardly any will be looked at again."""
        if self._packed is None:
            self._packed, self._entries = marshal.dumps(self._entries), []

    def _unpacked(self) -> list[_Entry]:
        if self._packed is None:
            return self._entries
        entries: list[_Entry] = marshal.loads(self._packed)  # noqa: S302 -- our own, from this process  # nosec B302
        return entries

    def __len__(self) -> int:
        return len(self._unpacked())

    def __iter__(self) -> Iterator[Event]:
        return iter([Event._make(entry) for entry in self._unpacked()])

    @overload
    def __getitem__(self, index: int) -> Event: ...
    @overload
    def __getitem__(self, index: slice) -> list[Event]: ...
    def __getitem__(self, index: int | slice) -> Event | list[Event]:
        if isinstance(index, slice):
            return [Event._make(entry) for entry in self._unpacked()[index]]
        return Event._make(self._unpacked()[index])

    @property
    def events(self) -> Sequence[Event]:
        """The events, in the order of their ids."""
        return self

    def append(self, event_type: str, previous: int, timestamp: float, details: dict[str, Any] | None = None) -> int:
        """Record an event and return its id; raises HistoryFullError when only a last event still fits."""
        if self._packed is not None:  # it was redriven
            self._entries, self._packed = self._unpacked(), None
        number = len(self._entries) + 1
        if number >= MAX_EVENTS and event_type not in _TERMINAL:
            raise HistoryFullError
        self._entries.append((number, previous, event_type, timestamp, details))
        return number


def event_document(event: Event, include_data: bool = True) -> dict[str, Json]:
    """An event as the API answers it; `include_data` False leaves inputs and outputs out."""
    document: dict[str, Json] = {
        "timestamp": round(event.timestamp, 3),
        "type": event.type,
        "id": event.id,
        "previousEventId": event.previous,
    }
    if event.details is not None:
        details = event.details | {
            about: {"truncated": False} for field, about in _UNTRUNCATED.items() if field in event.details
        }
        if not include_data:
            details = {key: value for key, value in details.items() if key not in ("input", "output", "parameters")}
        document[details_key(event.type)] = details
    return document
