"""Where costs come from, where their pages are staged, and where they are kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from decimal import Decimal
from typing import BinaryIO, NamedTuple, Protocol

from lambdas.core.billing.paging import FileFormat
from lambdas.core.billing.sources import AnySource, Sources
from lambdas.core.billing.spans import Span
from lambdas.core.billing.windows import Contents, Read, SourceState, Window, WindowFile

Value = str | Decimal | datetime | Mapping[str, str] | None
Row = Mapping[str, Value]
"""One charge: FOCUS 1.2's columns by their name, those without a value left out, and `x_` columns of our own."""


class Rows(NamedTuple):
    """A page of rows that a source's client returned, in our words."""

    rows: Sequence[Row]


class ExportedFile(NamedTuple):
    """A page that is a file which a cloud exported in FOCUS's columns; `open` reads it from its beginning."""

    format: FileFormat
    open: Callable[[], AbstractContextManager[BinaryIO]]


class Page(NamedTuple):
    """One page of a span, and where the next one begins: None after the last.

    A page may be empty and not the last one.
    """

    content: Rows | ExportedFile
    cursor: str | None


class Unchanged(NamedTuple):
    """The source says by itself that nothing of the span has changed since it was last read."""


class CostSource(Protocol):
    """One account, subscription, project or private cloud that says what it costs.

    Raises Throttled, CursorExpired, RetryableError or TerminalError, translated in the provider's `errors` module. A
    call makes as few requests as a page takes; the SDK's own retries of throttled calls are off, so that the wait is
    ours.
    """

    def page(self, span: Span, cursor: str | None, unless: datetime | None) -> Page | Unchanged:
        """The page of a span at a cursor, the first at None: each row whose window is in the span is on one page.

        A row belongs to the window in which its charge period begins, or to the first one of its billing period where
        that begins later, which is so of corrections. The span consists of whole units of the source's rhythm, except
        that it may end now. With `unless`, at the first page, a source that knows may answer that nothing has changed
        since then.
        """
        ...


class Staging(Protocol):
    """Keeps the pages of a read until it is published; raises RetryableError."""

    def put(self, source: str, read: str, run: str, number: int, content: Rows | ExportedFile) -> None:
        """Keep a page; the same page of the same run again replaces it."""
        ...


class Arranged(Protocol):
    """The rows of one read: normalised, checked, attributed, and sorted into windows."""

    @property
    def contents(self) -> Mapping[datetime, Contents]:
        """What each window of the span holds, for those that hold anything."""
        ...

    @property
    def data_through(self) -> datetime | None:
        """The end of the newest charge period."""
        ...

    def write(self, window: Window, key: str, *, closed: bool) -> str:
        """Write a window's file, whole, in place of the one that `window.etag` names; returns the new one's ETag.

        Raises Overtaken when another one is there by now, and RetryableError. What is written is never the same to the
        byte twice, so that who was overtaken cannot miss it.
        """
        ...


class CostFiles(Protocol):
    """Where costs are kept: one file a window."""

    def arrange(self, source: AnySource, read: Read) -> AbstractContextManager[Arranged]:
        """The rows of a read's staged pages; raises RetryableError, or TerminalError for rows that cannot be used.

        Those are the ones without a charge period, a billed cost or a currency; the message says which row of which
        page.
        """
        ...

    def there(self, key: str) -> WindowFile | None:
        """What is in a window's place now; raises RetryableError."""
        ...


class Windows(Protocol):
    """The windows table. Every write holds only if the record is as it was when it was read; raises RetryableError."""

    def state(self, source: str) -> SourceState | None:
        """What is known of a source; None for one that was never read."""
        ...

    def states(self) -> list[SourceState]:
        """What is known of every source that was ever read."""
        ...

    def change_state(self, source: str, change: Callable[[SourceState | None], SourceState]) -> SourceState:
        """Replace the state by what `change` makes of it, called again with a fresh one when somebody was faster."""
        ...

    def windows(self, source: str, span: Span) -> list[Window]:
        """The windows of a span that have ever been read, in order."""
        ...

    def put(self, window: Window) -> Window:
        """Keep a window in place of the version it was made from; raises Overtaken when there is another by now."""
        ...


class SourceDeclarations(Protocol):
    """What the deployment says of sources."""

    def declared(self) -> Sources:
        """All of them, as of now; raises Misconfigured or RetryableError."""
        ...
