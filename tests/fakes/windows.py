"""The windows table, in memory."""

from __future__ import annotations

from collections.abc import Callable

from lambdas.core.billing.spans import Span
from lambdas.core.billing.windows import SourceState, Window
from lambdas.core.errors import Overtaken


class FakeWindows:
    """Remembers sources and windows; a write holds only over the version that was read. `hop` is called before each."""

    def __init__(self, hop: Callable[[], object] = lambda: None) -> None:
        self._hop = hop
        self._states: dict[str, SourceState] = {}
        self._windows: dict[str, dict[object, Window]] = {}

    def state(self, source: str) -> SourceState | None:
        """What is known of a source."""
        return self._states.get(source)

    def states(self) -> list[SourceState]:
        """What is known of every source."""
        return list(self._states.values())

    def change_state(self, source: str, change: Callable[[SourceState | None], SourceState]) -> SourceState:
        """Replace the state, unless somebody was faster between reading and writing: then once more."""
        while True:
            before = self._states.get(source)
            after = change(before)
            self._hop()
            if self._states.get(source) == before:
                break
        if after != before:
            after = after.model_copy(update={"version": (before.version if before else 0) + 1})
            self._states[source] = after
        return after

    def windows(self, source: str, span: Span) -> list[Window]:
        """The windows of a span that were ever read, in order."""
        kept = self._windows.get(source, {})
        return [kept[start] for start in span.windows() if start in kept]

    def put(self, window: Window) -> Window:
        """Keep a window over the version that it was made from."""
        self._hop()
        kept = self._windows.setdefault(window.source, {})
        there = kept.get(window.start)
        if (there.version if there else 0) != window.version:
            raise Overtaken(f"the window {window.start} was changed by somebody else")
        after = window.model_copy(update={"version": window.version + 1})
        kept[window.start] = after
        return after

    def all_of(self, source: str) -> list[Window]:
        """Every window of a source, for tests to look at."""
        return sorted(self._windows.get(source, {}).values(), key=lambda it: it.start)
