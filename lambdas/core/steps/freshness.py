"""How fresh every source is, from what the windows table says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from lambdas.core.billing.freshness import Freshness, due_span, first_unread, freshness, newest
from lambdas.core.billing.sources import AnySource, Sources
from lambdas.core.billing.windows import SourceState
from lambdas.core.ports.costs import Windows


def fresh_sources(
    sources: Sources, states: Mapping[str, SourceState], windows: Windows, now: datetime
) -> list[Freshness]:
    """How fresh each source is that is declared, by name; raises RetryableError."""
    return [_fresh(source, states.get(name), windows, now) for name, source in sorted(sources.items())]


def _fresh(source: AnySource, state: SourceState | None, windows: Windows, now: datetime) -> Freshness:
    due = due_span(source, state, now)
    if state is None:
        return freshness(source, None, due.start, now)
    recent = newest(due)
    unread = first_unread(recent, windows.windows(source.name, recent))
    if unread == recent.start > due.start:
        unread = first_unread(due, windows.windows(source.name, due))
    return freshness(source, state, unread, now)
