"""The threads that make tasks' calls while real time goes on."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable

from local.stepfunctions.runtime.host import Outcome, TaskRequest

THREADS = 64
_log = logging.getLogger(__name__)


class CallPool:
    """Makes calls and reports how they ended; `settle` makes last what has led to a call before the call is made.

    A thread whose report has led to the next call makes that call itself: handing it to another would cost more than
    everything else a task costs. It does so after the report, so that no call waits for one that is still under way
    as long as there are fewer than THREADS of them.
    """

    def __init__(
        self,
        call: Callable[[TaskRequest], Outcome],
        report: Callable[[TaskRequest, Outcome], object],
        settle: Callable[[], None],
    ) -> None:
        self._call = call
        self._report = report
        self._settle = settle
        self._reporting = threading.local()
        self._lock = threading.Lock()
        self._waiting: deque[TaskRequest] = deque()
        self._idle: list[threading.Lock] = []
        self._threads = 0
        self._closed = False

    def submit(self, request: TaskRequest) -> None:
        """Have a call made; returns at once."""
        follow_up: list[TaskRequest] | None = getattr(self._reporting, "follow_up", None)
        if follow_up is not None and not follow_up:
            follow_up.append(request)
            return
        with self._lock:
            self._waiting.append(request)
            if self._idle:
                self._idle.pop().release()
            elif self._threads < THREADS:
                self._threads += 1
                name = f"stepfunctions-call-{self._threads}"
                threading.Thread(target=self._serve, name=name, daemon=True).start()

    def _serve(self) -> None:
        wake = threading.Lock()
        wake.acquire()
        while (request := self._next(wake)) is not None:
            try:
                self._work(request)
            except Exception:  # the thread is there for others, too
                _log.exception("a call's outcome was lost; a restart makes the call again")

    def _next(self, wake: threading.Lock) -> TaskRequest | None:
        """The next call, once there is one; None when there will be no more. `wake` is released for every call."""
        while True:
            with self._lock:
                if self._closed:
                    return None
                if self._waiting:
                    return self._waiting.popleft()
                self._idle.append(wake)
            wake.acquire()

    def _work(self, request: TaskRequest) -> None:
        waiting = [request]
        while waiting:
            request = waiting.pop()
            self._settle()
            outcome = self._call(request)
            self._reporting.follow_up = waiting
            try:
                self._report(request, outcome)
            finally:
                self._reporting.follow_up = None
        self._settle()

    def close(self) -> None:
        """Make no more calls; those under way are not waited for."""
        with self._lock:
            self._closed = True
            self._waiting.clear()
            for wake in self._idle:
                wake.release()
            self._idle.clear()
