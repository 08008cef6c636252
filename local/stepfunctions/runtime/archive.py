"""Where the histories of executions that have ended are kept, many together, since hardly any will be looked at again.

Executions of one machine have most of their text in common: together they take a tenth of what each takes by itself.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from functools import partial
from threading import RLock
from typing import Final

from local.stepfunctions.runtime.history import History

_MOST: Final = 128
_MOST_BYTES: Final = 2**21


class Archive:
    """Takes histories as their executions end.

    `later` has work done beside the engine's own: compressing a block takes some milliseconds, in which Python lets
    other threads run. `lock` is held by whoever changes a history.
    """

    def __init__(self, lock: RLock, later: Callable[[Callable[[], None]], None]) -> None:
        self._lock = lock
        self._later = later
        self._waiting: list[History] = []
        self._bytes = 0

    def add(self, history: History) -> None:
        """Keep a history that has ended; one that goes on all the same leaves again. The caller holds the lock."""
        self._waiting.append(history)
        self._bytes += len(history.pack())
        if len(self._waiting) >= _MOST or self._bytes >= _MOST_BYTES:
            self._later(partial(self._keep, self._waiting))
            self._waiting, self._bytes = [], 0

    def _keep(self, histories: Sequence[History]) -> None:
        with self._lock:
            packed = [(it, text) for it in histories if (text := it.packed) is not None]
        block = zlib.compress(b"".join(text for _, text in packed), level=1)
        with self._lock:
            begin = 0
            for history, text in packed:
                history.move(text, partial(_part, block, begin, begin + len(text)))
                begin += len(text)


def _part(block: bytes, begin: int, end: int) -> bytes:
    return zlib.decompress(block)[begin:end]
