"""One number for everything about a saga: its trace, its root span, and what clouds are told to correlate with.

All follow from the saga's id, so that nothing has to be handed from the request to the last look at a cloud: whoever
knows the saga knows its trace. Why that is sound says `docs/decisions/0023`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, NamedTuple
from uuid import UUID

_saga: Final[ContextVar[str]] = ContextVar("saga", default="")


class Trace(NamedTuple):
    """A saga's trace (16 bytes), and the span that all others of it are part of (8 bytes), as numbers."""

    trace_id: int
    root_span_id: int

    @property
    def uuid(self) -> UUID:
        """The trace's id as a GUID, which clouds take as a correlation id."""
        return UUID(int=self.trace_id)


def trace_of(saga_id: str) -> Trace:
    """The trace of a saga. Neither number is 0, which OpenTelemetry takes for none."""
    digest = hashlib.sha256(saga_id.encode()).digest()
    return Trace(int.from_bytes(digest[:16]) or 1, int.from_bytes(digest[16:24]) or 1)


@contextmanager
def about(saga_id: str) -> Iterator[None]:
    """Say which saga everything inside is about, "" for none."""
    token = _saga.set(saga_id)
    try:
        yield
    finally:
        _saga.reset(token)


def current_trace() -> Trace | None:
    """The trace of the saga that is being worked on, None where it is none."""
    saga_id = _saga.get()
    return trace_of(saga_id) if saga_id else None
