"""Reading a source: page by page, from wherever the last one to do so came to.

Whoever reads holds the source: nobody reads it for another hour meanwhile, and who is overtaken notices at the next
page. A page is staged before the cursor moves past it, under the name of who staged it, so that whatever dies in
between, the pages that count are those of one unbroken row of cursors.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil
from typing import Any, Final, NamedTuple, TypedDict

from lambdas.core.billing.planning import MOST_READS, next_span, settled_at, unseen_since
from lambdas.core.billing.sources import AnySource
from lambdas.core.billing.spans import Span
from lambdas.core.billing.windows import Holder, Read, Segment, SourceState
from lambdas.core.errors import CursorExpired, Overtaken, TerminalError, Throttled
from lambdas.core.ports.clock import Clock
from lambdas.core.ports.costs import CostSource, ExportedFile, Page, Staging, Unchanged, Windows
from lambdas.core.steps.streaming import told

HELD: Final = timedelta(minutes=6)
"""How long after its last page somebody still holds a source: a missed heartbeat shows after five minutes."""

MOST_WAITS: Final = 12
"""How often one execution waits for a source: then the next hour's carries on, and the history stays short."""

LONGEST_PAUSE: Final = 20.0
"""In seconds: a function waits for so long itself, and lets the state machine wait for what takes longer."""

SHORTEST_PAUSE: Final = 1.0
"""In seconds: a source that says to come again at once would be asked as fast as it refuses."""

BUSY_SECONDS: Final = 300
HANDOVER_SECONDS: Final = 90.0
"""What must be left of a function's time for it to begin another page."""


class CollectionStatus(StrEnum):
    """What the state machine does after a collector has ended its task."""

    STAGED = "STAGED"  # publish what was staged
    PENDING = "PENDING"  # collect again after `wait` seconds
    DONE = "DONE"  # nothing is due, or not before the next hour


class Collection(TypedDict):
    """How a collector ended its task."""

    status: CollectionStatus
    wait: int


class Errand(NamedTuple):
    """What a collector is sent for: the window whose execution sends it, the task's token, and when that gives up.

    `call` tells apart who is sent for the same: a call that Lambda delivers twice.
    """

    window: str
    token: str
    until: datetime
    call: str

    @property
    def run(self) -> str:
        """Who holds the source: a name for the token, which is a secret of the execution."""
        return hashlib.sha256(self.token.encode()).hexdigest()[:12]

    @property
    def stager(self) -> str:
        """Who stages pages: nobody replaces what another has staged, since the same cursor may give another page."""
        return f"{self.run}-{self.call}"


class Surroundings(NamedTuple):
    """What a collector lives on: `alive` beats and says whether the task is still waited for, `left` its seconds."""

    alive: Callable[[], bool]
    left: Callable[[], float]
    pause: Callable[[float], object]


