"""From the staged pages of a read to the windows that they fill.

Each window changes by itself: first its file, in place of exactly the one that it replaces, and then its record. So
whatever dies in between, a window is whole, the next one to publish completes the record, and whoever was overtaken
fails. No read replaces what a read that was begun later has found.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple, TypedDict

from lambdas.core.billing.planning import closed_through, settled_at, wanted_from, with_asked
from lambdas.core.billing.sources import AnySource
from lambdas.core.billing.spans import window_name
from lambdas.core.billing.windows import Contents, Read, SourceState, Window, WindowStatus
from lambdas.core.errors import Overtaken, RetryableError, TerminalError
from lambdas.core.ports.clock import Clock
from lambdas.core.ports.costs import Arranged, CostFiles, Windows


class Published(TypedDict):
    """What came of a read: how many windows it filled, restated and closed, and which it came too late for."""

    source: str
    read: str
    filled: int
    restated: int
    closed: int
    late: list[str]


class _Outcome(NamedTuple):
    before: Window
    after: Window
    late: bool = False


class PublishingSteps:
    """Publishes what collectors have staged."""

    def __init__(self, files: CostFiles, windows: Windows, clock: Clock) -> None:
        self._files = files
        self._windows = windows
        self._clock = clock

    def publish(self, source: AnySource) -> Published:
        """Publish the read of a source that is staged; raises RetryableError, or TerminalError for unusable rows."""
        state = self._windows.state(source.name)
        read = state.read if state else None
        if read is None or not read.complete:
            return _published(source, "", [])
        try:
            outcomes, data_through = self._publish(source, read)
            self._finish(source, read, data_through)
        except Overtaken as overtaken:
            raise RetryableError("Overtaken", str(overtaken)) from overtaken
        except TerminalError:
            # What was staged is of no use: the next hour reads it anew.
            self._windows.change_state(source.name, lambda it: _without(it, read))
            raise
        return _published(source, read.id, outcomes)

    def _publish(self, source: AnySource, read: Read) -> tuple[list[_Outcome], datetime | None]:
        if read.unchanged:
            return [], None
        known = {it.start: it for it in self._windows.windows(source.name, read.span)}
        with self._files.arrange(source, read) as arranged:
            _refuse_nothing(source, read, arranged, known.values())
            publication = _Publication(source, read, arranged, self._files, self._clock.now())
            first = wanted_from(source)
            wanted = [start for start in read.span.windows() if start >= first]
            return [self._put(publication, start, known) for start in wanted], arranged.data_through

    def _put(self, publication: _Publication, start: datetime, known: Mapping[datetime, Window]) -> _Outcome:
        before = known.get(start) or Window(source=publication.source.name, start=start)
        outcome = publication.outcome(before)
        if outcome.after is before:
            return outcome
        return outcome._replace(after=self._windows.put(outcome.after))

    def _finish(self, source: AnySource, read: Read, data_through: datetime | None) -> None:
        now = self._clock.now()

        def change(state: SourceState | None) -> SourceState:
            if state is None or state.read is None or state.read.id != read.id:
                raise Overtaken(f"{source.name} is being read anew")
            asked = with_asked(state.asked, read.span, read.begun_at)
            first = closed_through(source, state.closed_through, asked)
            # What is charged for a whole day, or ahead, is not incurred yet.
            moments = [state.data_through, min(data_through, read.begun_at) if data_through else None]
            return state.model_copy(
                update={
                    "read": None,
                    "failure": None,
                    "collected_at": now,
                    "data_through": max((it for it in moments if it is not None), default=None),
                    "closed_through": first,
                    "asked": tuple(it for it in asked if it.end > first),
                }
            )

        self._windows.change_state(source.name, change)


class _Publication(NamedTuple):
    """One read on its way into the windows of its span."""

    source: AnySource
    read: Read
    arranged: Arranged
    files: CostFiles
    now: datetime

    def outcome(self, window: Window) -> _Outcome:
        """The window as this read leaves it, and its file written; the window itself where it leaves it as it is."""
        found = self.arranged.contents.get(window.start, Contents())
        if window.status is WindowStatus.CLOSED:
            return _Outcome(window, window, late=found.digest != window.contents.digest)
        if window.read_at is not None and window.read_at > self.read.begun_at:
            return _Outcome(window, window)
        return _Outcome(window, self._filled(window, found))

    def _filled(self, window: Window, found: Contents) -> Window:
        again = window.read_at is not None
        changed = found.digest != window.contents.digest
        closing = self.read.begun_at >= settled_at(self.source, window.start)
        update: dict[str, Any] = {}
        if changed or not again:
            update |= {"contents": found, "read_at": self.read.begun_at, "status": WindowStatus.COLLECTED}
        if again and (changed or window.status is WindowStatus.RESTATED):
            update |= {"status": WindowStatus.RESTATED, "restated": window.restated + changed}
        if closing:
            update |= {"status": WindowStatus.CLOSED, "closed_at": self.now}
        # A file is sealed when its window is closed: another ETag, so that whoever still holds the old one fails.
        if changed or (closing and window.key):
            update |= self._write(window, closed=closing)
        return window.model_copy(update=update) if update else window

    def _write(self, window: Window, *, closed: bool) -> dict[str, str]:
        key = window.key or self._key(window.start)
        try:
            return {"key": key, "etag": self.arranged.write(window, key, closed=closed)}
        except Overtaken:
            there = self.files.there(key)
            if there is not None and there.begun_at > self.read.begun_at:
                raise
        if there is not None and (there.read, there.begun_at) == (self.read.id, self.read.begun_at):
            # Of the same rows. Written once more it would not be the one that whoever wrote it is about to record.
            return {"key": key, "etag": there.etag}
        # Somebody wrote the file of an older read, and died before the record; or removed what the record knows.
        window = window.model_copy(update={"etag": there.etag if there else None})
        return {"key": key, "etag": self.arranged.write(window, key, closed=closed)}

    def _key(self, start: datetime) -> str:
        month = self.source.calendar.month_of(start)
        return f"costs/source={self.source.name}/billing_period={month}/{window_name(start)}.parquet"


def _refuse_nothing(source: AnySource, read: Read, arranged: Arranged, known: Iterable[Window]) -> None:
    """A month whose files are gone costs no less; an export that was moved must not empty what it has told."""
    rows = sum(window.contents.rows for window in known)
    if rows and not arranged.contents and source.rhythm.unit == "month":
        month = source.calendar.month_of(read.start)
        raise TerminalError(
            "NothingLeft", f"the export has no row of {month} any more, and {rows} were read before: was it moved?"
        )


def _without(state: SourceState | None, read: Read) -> SourceState:
    if state is None:
        raise Overtaken("nothing is known of the source any more")
    return state.model_copy(update={"read": None}) if state.read == read else state


def _published(source: AnySource, read: str, outcomes: list[_Outcome]) -> Published:
    changed = [it for it in outcomes if it.after is not it.before]
    return Published(
        source=source.name,
        read=read,
        filled=sum(it.before.read_at is None for it in changed),
        restated=sum(it.after.restated > it.before.restated for it in changed),
        closed=sum(it.after.status is WindowStatus.CLOSED for it in changed),
        late=[window_name(it.before.start) for it in outcomes if it.late],
    )
