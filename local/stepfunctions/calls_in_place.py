"""Tasks' calls made where they follow from, on the same thread: for functions that never wait."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from local.stepfunctions.runtime.host import Outcome, TaskRequest


class CallsInPlace:
    """Makes calls on the thread that has led to them, one after the other, with whatever follows from them.

    Nothing is handed to another thread, which costs more than all that an engine does for a task: the other one runs on
    another core, whose caches know nothing of it.
    """

    def __init__(
        self,
        call: Callable[[TaskRequest], Outcome],
        finish: Callable[[str, int, Outcome], object],
        settle: Callable[[], None],
    ) -> None:
        self._call = call
        self._finish = finish
        self._settle = settle
        self._here = _Here()

    def submit(self, request: TaskRequest) -> None:
        """Have a call made when this thread comes to `make`."""
        self._here.waiting.append(request)

    def make(self) -> None:
        """Make the calls that this thread has led to, unless it is about to; a function may start an execution."""
        here = self._here
        if here.making or not here.waiting:
            return
        here.making = True
        try:
            while here.waiting:
                request = here.waiting.popleft()
                self._settle()
                self._finish(request.execution_arn, request.attempt, self._call(request))
        finally:
            here.making = False


class _Here(threading.local):
    """What a thread has yet to call, and whether it is calling."""

    def __init__(self) -> None:
        self.waiting: deque[TaskRequest] = deque()
        self.making = False
