"""Event invocations: accepted at once, run later, tried again as Lambda does.

Source: "Understanding retry behavior in Lambda", asynchronous invocation: two more attempts after one and two minutes;
throttled events go back to the queue with exponential backoff from 1 second up to 5 minutes.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from local.clock import Clock
from local.lambda_runtime.errors import InvokeError, TooManyRequests
from local.lambda_runtime.functions import AsynchronousPolicy
from local.lambda_runtime.reference import FunctionReference

_log = logging.getLogger(__name__)
_RETRY_DELAYS = (60, 120)
_LONGEST_BACKOFF = 300
_PARALLEL_EVENTS = 8


@dataclass(frozen=True)
class QueuedEvent:
    """An event on its way; `accepted` in seconds since the epoch, `attempts` made and `throttles` met so far."""

    reference: FunctionReference
    request_id: str
    payload: bytes = field(repr=False)
    policy: AsynchronousPolicy
    accepted: float
    attempts: int = 0
    throttles: int = 0


@dataclass(frozen=True)
class AsynchronousFailure:
    """An event given up; `condition` is Lambda's: RetriesExhausted or EventAgeExceeded."""

    event: QueuedEvent
    condition: str
    response: bytes = field(repr=False)


class AsynchronousInvocations:
    """The queue between an Event invocation and its function.

    In the background events run in threads as they fall due; otherwise whoever moves the clock calls `deliver_due`.
    """

    def __init__(
        self,
        clock: Clock,
        run: Callable[[QueuedEvent], tuple[bytes, bool]],
        on_failure: Callable[[AsynchronousFailure], None],
        background: bool,
    ) -> None:
        self._clock = clock
        self._run = run
        self._on_failure = on_failure
        self._queue: list[tuple[float, int, QueuedEvent]] = []
        self._sequence = itertools.count()
        self._changed = threading.Condition()
        self._closed = False
        self._threads = ThreadPoolExecutor(_PARALLEL_EVENTS, "lambda-event") if background else None
        self._dispatcher: threading.Thread | None = None

    def accept(self, event: QueuedEvent, delay: float = 0) -> None:
        """Queue `event` for `delay` seconds from now."""
        self._enqueue(event, delay)
        if self._threads is not None and self._dispatcher is None:
            self._dispatcher = threading.Thread(target=self._dispatch, name="lambda-events", daemon=True)
            self._dispatcher.start()

    def deliver_due(self) -> float | None:
        """Run, here and now, every event due by the clock; return when the next one is due, None when there is none."""
        while (event := self._take_due()) is not None:
            self._attempt(event)
        with self._changed:
            return self._queue[0][0] if self._queue else None

    def close(self) -> None:
        """Forget what is queued; events already running end with their workers."""
        with self._changed:
            self._closed = True
            self._queue.clear()
            self._changed.notify_all()
        if self._dispatcher is not None:
            self._dispatcher.join()
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)

    def _dispatch(self) -> None:
        while not self._closed:
            event = self._take_due()
            if event is not None and self._threads is not None:
                self._threads.submit(self._attempt, event)
                continue
            with self._changed:
                if not self._closed:
                    # A moment at most, so that a clock moved by hand is noticed too.
                    wait = self._queue[0][0] - self._clock.now() if self._queue else 1.0
                    self._changed.wait(min(max(wait, 0.001), 1.0))

    def _take_due(self) -> QueuedEvent | None:
        with self._changed:
            if self._queue and self._queue[0][0] <= self._clock.now():
                return heapq.heappop(self._queue)[2]
            return None

    def _enqueue(self, event: QueuedEvent, delay: float) -> None:
        with self._changed:
            if not self._closed:
                heapq.heappush(self._queue, (self._clock.now() + delay, next(self._sequence), event))
                self._changed.notify_all()

    def _attempt(self, event: QueuedEvent) -> None:
        try:
            response, failed = self._run(event)
        except TooManyRequests:
            self._again_after_throttle(event)
        except InvokeError as refusal:
            _log.warning("event %s for %s is dropped: %s", event.request_id, event.reference.name, refusal.code)
        except RuntimeError:
            _log.info("event %s for %s is dropped: the runtime is closed", event.request_id, event.reference.name)
        else:
            if failed:
                self._again_after_error(replace(event, attempts=event.attempts + 1), response)

    def _again_after_throttle(self, event: QueuedEvent) -> None:
        self._retry_or_give_up(
            replace(event, throttles=event.throttles + 1), min(2.0**event.throttles, _LONGEST_BACKOFF), b""
        )

    def _again_after_error(self, event: QueuedEvent, response: bytes) -> None:
        if event.attempts > event.policy.maximum_retry_attempts:
            self._on_failure(AsynchronousFailure(event, "RetriesExhausted", response))
            return
        self._retry_or_give_up(event, _RETRY_DELAYS[event.attempts - 1], response)

    def _retry_or_give_up(self, event: QueuedEvent, delay: float, response: bytes) -> None:
        if self._clock.now() + delay - event.accepted > event.policy.maximum_event_age:
            self._on_failure(AsynchronousFailure(event, "EventAgeExceeded", response))
        else:
            self._enqueue(event, delay)
