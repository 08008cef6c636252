"""A cluster's worker inside its own network: it asks for work, and nobody has to reach it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore, Event, Thread
from types import SimpleNamespace
from typing import Any, Final

from pydantic import ValidationError

from lambdas.adapters.observability import logger, where
from lambdas.core.errors import RetryableError
from lambdas.core.ports.queue import Message, Queue
from lambdas.worker.patience import BEAT_SECONDS
from lambdas.worker.reporting import Reporting
from lambdas.worker.worker import Worker

REPORT_SECONDS: Final = 60.0
_LONG_POLL_SECONDS: Final = 10
_PAUSE_AFTER_FAILURE: Final = 5.0


class Agent:
    """Takes as many tasks at a time as its cluster bears, and reports on the cluster every minute.

    `stop` drains it: nothing new is taken, and what is being waited for is handed back. What an agent that is killed
    had in hand shows itself in the queue again, and another goes on from what the ledger knows. `worker` and
    `reporting` are asked for in the thread that needs them: the connections to a cluster's server are not to be shared.
    """

    def __init__(
        self,
        queue: Queue,
        worker: Callable[[], Worker],
        reporting: Callable[[], Reporting],
        concurrency: int,
        report_seconds: float = REPORT_SECONDS,
        beat_seconds: float = BEAT_SECONDS,
    ) -> None:
        self._queue = queue
        self._worker = worker
        self._reporting = reporting
        self.concurrency: Final = concurrency
        self._report_seconds = report_seconds
        self._beat_seconds = beat_seconds
        self._slots = BoundedSemaphore(concurrency)
        self._stopping = Event()

    def stop(self) -> None:
        """Drain: `run` returns when everything in hand is done or handed back."""
        self._stopping.set()

    def run(self) -> None:
        """Work until it is stopped."""
        reports = Thread(target=self._report_regularly, name="reports")
        reports.start()
        with ThreadPoolExecutor(self.concurrency, thread_name_prefix="task") as pool:
            while not self._stopping.is_set():
                for message in self._received():
                    pool.submit(self._handle, message)
        reports.join()

    def _received(self) -> list[Message]:
        """As many messages as there are free slots, each of which it takes."""
        free = self._take_free_slots()
        if self._stopping.is_set():  # it was stopped while all its hands were full
            return []
        messages: list[Message] = []
        try:
            messages = self._queue.receive(free, _LONG_POLL_SECONDS)
        except RetryableError as error:
            logger.warning("the queue does not answer", extra={"reason": str(error)})
            self._stopping.wait(_PAUSE_AFTER_FAILURE)
        for _ in range(free - len(messages)):
            self._slots.release()
        return messages

    def _take_free_slots(self) -> int:
        """All that are free, and at least one: until then there is nothing to ask for."""
        self._slots.acquire()
        free = 1
        while free < self.concurrency and self._slots.acquire(blocking=False):
            free += 1
        return free

    def _handle(self, message: Message) -> None:
        try:
            if self._stopping.is_set():
                self._queue.put_back(message)
                return
            self._worker().do(
                message.body,
                _context(message),
                keep=lambda: self._queue.keep(message),
                over=self._stopping.is_set,
                wait=self._stopping.wait,
                beat_seconds=self._beat_seconds,
            )
            self._queue.done(message)
        except RetryableError as error:
            logger.warning("not answered: the queue delivers it again", extra={"reason": str(error)})
        except ValidationError:
            logger.error("not a task: after some deliveries it goes to the dead-letter queue")
        except Exception as error:  # the thread is the pool's, and nobody would hear of it
            logger.error("the agent broke", extra={"error": type(error).__name__, "where": where(error)})
        finally:
            self._slots.release()

    def _report_regularly(self) -> None:
        while True:
            try:
                self._reporting().report()
            except Exception as error:  # whatever it is, the next one may be made
                logger.error("no report", extra={"error": type(error).__name__, "where": where(error)})
            if self._stopping.wait(self._report_seconds):
                return


def _context(message: Message) -> Any:
    """What is logged with a task, in place of Lambda's own."""
    return SimpleNamespace(aws_request_id=message.receipt[:36])