class _NotYet(Exception):
    """Somebody else holds the source, or it has asked not to be asked for so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class _Enough(Exception):
    """As often as one execution may, this one has begun to read."""


class CollectingSteps:
    """Reads one source into the staging area."""

    def __init__(self, source: AnySource, costs: CostSource, windows: Windows, staging: Staging, clock: Clock) -> None:
        self._source = source
        self._costs = costs
        self._windows = windows
        self._staging = staging
        self._clock = clock

    def collect(self, errand: Errand, around: Surroundings) -> Collection | None:
        """Read on; None when the time runs low, and somebody else is to carry on with the same errand.

        Raises Overtaken when somebody else holds the source by now, RetryableError or TerminalError.
        """
        self._beat(around)  # a call that comes late must not take the source from whoever carries on in its place
        try:
            read = self._begin(errand)
            return self._read(errand, read, around) if read else self._let_go(errand)
        except _NotYet as busy:
            return self._wait(errand, busy.seconds)
        except _Enough:
            return _done()

    def _begin(self, errand: Errand) -> Read | None:
        """Take the source, and the read to carry on with: the one under way, or the next that is due."""
        state = self._windows.change_state(self._source.name, lambda it: self._taken(it, errand))
        self._heed(state)
        if state.read is not None:
            return state.read
        span = next_span(self._source, state, self._clock.now())
        if span is None:
            return None
        if state.reads >= MOST_READS:
            raise _Enough
        return self._begun(errand, span)

    def _heed(self, state: SourceState) -> None:
        """Ask no further when the source has said to somebody when it may be asked again."""
        now = self._clock.now()
        if state.quiet_until and state.quiet_until > now:
            raise _NotYet((state.quiet_until - now).total_seconds())

    def _taken(self, state: SourceState | None, errand: Errand) -> SourceState:
        now, since = self._clock.now(), self._source.since
        state = state or SourceState(source=self._source.name, since=since, closed_through=since)
        holder = state.holder
        # Within one execution the newest token is the only one that is waited for.
        if holder and holder.run != errand.run and holder.window != errand.window and holder.until > now:
            raise _NotYet(BUSY_SECONDS)
        update: dict[str, Any] = {"holder": _holder(errand, now)}
        if state.since != since:
            update |= {"since": since, "closed_through": since, "asked": ()}
        if state.counted_for != errand.window:
            update |= {"counted_for": errand.window, "reads": 0, "waits": 0}
        return state.model_copy(update=update)

    def _begun(self, errand: Errand, span: Span) -> Read:
        now = self._clock.now()

        def change(state: SourceState | None) -> SourceState:
            held = _held(state, errand)
            if held.read is not None:
                raise Overtaken(f"somebody else has begun to read {self._source.name}")
            read = Read(id=f"{errand.window}-{held.reads + 1}", start=span.start, end=span.end, begun_at=now)
            return held.model_copy(update={"read": read, "reads": held.reads + 1, "holder": _holder(errand, now)})

        return _reading(self._windows.change_state(self._source.name, change))

    def _read(self, errand: Errand, read: Read, around: Surroundings) -> Collection | None:
        while not read.complete:
            if around.left() < HANDOVER_SECONDS:
                return None
            if self._clock.now() >= errand.until:
                return self._let_go(errand)
            try:
                page = self._costs.page(read.span, read.cursor, self._unless(read))
            except Throttled as throttled:
                seconds = max(SHORTEST_PAUSE, throttled.retry_after)
                self._be_quiet(errand, seconds)
                if seconds > min(LONGEST_PAUSE, around.left() - HANDOVER_SECONDS):
                    return self._wait(errand, seconds)
                around.pause(seconds)
            except CursorExpired:
                read = self._begun_again(errand, read)
            else:
                read = self._kept(errand, read, page, around)
            self._beat(around)
        return Collection(status=CollectionStatus.STAGED, wait=0)

    def _beat(self, around: Surroundings) -> None:
        if not around.alive():
            raise Overtaken(f"nobody waits for this reading of {self._source.name} any more")

    def _be_quiet(self, errand: Errand, seconds: float) -> None:
        """Remember when the source may be asked again, whoever would do so next; it is still held."""
        now = self._clock.now()
        until = now + timedelta(seconds=seconds)
        _held(self._windows.change_state(self._source.name, lambda it: _quiet(it, errand, now, until)), errand)

    def _unless(self, read: Read) -> datetime | None:
        """Since when there must be something new for a first page to be worth reading; None where it is in any case."""
        if read.cursor is not None or read.begun_at >= settled_at(self._source, read.start):
            return None
        state = self._windows.state(self._source.name)
        return unseen_since(state.asked, read.span) if state else None

    def _kept(self, errand: Errand, read: Read, page: Page | Unchanged, around: Surroundings) -> Read:
        if isinstance(page, Unchanged):
            return self._noted(errand, read, {"complete": True, "unchanged": True})
        content = page.content
        if isinstance(content, ExportedFile):
            content = told(content, self._clock, lambda: self._still_at_it(errand, around))
        self._staging.put(self._source.name, read.id, errand.stager, read.pages, content)
        moved = {
            "cursor": page.cursor,
            "complete": page.cursor is None,
            "segments": _with_page(read, errand.stager),
        }
        return self._noted(errand, read, moved)

    def _still_at_it(self, errand: Errand, around: Surroundings) -> None:
        """Say in the middle of a page that somebody reads; raises Overtaken when nobody waits for it any more."""
        self._beat(around)
        now = self._clock.now()
        self._windows.change_state(
            self._source.name, lambda it: _held(it, errand).model_copy(update={"holder": _holder(errand, now)})
        )

    def _noted(self, errand: Errand, read: Read, update: dict[str, Any]) -> Read:
        """Move the read on, if it is still where it was and ours."""
        now = self._clock.now()

        def change(state: SourceState | None) -> SourceState:
            held = _held(state, errand)
            if held.read != read:
                raise Overtaken(f"somebody else reads on {self._source.name}")
            moved = read.model_copy(update=update)
            return held.model_copy(update={"read": moved, "holder": _holder(errand, now)})

        state = self._windows.change_state(self._source.name, change)
        if not _reading(state).complete:
            self._heed(state)
        return _reading(state)

    def _begun_again(self, errand: Errand, read: Read) -> Read:
        """Read the same span from its beginning, under a name of its own: what was staged of it counts no more."""
        state = self._windows.change_state(self._source.name, lambda it: _dropped(it, errand))
        if state.reads >= MOST_READS:
            raise TerminalError("CursorExpired", f"{self._source.name} changed under every reading of it this hour")
        return self._begun(errand, read.span)

    def _wait(self, errand: Errand, seconds: float) -> Collection:
        """Let the state machine wait, unless that would be until after it has given up."""
        name, now = self._source.name, self._clock.now()
        if now + timedelta(seconds=seconds) >= errand.until:
            return self._let_go(errand)
        state = self._windows.change_state(name, lambda it: _waited(it, errand))
        if state.waits > MOST_WAITS:
            return self._let_go(errand)
        return Collection(status=CollectionStatus.PENDING, wait=ceil(seconds))

    def _let_go(self, errand: Errand) -> Collection:
        """Hold the source no longer; a read that is under way stays where it is."""
        self._windows.change_state(self._source.name, lambda it: _free(it, errand))
        return _done()


def _done() -> Collection:
    return Collection(status=CollectionStatus.DONE, wait=0)


def _holder(errand: Errand, now: datetime) -> Holder:
    return Holder(run=errand.run, window=errand.window, until=now + HELD)


def _held(state: SourceState | None, errand: Errand) -> SourceState:
    if state is None or not _holds(state, errand):
        raise Overtaken("somebody else holds the source")
    return state


def _holds(state: SourceState, errand: Errand) -> bool:
    return state.holder is not None and state.holder.run == errand.run


def _known(state: SourceState | None) -> SourceState:
    if state is None:
        raise Overtaken("nothing is known of the source any more")
    return state


def _quiet(state: SourceState | None, errand: Errand, now: datetime, until: datetime) -> SourceState:
    """Also who was overtaken has heard it, and whoever has overtaken them would not."""
    known = _known(state)
    quiet_until = max(until, known.quiet_until or until)
    holder = _holder(errand, now) if _holds(known, errand) else known.holder
    return known.model_copy(update={"quiet_until": quiet_until, "holder": holder})


def _reading(state: SourceState) -> Read:
    if state.read is None:
        raise Overtaken(f"nothing of {state.source} is being read any more")
    return state.read


def _with_page(read: Read, run: str) -> tuple[Segment, ...]:
    if read.segments and read.segments[-1].run == run:
        *before, last = read.segments
        return (*before, last.model_copy(update={"count": last.count + 1}))
    return (*read.segments, Segment(run=run, first=read.pages, count=1))


def _dropped(state: SourceState | None, errand: Errand) -> SourceState:
    return _held(state, errand).model_copy(update={"read": None})


def _waited(state: SourceState | None, errand: Errand) -> SourceState:
    known = _known(state)
    return known.model_copy(update={"waits": known.waits + 1}) if known.counted_for == errand.window else known


def _free(state: SourceState | None, errand: Errand) -> SourceState:
    known = _known(state)
    return known.model_copy(update={"holder": None}) if _holds(known, errand) else known
