"""The threads that make tasks' calls while real time goes on."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from functools import partial

from local.stepfunctions.runtime.host import Outcome, TaskRequest

THREADS = 64
_log = logging.getLogger(__name__)


def _nothing() -> None:
    pass


class CallPool:
    """Makes calls and reports how they ended; before a call, what has led to it is settled in the journal.

    `settle_or_park(later)` does that and returns True, or returns False and calls `later` once it is done: no thread
    waits for a disk that another one waits for.

    A thread whose report has led to the next call makes that call itself: handing it to another would cost more than
    everything else a task costs. It does so after the report, so that no call waits for one that is still under way
    as long as there are fewer than THREADS of them. Of those that wait for work one at a time is woken, and wakes the
    next one if there is more: where calls take no time, the one that is awake does it all, and nothing is handed over.
    """

    def __init__(
        self,
        call: Callable[[TaskRequest], Outcome],
        report: Callable[[TaskRequest, Outcome], object],
        settle_or_park: Callable[[Callable[[], None]], bool],
    ) -> None:
        self._call = call
        self._report = report
        self._settle_or_park = settle_or_park
        self._reporting = threading.local()
        self._lock = threading.Lock()
        self._work: deque[Callable[[], None]] = deque()
        self._idle: list[threading.Lock] = []
        self._threads = 0
        self._waking = False
        self._closed = False

    def submit(self, request: TaskRequest) -> None:
        """Have a call made; returns at once."""
        follow_up: list[TaskRequest] | None = getattr(self._reporting, "follow_up", None)
        if follow_up is not None and not follow_up:
            follow_up.append(request)
        else:
            self._put(partial(self._make, request))

    def _put(self, work: Callable[[], None]) -> None:
        with self._lock:
            self._work.append(work)
            self._wake_one()

    def _wake_one(self) -> None:
        """Have another thread look for work, unless one is about to."""
        if self._waking or not self._work:
            return
        if self._idle:
            self._waking = True
            self._idle.pop().release()
        elif self._threads < THREADS:
            self._waking = True
            self._threads += 1
            name = f"stepfunctions-call-{self._threads}"
            threading.Thread(target=self._serve, name=name, daemon=True).start()

    def _serve(self) -> None:
        wake = threading.Lock()
        wake.acquire()
        woken = True
        while (work := self._next(wake, woken)) is not None:
            woken = False
            try:
                work()
            except Exception:  # the thread is there for others, too
                _log.exception("a call or its outcome was lost; a restart makes the call again")

    def _next(self, wake: threading.Lock, woken: bool) -> Callable[[], None] | None:
        """What to do next, once there is something; None when there will be no more. A thread is `woken` by `wake`."""
        while True:
            with self._lock:
                if woken:
                    self._waking = False
                if self._closed:
                    return None
                if self._work:
                    work = self._work.popleft()
                    self._wake_one()
                    return work
                self._idle.append(wake)
            wake.acquire()
            woken = True

    def _make(self, request: TaskRequest) -> None:
        """Make a call, and those that its outcome leads to, as soon as what has led to it is settled."""
        if self._settle_or_park(partial(self._put, partial(self._make_settled, request))):
            self._make_settled(request)

    def _make_settled(self, request: TaskRequest) -> None:
        waiting = [request]
        while waiting:
            request = waiting.pop()
            outcome = self._call(request)
            self._reporting.follow_up = waiting
            try:
                self._report(request, outcome)
            finally:
                self._reporting.follow_up = None
            # Though nothing may have followed from the outcome yet, it lasts.
            go_on = partial(self._put, partial(self._make_settled, waiting[0])) if waiting else _nothing
            if not self._settle_or_park(go_on):
                return

    def close(self) -> None:
        """Make no more calls; those under way are not waited for."""
        with self._lock:
            self._closed = True
            self._work.clear()
            for wake in self._idle:
                wake.release()
            self._idle.clear()
