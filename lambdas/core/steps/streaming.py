"""A file that takes long to be read: somebody is told meanwhile that it still is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import BinaryIO, Final, cast

from lambdas.core.ports.clock import Clock
from lambdas.core.ports.costs import ExportedFile

TOLD_EVERY: Final = timedelta(minutes=1)


def told(file: ExportedFile, clock: Clock, tell: Callable[[], object]) -> ExportedFile:
    """The same file; `tell` is called about once a minute while it is being read, and what it raises ends that."""

    @contextmanager
    def opened() -> Iterator[BinaryIO]:
        with file.open() as stream:
            yield cast(BinaryIO, _Told(stream, clock, tell))

    return file._replace(open=opened)


class _Told:
    """As much of a file as is needed to be copied from its beginning."""

    def __init__(self, stream: BinaryIO, clock: Clock, tell: Callable[[], object]) -> None:
        self._stream = stream
        self._clock = clock
        self._tell = tell
        self._told_at: datetime = clock.now()

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most so many."""
        now = self._clock.now()
        if now - self._told_at >= TOLD_EVERY:
            self._told_at = now
            self._tell()
        return self._stream.read(size)
