"""One worker process, driven by the thread that makes the call: no event loop and no thread stands between them."""

from __future__ import annotations

import contextlib
import select
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable
from typing import IO, cast

from local.lambda_runtime import outcomes
from local.lambda_runtime.functions import DeployedFunction
from local.lambda_runtime.logs import InvocationLog
from local.lambda_runtime.outcomes import Outcome
from local.lambda_runtime.runtime_api import ACCEPTED, INIT_ERROR, NEXT, TOO_LARGE, Event, RequestParser, RuntimeRequest
from local.lambda_runtime.templates import INIT_SECONDS, WorkerProcess

_READ_BYTES = 262_144
_GLANCE_MILLISECONDS = 50


class WorkerGone(Exception):
    """The process ended between two calls, before it was given the event: another worker may have it."""


class _DeadlinePassed(Exception):
    pass


class _Exited(Exception):
    pass


class Worker:
    """A sandbox of one function version; one call at a time, and none after `alive` is false.

    Its process is what `start` makes of the address where events are to be asked for.
    """

    def __init__(self, function: DeployedFunction, start: Callable[[str], WorkerProcess]) -> None:
        self.function = function
        self._created = time.monotonic()
        self._initialized = False
        self._killed = False
        self._waiting: socket.socket | None = None
        self._messages: deque[tuple[socket.socket, RuntimeRequest]] = deque()
        self._print: Callable[[bytes], None] = lambda data: None
        self._selector = selectors.DefaultSelector()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        host, port = self._listener.getsockname()
        self._process = start(f"{host}:{port}")
        self._output = self._process.output
        self._selector.register(self._output, selectors.EVENT_READ, self._read_output)

    @property
    def alive(self) -> bool:
        """Whether the process can take another call."""
        return not self._killed and self._process.poll() is None

    @property
    def process_id(self) -> int:
        """The process id, also that of the group which holds everything the handler starts."""
        return self._process.pid

    def call(self, event: Event, log: InvocationLog) -> Outcome:
        """Run one event to its end, with `log` taking what is printed; raises WorkerGone if it was never delivered."""
        self._print = log.write
        try:
            first = not self._initialized
            cold_start = first and not self._was_ready_before()
            failed = self._initialize(event) if first else None
            if not first:
                self._await_next()
            init_seconds = time.monotonic() - self._created if cold_start else None
            log.started(event.request_id, self.function.version)
            started = time.monotonic()
            outcome = failed or self._deliver(event)
            seconds = time.monotonic() - started
            self._drain_output()
            log.ended(event.request_id, seconds, self.function.memory, init_seconds, outcome.failure)
            return outcome
        finally:
            self._print = lambda data: None

    def await_initialized(self, seconds: float) -> None:
        """Return once the process has asked for its first event, or ended; or, at the latest, after so long.

        It may be called meanwhile, and closed: what it connects to is only looked at here.
        """
        until = time.monotonic() + seconds
        with contextlib.suppress(OSError, ValueError):  # closed
            glance = select.poll()
            glance.register(self._listener, select.POLLIN)
            while not self._initialized and self.alive and time.monotonic() < until:
                if glance.poll(_GLANCE_MILLISECONDS):
                    return

    def kill(self) -> None:
        """SIGKILL the process and all it started; a call in progress ends with Runtime.ExitError."""
        if self.alive:
            self._killed = True
            self._process.kill()

    def close(self) -> None:
        """Kill the process, wait until it is gone and give everything back; not while a call is in progress."""
        self.kill()
        self._process.exit_code()
        for connection in [key.fileobj for key in self._selector.get_map().values()]:
            cast(socket.socket, connection).close()
        self._selector.close()
        self._process.close()
        self._listener.close()

    def _was_ready_before(self) -> bool:
        """Whether a worker that was started ahead of its first call has asked for it already."""
        with contextlib.suppress(_Exited):
            while not self._messages and self._selector.select(0):
                self._handle_ready(0)
        return bool(self._messages)

    def _initialize(self, event: Event) -> Outcome | None:
        """Wait until the worker asks for its first event; return how the call ended if it never will."""
        try:
            # A worker that was started ahead may have been left alone for longer than any call lasts.
            began = max(self._created + INIT_SECONDS, time.monotonic())
            connection, request = self._receive(began + self.function.timeout)
        except _DeadlinePassed:
            self.kill()
            return outcomes.timed_out(event.request_id, self.function.timeout)
        except _Exited:
            return outcomes.exited(event.request_id, self._process.exit_code())
        if request.path == INIT_ERROR:
            connection.sendall(ACCEPTED)
            self._drain_until_exit()
            return outcomes.initialization_failed(request, event.request_id)
        self._initialized = True
        self._waiting = connection
        return None

    def _await_next(self) -> None:
        try:
            # The client asks for its next event right after a response was accepted.
            self._waiting, request = self._receive(time.monotonic() + INIT_SECONDS)
        except (_DeadlinePassed, _Exited):
            raise WorkerGone from None
        if request.path != NEXT or not self.alive:
            raise WorkerGone

    def _deliver(self, event: Event) -> Outcome:
        deadline = time.monotonic() + self.function.timeout
        try:
            self._send(cast(socket.socket, self._waiting), event.encoded(), deadline)
            connection, request = self._receive(deadline)
        except _DeadlinePassed:
            self.kill()
            return outcomes.timed_out(event.request_id, self.function.timeout)
        except _Exited:
            return outcomes.exited(event.request_id, self._process.exit_code())
        outcome = outcomes.answered(request)
        with contextlib.suppress(OSError):
            connection.sendall(TOO_LARGE if "ResponseSizeTooLarge" in outcome.failure else ACCEPTED)
        return outcome

    def _send(self, connection: socket.socket, data: bytes, deadline: float) -> None:
        connection.settimeout(max(deadline - time.monotonic(), 0.001))
        try:
            connection.sendall(data)
        except TimeoutError:
            raise _DeadlinePassed from None
        except OSError:
            raise _Exited from None

    def _receive(self, deadline: float) -> tuple[socket.socket, RuntimeRequest]:
        """Return the worker's next request; raises _DeadlinePassed or, once nothing is left to read, _Exited."""
        while not self._messages:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise _DeadlinePassed
            self._handle_ready(remaining)
        return self._messages.popleft()

    def _handle_ready(self, timeout: float) -> None:
        ready = self._selector.select(timeout)
        for key, _ in ready:
            key.data(key.fileobj)
        # What the process sent before it ended counts: it has exited once it is gone and nothing is left to read.
        if self._process.poll() is not None and not self._messages and not self._selector.select(0):
            raise _Exited

    def _accept(self, listener: socket.socket) -> None:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        parser = RequestParser()

        def read(connection: socket.socket) -> None:
            try:
                data = connection.recv(_READ_BYTES)
            except OSError:
                data = b""
            if not data:
                self._selector.unregister(connection)
                connection.close()
                self._await_exit_without_output()
            elif request := parser.feed(data):
                self._messages.append((connection, request))

        self._selector.register(connection, selectors.EVENT_READ, read)

    def _read_output(self, output: IO[bytes]) -> None:
        data = output.read(_READ_BYTES)
        if data:
            self._print(data)
        elif data is not None:
            self._selector.unregister(output)
            self._await_exit_without_output()

    def _await_exit_without_output(self) -> None:
        # The output's end tells of the exit, a moment early; a handler that closed it leaves the connection's.
        if not self._has_output():
            self._process.wait(0.2)

    def _has_output(self) -> bool:
        return self._output.fileno() in self._selector.get_map()

    def _drain_output(self) -> None:
        while self._has_output() and (data := self._output.read(_READ_BYTES)):
            self._print(data)

    def _drain_until_exit(self) -> None:
        with contextlib.suppress(_Exited):
            deadline = time.monotonic() + INIT_SECONDS
            while time.monotonic() < deadline:
                self._handle_ready(1)
