"""An execution's history as GetExecutionHistory shows it."""

from __future__ import annotations

import marshal
from collections.abc import Callable, Iterator, Sequence
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

Elsewhere = Callable[[], bytes]
"""Finds packed events again."""

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
    long-lived engine has millions of them. Once it has ended they are kept as one piece of bytes, a quarter of that,
    and then wherever that piece is moved to.
    """

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: list[_Entry] | bytes | Elsewhere = []
        """One of the three at any time: who reads it holds no lock."""

    def pack(self) -> bytes:
        """Keep them in less memory, as what is returned."""
        packed = self.packed or marshal.dumps(self._unpacked())
        self._kept = packed
        return packed

    @property
    def packed(self) -> bytes | None:
        """All of them, if they are packed, and here."""
        return self._kept if isinstance(self._kept, bytes) else None

    def move(self, packed: bytes, where: Elsewhere) -> None:
        """Keep them where `where` finds them, provided that they still are as they were packed."""
        if self._kept is packed:
            self._kept = where

    def _unpacked(self) -> list[_Entry]:
        kept = self._kept
        if isinstance(kept, list):
            return kept
        packed = kept if isinstance(kept, bytes) else kept()
        entries: list[_Entry] = marshal.loads(packed)  # noqa: S302 -- our own, from this process  # nosec B302
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
        """The events, in the order of their ids, to look at more than once: unpacked if they are not."""
        if isinstance(self._kept, list):
            return self
        opened = History()
        opened._kept = self._unpacked()
        return opened

    def append(self, event_type: str, previous: int, timestamp: float, details: dict[str, Any] | None = None) -> int:
        """Record an event and return its id; raises HistoryFullError when only a last event still fits."""
        entries = self._kept
        if type(entries) is not list:  # it was redriven
            self._kept = entries = self._unpacked()
        number = len(entries) + 1
        if number >= MAX_EVENTS and event_type not in _TERMINAL:
            raise HistoryFullError
        entries.append((number, previous, event_type, timestamp, details))
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
