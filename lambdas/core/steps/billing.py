"""The steps about all sources together: which there are, and what is remembered of one that could not be read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final, TypedDict

from lambdas.core.billing.sources import AnySource
from lambdas.core.billing.spans import window_named
from lambdas.core.billing.windows import Failure, SourceState
from lambdas.core.errors import Misconfigured
from lambdas.core.ports.clock import Clock
from lambdas.core.ports.costs import SourceDeclarations, Windows

_LONGEST: Final = 500
_HOUR_SECONDS: Final = 3600


class SourceItem(TypedDict):
    """One source to collect from, and the function that does."""

    source: str
    collector: str


class BillingSteps:
    """What begins an execution, and what ends a source that failed."""

    def __init__(
        self, declarations: SourceDeclarations, collectors: Mapping[str, str], windows: Windows, clock: Clock
    ) -> None:
        self._declarations = declarations
        self._collectors = collectors
        self._windows = windows
        self._clock = clock

    def plan(self, window: str) -> list[SourceItem]:
        """Every source that is declared, with the collector of its kind; raises Misconfigured or RetryableError.

        Each hour another one comes first: some are read at a time, and where those take all of the time that there is,
        the same ones would never be read.
        """
        declared = self._declarations.declared()
        unknown = sorted({it.kind for it in declared.values()} - set(self._collectors))
        if unknown:
            raise Misconfigured(f"nothing is deployed that collects from {', '.join(unknown)}: deploy again")
        items = [SourceItem(source=name, collector=self._collectors[it.kind]) for name, it in declared.items()]
        first = int(window_named(window).timestamp()) // _HOUR_SECONDS % len(items) if items else 0
        return [*items[first:], *items[:first]]

    def note_failure(self, window: str, source: str, error: str, cause: str) -> None:
        """Remember why a source was not read for a window, so that whoever asks for its costs is told.

        The source is free again, unless the execution for another window holds it. Raises RetryableError.
        """
        declared = self._declarations.declared()
        if source not in declared:
            return
        failure = Failure(at=self._clock.now(), error=error, message=_message(cause)[:_LONGEST])
        self._windows.change_state(source, lambda it: _failed(it, declared[source], failure, window))


def _failed(state: SourceState | None, source: AnySource, failure: Failure, window: str) -> SourceState:
    state = state or SourceState(source=source.name, since=source.since, closed_through=source.since)
    ours = state.holder is None or state.holder.window == window
    return state.model_copy(update={"failure": failure, "holder": None if ours else state.holder})


def _message(cause: str) -> str:
    """What an error said: Step Functions quotes a function's error as JSON, its stack trace included."""
    try:
        document = json.loads(cause)
    except ValueError:
        return cause
    return str(document.get("errorMessage", "")) if isinstance(document, dict) else cause
