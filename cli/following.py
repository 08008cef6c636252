"""Following a saga: every event once and in order, whatever becomes of the connection meanwhile.

A thread of its own asks for events and queues them, so that whoever shows them can be interrupted, ask somebody
something, and go on where they were. A connection that breaks is taken up again after the last event that came.

A large saga is divided, and the API gives its own events first, so that some of its resources' come after the one with
which it ended: it has been followed to its end when there are none any more.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from cli.durations import Deadline
from cli.output import notice
from cli.problems import ApiProblem, Unreachable
from cli.states import ENDINGS, ends, is_divided, version_at

if TYPE_CHECKING:
    from cli.api import Saga, SagaEvent
    from cli.client import ApiClient

LONG_POLL_SECONDS: Final = 10
PATIENCE_SECONDS: Final = 120.0
"""For how long an API that does not answer is asked again."""

_FIRST_PAUSE: Final = 0.25
_LONGEST_PAUSE: Final = 5.0
_IDLE_PAUSE: Final = 0.2
_LOOK_SECONDS: Final = 3600.0

A = TypeVar("A")


class Interrupted(Exception):
    """Somebody pressed Ctrl-C."""


class DeadlinePassed(Exception):
    """The saga has not ended in time."""


class _Over:
    """The saga has ended, and every event has been queued."""


class Following:
    """The events of one saga from the cursor `after` on, until it has ended.

    It ends with an event beyond the version `beyond`; where that is left out, with whatever ending the saga has now or
    reaches next. As a context manager it also takes Ctrl-C, and hands it on as Interrupted.
    """

    def __init__(
        self,
        client: ApiClient,
        saga_id: str,
        *,
        after: str = "0",
        beyond: int | None = None,
    ) -> None:
        self._client = client
        self._saga_id = saga_id
        self.cursor = after
        self._beyond = beyond
        self._over = False
        self._queue: SimpleQueue[SagaEvent | BaseException | _Over] = SimpleQueue()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._read, name=f"events of {saga_id}", daemon=True)
        self._handled: Any = None

    def leave_out(self, saga: Saga) -> None:
        """Leave out what happened before a saga was looked at, unless the ending waited for may be among it."""
        if self._beyond is None:
            self.cursor = saga["events_cursor"]

    def __enter__(self) -> Following:
        self._thread.start()
        self.take_interrupts()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.leave_interrupts()
        self._stopped.set()

    def take_interrupts(self) -> None:
        """From here on Ctrl-C is handed on as Interrupted."""
        if threading.current_thread() is threading.main_thread():
            self._handled = signal.signal(signal.SIGINT, self._interrupt)

    def leave_interrupts(self) -> None:
        """From here on Ctrl-C is what it was before."""
        if self._handled is not None:
            signal.signal(signal.SIGINT, self._handled)
            self._handled = None

    def events(self, deadline: Deadline) -> Iterator[SagaEvent]:
        """Every event that has not been handed on yet, as it happens; ends when the saga has.

        Raises Interrupted and DeadlinePassed, after either of which it may be called again; and ApiProblem, Unreachable
        or Unsigned, after which there is nothing more to come.
        """
        while True:
            try:
                found = self._queue.get(timeout=deadline.left(_LOOK_SECONDS))
            except Empty:
                if deadline.passed:
                    raise DeadlinePassed from None
                continue
            if isinstance(found, _Over):
                return
            if isinstance(found, BaseException):
                raise found
            yield found

    def _interrupt(self, _: int, __: FrameType | None) -> None:
        self._queue.put(Interrupted())

    def _read(self) -> None:
        try:
            self._queue_events()
        except Exception as error:
            self._queue.put(error)
        else:
            self._queue.put(_Over())

    def _queue_events(self) -> None:
        beyond, ended_at = self._beyond, 0
        if beyond is None:
            saga = patiently(lambda: self._client.header(self._saga_id), self._stopped)
            beyond = saga["version"]
            ended_at = beyond if saga["status"] in ENDINGS else 0
        over = False
        while not (over or self._stopped.is_set()):
            over = self._queue_page(beyond, ended_at)

    def _queue_page(self, beyond: int, ended_at: int) -> bool:
        """Queue the next events; whether those were the last. A saga that had ended has done so at `ended_at`."""
        wait = 0 if ended_at or self._over else LONG_POLL_SECONDS
        page = patiently(lambda: self._client.events(self._saga_id, self.cursor, wait), self._stopped)
        items, cursor = page["items"], page["next_cursor"]
        for event in items:
            self._queue.put(event)
            self._over = self._over or (ends(event) and version_at(event, cursor) > beyond)
            if self._over and not is_divided(cursor):
                return True
        self.cursor = cursor
        if not items and not self._over:
            self._stopped.wait(_IDLE_PAUSE)
        last = not items or (not is_divided(cursor) and int(cursor) >= ended_at)
        return last and (self._over or ended_at > 0)


def patiently(call: Callable[[], A], stopped: threading.Event | None = None) -> A:
    """The answer to a call, asked for again while there is none, or none for the moment; not once `stopped`."""
    stopped = stopped or threading.Event()
    began, pause = time.monotonic(), _FIRST_PAUSE
    while True:
        try:
            answer = call()
        except (ApiProblem, Unreachable) as error:
            if stopped.is_set() or not may_pass(error) or time.monotonic() - began > PATIENCE_SECONDS:
                raise
            if pause == _FIRST_PAUSE:
                notice(f"the connection broke ({_first_line(error)}); taking it up again")
        else:
            return answer
        stopped.wait(pause)
        pause = min(_LONGEST_PAUSE, pause * 2)


def may_pass(error: Exception) -> bool:
    """Whether the same call may be answered a moment later."""
    return isinstance(error, Unreachable) or (
        isinstance(error, ApiProblem) and (error.status == 429 or error.status >= 500)
    )


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
