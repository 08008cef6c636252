"""An execution's history as GetExecutionHistory shows it."""

from __future__ import annotations

from typing import Any, NamedTuple

from local.stepfunctions.jsontext import Json

MAX_EVENTS = 25_000


class HistoryFullError(Exception):
    """An execution has reached the service's 25,000 events."""


class Event(NamedTuple):
    """One event; `details` is None where AWS gives the type alone."""

    id: int
    previous: int
    type: str
    timestamp: float
    details: dict[str, Any] | None


_TERMINAL = {"ExecutionFailed", "ExecutionSucceeded", "ExecutionAborted", "ExecutionTimedOut"}
_SHARED_DETAILS = {"Entered": "stateEnteredEventDetails", "Exited": "stateExitedEventDetails"}


def details_key(event_type: str) -> str:
    """The member of a HistoryEvent that holds the details of events of this type."""
    for suffix, key in _SHARED_DETAILS.items():
        if event_type.endswith(f"State{suffix}"):
            return key
    return f"{event_type[0].lower()}{event_type[1:]}EventDetails"


class History:
    """The events so far, numbered from 1."""

    __slots__ = ("events",)

    def __init__(self) -> None:
        self.events: list[Event] = []

    def append(self, event_type: str, previous: int, timestamp: float, details: dict[str, Any] | None = None) -> int:
        """Record an event and return its id; raises HistoryFullError when only a last event still fits."""
        number = len(self.events) + 1
        if number >= MAX_EVENTS and event_type not in _TERMINAL:
            raise HistoryFullError
        self.events.append(Event(number, previous, event_type, timestamp, details))
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
        details = event.details
        if not include_data:
            details = {key: value for key, value in details.items() if key not in ("input", "output", "parameters")}
        document[details_key(event.type)] = details
    return document
