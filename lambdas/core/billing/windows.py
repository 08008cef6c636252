"""What is known of a source and of each of its windows.

A window is `OPEN` until it was read once, `COLLECTED` from then on, `RESTATED` when a later read found something else,
and `CLOSED` by a read that was begun when the source had settled: then it never changes again.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from lambdas.core.billing.spans import Span


class WindowStatus(StrEnum):
    """Where a window stands; the module says what each means."""

    OPEN = "OPEN"
    COLLECTED = "COLLECTED"
    RESTATED = "RESTATED"
    CLOSED = "CLOSED"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class Contents(_Record):
    """What a window holds: how many rows, their digest whatever their order, and their sum by billing currency.

    `violations` counts the rows that break a rule of FOCUS, by the rule's id.
    """

    rows: int = 0
    digest: str = ""
    billed: dict[str, Decimal] = Field(default={})
    violations: dict[str, int] = Field(default={})


class Window(_Record):
    """One window of a source, and the file it is in: none as long as it never held a row.

    `read_at` is when the read began whose rows it holds; later ones found the same.
    """

    source: str
    start: datetime
    status: WindowStatus = WindowStatus.OPEN
    contents: Contents = Field(default_factory=Contents)
    read_at: datetime | None = None
    restated: int = 0
    closed_at: datetime | None = None
    key: str | None = None
    etag: str | None = None
    version: int = 0


class Segment(_Record):
    """Pages `first` to `first + count - 1` of a read, staged by one run."""

    run: str
    first: int
    count: int


class Read(_Record):
    """One reading of a span from a source, page by page; `cursor` is where the next page begins, None for the first.

    `unchanged` says that the source itself knew of nothing new, and so there is no page.
    """

    id: str
    start: datetime
    end: datetime
    begun_at: datetime
    cursor: str | None = None
    segments: tuple[Segment, ...] = ()
    complete: bool = False
    unchanged: bool = False

    @property
    def span(self) -> Span:
        """The windows that it covers."""
        return Span(self.start, self.end)

    @property
    def pages(self) -> int:
        """How many were staged."""
        return sum(segment.count for segment in self.segments)


class Holder(_Record):
    """Who reads a source at the moment, for an execution of which window, and until when that is to be believed."""

    run: str
    window: str
    until: datetime


class Asked(_Record):
    """All windows from `start` to before `end` were last read by a read, or by reads, that began at `at`."""

    start: datetime
    end: datetime
    at: datetime


class Failure(_Record):
    """Why a source was last not read, in words that hold no secret."""

    at: datetime
    error: str
    message: str


class SourceState(_Record):
    """What is known of a source as a whole.

    All windows before `closed_through` are closed; `asked` says when those from there on were last read, in order.
    `data_through` is the end of the newest charge that was ever seen, as far as it has been incurred. `read` is under
    way, or staged and waiting to be published; `reads` and `waits` count those of the execution for `counted_for`. The
    source has asked not to be asked before `quiet_until`.
    """

    source: str
    since: datetime
    closed_through: datetime
    asked: tuple[Asked, ...] = ()
    data_through: datetime | None = None
    collected_at: datetime | None = None
    read: Read | None = None
    holder: Holder | None = None
    quiet_until: datetime | None = None
    failure: Failure | None = None
    counted_for: str = ""
    reads: int = 0
    waits: int = 0
    version: int = 0


class WindowFile(NamedTuple):
    """The file of a window as it is there: the read that it is of, when that was begun, and its ETag."""

    read: str
    begun_at: datetime
    etag: str
