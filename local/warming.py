"""Functions started ahead of their first calls: one after the other, those first that are needed first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Event, Lock
from typing import Final, Protocol

_MOST_AT_ONCE: Final = 4


class Warmed(Protocol):
    """Whoever runs functions."""

    def warm(self, names: Iterable[str]) -> None:
        """Start one function after the other, each once the one before it has initialized."""
        ...


class Warming:
    """Starts what is `needed`, as far as it is deployed by then: names in the order in which they are needed.

    All of them started at once would hold each other up, and whatever else is at work; so one more is started at a time
    for every call of `go_on`.
    """

    def __init__(self, runtime: Warmed, needed: Callable[[], Sequence[str]]) -> None:
        self._runtime = runtime
        self._needed = needed
        self._lock = Lock()
        self._left: Sequence[str] = ()
        self._begun: set[str] = set()
        self._stale = False
        self._threads = ThreadPoolExecutor(_MOST_AT_ONCE, "warm")
        self._under_way: list[Future[None]] = []
        self._closed = Event()

    def go_on(self) -> None:
        """Look what is needed and deployed now, and start it, one more at a time than before; return at once."""
        with self._lock:
            self._stale = True
        self._under_way.append(self._threads.submit(lambda: self._runtime.warm(self._next())))

    def afterwards(self, action: Callable[[], object], seconds: float = 0.0) -> None:
        """Have something done so long after everything needed by now has initialized; return at once."""

        def act(under_way: list[Future[None]]) -> None:
            wait(under_way)
            if not self._closed.wait(seconds):
                action()

        self._threads.submit(act, list(self._under_way))

    def close(self) -> None:
        """Start nothing any more."""
        self._closed.set()
        self._threads.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            self._needed = lambda: ()
            self._stale = True

    def _next(self) -> Iterator[str]:
        while (name := self._take()) is not None:
            yield name

    def _take(self) -> str | None:
        with self._lock:
            if self._stale:
                self._left, self._stale = self._needed(), False
            name = next((it for it in self._left if it not in self._begun), None)
            if name is not None:
                self._begun.add(name)
            return name
