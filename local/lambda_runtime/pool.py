"""The workers of one function: reused when idle, started up to a limit, never more."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from local.lambda_runtime.errors import TooManyRequests
from local.lambda_runtime.functions import DeployedFunction
from local.lambda_runtime.worker import Worker

# A call that waits longer for a worker than Lambda's longest function runs will never get one.
_LONGEST_WAIT_SECONDS = 900

PATIENCE_SECONDS = 0.25
"""How long a call waits for a busy worker before another is started.

Most calls take a tenth of that, and a start takes a second of one of this machine's few cores, which all calls that are
under way then lack: where AWS would start another at once, here everybody is served sooner by waiting.
"""

STALLED_SECONDS = 2.0
"""For how long no worker of a function comes back when all of them wait rather than work, as for a long poll.

Then more can be started than `limit`, which guards this machine's cores: who waits takes none of them. It is longer
than a start takes on busy cores, since those that start are no reason to start more.
"""

_WAITING_TIMES = 4


class WorkerPool:
    """Workers of all versions of one function; `limit` of them can be busy unless concurrency is reserved.

    Where they wait for something else, four times as many can be.
    """

    def __init__(self, start: Callable[[DeployedFunction], Worker], limit: int) -> None:
        self._start = start
        self._limit = limit
        self._moved = time.monotonic()
        self._changed = threading.Condition()
        self._idle: list[Worker] = []
        self._busy: list[Worker] = []
        self._promised = 0
        self._closed = False

    def acquire(self, function: DeployedFunction) -> Worker:
        """Return an idle worker, or one that soon is, or a new one, waiting for a place.

        Raises TooManyRequests over reserved concurrency.
        """
        with self._changed:
            worker = self._await_idle(function)
            if worker is not None:
                self._busy.append(worker)
                return worker
            self._promised += 1
            self._moved = time.monotonic()
        worker = self._start_promised(function)
        with self._changed:
            self._promised -= 1
            self._busy.append(worker)
        return worker

    def release(self, worker: Worker) -> None:
        """Take a worker back after its call; one that cannot take another is closed."""
        with self._changed:
            self._busy.remove(worker)
            self._moved = time.monotonic()
            leaving = self._keep(worker)
            self._changed.notify()
        if leaving is not None:
            leaving.close()

    def warm(self, function: DeployedFunction, seconds: float) -> None:
        """Start a worker ahead of its first call, unless one is there already; wait so long for it to initialize."""
        with self._changed:
            if self._closed or any(worker.function == function for worker in self._idle + self._busy):
                return
            self._promised += 1
        worker = self._start_promised(function)
        with self._changed:
            self._promised -= 1
            leaving = self._closed
            if not leaving:
                self._idle.append(worker)
            self._changed.notify()
        if leaving:
            worker.close()
        worker.await_initialized(seconds)

    def kill_busy(self) -> bool:
        """SIGKILL the worker that has been busy longest; return whether there was one."""
        with self._changed:
            if not self._busy:
                return False
            self._busy[0].kill()
            return True

    def close(self) -> None:
        """Kill every worker and return when all of them are gone; calls in progress end with an error."""
        with self._changed:
            self._closed = True
            idle, self._idle = self._idle, []
            for worker in self._busy:
                worker.kill()
            self._changed.notify_all()
        for worker in idle:
            worker.close()
        with self._changed:
            self._changed.wait_for(lambda: not self._busy and not self._promised, timeout=5)

    def _start_promised(self, function: DeployedFunction) -> Worker:
        """Start a worker; if that fails, its place is free again."""
        try:
            return self._start(function)
        except BaseException:
            with self._changed:
                self._promised -= 1
                self._changed.notify()
            raise

    def _await_idle(self, function: DeployedFunction) -> Worker | None:
        """An idle worker, now or soon; None when another has a place, and is to be started."""
        patient_until = time.monotonic() + PATIENCE_SECONDS
        while True:
            self._await_place(function)
            worker = self._take_idle(function)
            left = patient_until - time.monotonic()
            if worker is not None or left <= 0 or not (self._busy or self._promised):
                return worker
            self._changed.wait(left)

    def _await_place(self, function: DeployedFunction) -> None:
        give_up_at = time.monotonic() + _LONGEST_WAIT_SECONDS
        while True:
            if self._closed:
                raise RuntimeError("the Lambda runtime is closed")
            in_use = len(self._busy) + self._promised
            if function.reserved_concurrency is not None:
                if in_use < function.reserved_concurrency:
                    return
                raise TooManyRequests("ReservedFunctionConcurrentInvocationLimitExceeded")
            now = time.monotonic()
            if in_use < self._limit or (in_use < _WAITING_TIMES * self._limit and now >= self._moved + STALLED_SECONDS):
                return
            if now >= give_up_at:
                raise TooManyRequests("ConcurrentInvocationLimitExceeded")
            self._changed.wait(STALLED_SECONDS)

    def _take_idle(self, function: DeployedFunction) -> Worker | None:
        for worker in reversed(self._idle):
            stale = worker.function.version == function.version and worker.function != function
            if not stale and worker.alive and worker.function != function:
                continue
            self._idle.remove(worker)
            if not stale and worker.alive:
                return worker
            worker.close()
        return None

    def _keep(self, worker: Worker) -> Worker | None:
        """Make the worker idle; return one that has to leave instead, if any."""
        if self._closed or not worker.alive:
            return worker
        self._idle.append(worker)
        # Workers of versions nobody calls any more must not add up; the one idle longest goes first.
        if len(self._idle) + len(self._busy) > self._limit and len(self._idle) > 1:
            return self._idle.pop(0)
        return None
