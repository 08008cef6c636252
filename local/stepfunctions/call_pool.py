"""The threads that make tasks' calls while real time goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from local.stepfunctions.runtime.host import Outcome, TaskRequest

THREADS = 64


class CallPool:
    """Makes calls and reports how they ended.

    A thread whose report has led to the next call makes that call itself: handing it to another would cost more than
    everything else a task costs. It does so after the report, so that no call waits for one that is still under way.
    """

    def __init__(
        self, call: Callable[[TaskRequest], Outcome], report: Callable[[TaskRequest, Outcome], object]
    ) -> None:
        self._call = call
        self._report = report
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="stepfunctions-call")
        self._reporting = threading.local()

    def submit(self, request: TaskRequest) -> None:
        """Have a call made; returns at once."""
        follow_up: list[TaskRequest] | None = getattr(self._reporting, "follow_up", None)
        if follow_up is not None and not follow_up:
            follow_up.append(request)
        else:
            self._threads.submit(self._work, request)

    def _work(self, request: TaskRequest) -> None:
        waiting = [request]
        while waiting:
            request = waiting.pop()
            outcome = self._call(request)
            self._reporting.follow_up = waiting
            try:
                self._report(request, outcome)
            finally:
                self._reporting.follow_up = None

    def close(self) -> None:
        """Make no more calls; those under way are not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)
