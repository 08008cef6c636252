"""Function calls that take virtual time: each runs on a thread of its own, and only one thread ever runs.

A call pauses whenever it talks to the ledger or to a cloud, and the engine goes on with whatever else is due. So two
functions cross each other at every call they make, in an order that the seed decides and that repeats.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local.stepfunctions import Engine
    from local.stepfunctions.runtime.host import Outcome


class WorkerKilledError(BaseException):
    """Unwinds a worker that has been killed; no handler of the code it runs may catch it, as none would run."""


class Worker:
    """One function call; `label` says which, `began` when (Unix seconds), `calls` how often it has gone outside.

    `dies_at` is the number of the call outside in front of which it is killed, None for a worker that lives.
    """

    def __init__(self, label: str, began: float, dies_at: int | None = None) -> None:
        self.label = label
        self.began = began
        self.dies_at = dies_at
        self.calls = 0
        self.over = False
        self.killed = False
        self.outcome: Outcome | None = None
        self.ended: Callable[[Worker], None] = lambda worker: None
        self._mine = threading.Semaphore(0)
        self._engines = threading.Semaphore(0)

    def run(self, work: Callable[[], Outcome]) -> None:
        """Run `work` until it pauses for the first time or ends."""
        threading.Thread(target=self._run, args=(work,), name=self.label, daemon=True).start()
        self._mine.release()
        self._engines.acquire()

    def resume(self) -> None:
        """Let it go on until it pauses again or ends; one that is over stays so."""
        if not self.over:
            self._mine.release()
            self._engines.acquire()

    def pause(self) -> None:
        """Hand over to the engine; called by the worker itself, and returns when it is resumed."""
        self._engines.release()
        self._mine.acquire()
        if self.killed:
            raise WorkerKilledError

    def kill(self) -> None:
        """End it where it pauses; what it has sent is on its way all the same."""
        if not self.over:
            self.killed = True
            self.resume()

    def go_outside(self) -> None:
        """Count a call outside; the one it was to die in front of kills it."""
        self.calls += 1
        if self.dies_at is not None and self.calls > self.dies_at:
            raise WorkerKilledError

    def _run(self, work: Callable[[], Outcome]) -> None:
        self._mine.acquire()
        try:
            self.outcome = work()
        except WorkerKilledError:
            self.killed = True
        finally:
            self.over = True
            self._engines.release()


class Workers:
    """Every worker of a run; `current` is the one that runs now, None while the engine itself does."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.current: Worker | None = None

    def start(self, worker: Worker, work: Callable[[], Outcome], ended: Callable[[Worker], None]) -> None:
        """Run a worker; `ended` is called once, on the engine's thread, when it is over or killed."""
        worker.ended = ended
        self._step(worker, partial(worker.run, work))

    def sleep_until(self, moment: float) -> None:
        """Pause the running worker until then; outside of workers no time passes."""
        worker = self.current
        if worker is not None:
            self.wake_at(moment, worker)
            worker.pause()

    def wake_at(self, moment: float, worker: Worker) -> None:
        """Have a paused worker go on at that moment, if it still lives then."""
        self._engine.call_at(moment, partial(self._step, worker, worker.resume))

    def kill(self, worker: Worker) -> None:
        """Kill a worker where it pauses."""
        self._step(worker, worker.kill)

    def _step(self, worker: Worker, act: Callable[[], None]) -> None:
        if worker.over:
            return
        before, self.current = self.current, worker
        try:
            act()
        finally:
            self.current = before
        if worker.over:
            worker.ended(worker)
