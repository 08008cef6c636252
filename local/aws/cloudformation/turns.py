"""Stack operations take turns; one that has to wait for something lets its caller and the others go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread, local


class Turns:
    """One stack operation at a time; `wait(seconds)` is how time passes here."""

    def __init__(self, wait: Callable[[float], None]) -> None:
        self._wait = wait
        self._turn = Lock()
        self._operation = local()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Nothing else changes as long as the context lasts; for what never waits."""
        with self._turn:
            yield

    def carry_out(self, operation: Callable[[], None]) -> None:
        """Run `operation` until it is done or waits for the first time; what it raises by then is raised here.

        So whatever takes no time is done when the call returns, and the rest can be watched, as on AWS.
        """
        answered = Event()
        raised: list[Exception] = []

        def run() -> None:
            self._operation.answered = answered
            try:
                with self._turn:
                    operation()
            except Exception as error:
                if answered.is_set():
                    raise
                raised.append(error)
            finally:
                answered.set()

        Thread(target=run, name="stack operation", daemon=True).start()
        answered.wait()
        if raised:
            raise raised[0]

    def pause(self, seconds: float) -> None:
        """Let time pass, inside an operation."""
        self._turn.release()
        self._operation.answered.set()
        try:
            self._wait(seconds)
        finally:
            self._turn.acquire()
