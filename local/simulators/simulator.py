"""What every simulated cloud has around its own protocol: faults, effects that come late, a log, an inventory.

`GET /_simulator/resources` lists what exists; `POST /_simulator/faults` arms a list of faults, `DELETE` forgets them;
`GET /_simulator/log` lists every call with the fault that struck it.
"""

from __future__ import annotations

import json
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from io import BytesIO
from sys import intern
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pydantic import TypeAdapter, ValidationError
from werkzeug.wrappers import Request, Response

from local.clock import Clock
from local.http_server import DropConnection
from local.simulators.faults import Fault, FaultKind, Faults

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_FAULT_LIST = TypeAdapter(list[Fault])

MOST_LOGGED: Final = 20_000
"""Calls that the log keeps at least, the newest: a machine that runs for days must not grow by what was."""


class Call(NamedTuple):
    """One call as logged: when (Unix seconds), which operation, on what path, and the fault that struck it.

    `ids` are those by which a cloud's own log would know it: what it was sent to correlate with, and what it answered.
    """

    at: float
    operation: str
    method: str
    path: str
    fault: str | None
    status: int | None
    ids: Mapping[str, str] = {}


class _Late(NamedTuple):
    due: float
    request: Request


class Simulator(ABC):
    """A WSGI application: one cloud. Its state is a function of the calls it got and of the clock.

    Calls are handled one at a time. `sleep` is what a slow answer waits with.
    """

    def __init__(self, clock: Clock, sleep: Callable[[float], None]) -> None:
        self.clock = clock
        self.faults = Faults()
        self.log: list[Call] = []
        self._sleep = sleep
        self._late: list[_Late] = []
        self._lock = threading.RLock()

    @abstractmethod
    def operation(self, request: Request) -> str:
        """The cloud's own name for what a request asks, such as `instances.insert`."""

    @abstractmethod
    def handle(self, request: Request, fault: Fault | None) -> Response:
        """Answer a request; `fault` is one that the protocol itself must play: stale, fail or capacity."""

    @abstractmethod
    def throttled(self, request: Request) -> Response:
        """The cloud's own 429, with Retry-After."""

    @abstractmethod
    def unavailable(self, request: Request) -> Response:
        """The cloud's own 503."""

    @abstractmethod
    def quoting(self, body: str) -> Response:
        """The cloud's own 400 for a value that cannot be, which quotes it."""

    @abstractmethod
    def resources(self) -> list[dict[str, Any]]:
        """All that exists: dicts with at least `id`, `type`, `name`, `status` and `marks` (its tags or labels)."""

    def identify(self, request: Request, response: Response) -> Mapping[str, str]:
        """The ids by which the cloud knows a call that it answered; it may add them to the answer."""
        return {}

    def inventory(self) -> list[dict[str, Any]]:
        """All that exists now, late effects included."""
        with self._lock:
            self._apply_late_effects()
            return self.resources()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        request = Request(environ)
        request.get_data(cache=True)
        response = self._administer(request) if request.path.startswith("/_simulator/") else self._serve(request)
        return response(environ, start_response)

    def _serve(self, request: Request) -> Response:
        operation = self.operation(request)
        fault = self.faults.take(operation)
        if fault is not None and fault.fault is FaultKind.SLOW:
            self._sleep(fault.delay)
        with self._lock:
            self._apply_late_effects()
            status: int | None = None
            ids: Mapping[str, str] = {}
            try:
                response = self._answer(request, fault)
                status, ids = response.status_code, self.identify(request, response)
                return response
            finally:
                kind = fault.fault.value if fault else None
                method, path = intern(request.method), intern(request.full_path)  # the same ones over and over
                self._note(Call(self.clock.now(), intern(operation), method, path, kind, status, ids))

    def _note(self, call: Call) -> None:
        self.log.append(call)
        if len(self.log) > 2 * MOST_LOGGED:
            del self.log[:-MOST_LOGGED]

    def _answer(self, request: Request, fault: Fault | None) -> Response:
        match fault.fault if fault else None:
            case FaultKind.REFUSE:
                raise DropConnection
            case FaultKind.THROTTLE:
                return self.throttled(request)
            case FaultKind.ERROR:
                return self.unavailable(request)
            case FaultKind.QUOTE:
                return self.quoting(request.get_data(as_text=True))
            case FaultKind.LOST:
                self.handle(request, None)
                raise DropConnection
            case FaultKind.LATE:
                assert fault is not None  # noqa: S101 -- narrows for the type checker
                self._late.append(_Late(self.clock.now() + fault.delay, _copy(request)))
                raise DropConnection
            case FaultKind.TWICE:
                self.handle(_copy(request), None)
                return self.handle(request, None)
            case FaultKind.STALE | FaultKind.FAIL | FaultKind.CAPACITY:
                return self.handle(request, fault)
            case _:
                return self.handle(request, None)

    def _apply_late_effects(self) -> None:
        now = self.clock.now()
        due = sorted((late for late in self._late if late.due <= now), key=lambda late: late.due)
        self._late = [late for late in self._late if late.due > now]
        for late in due:
            self.handle(late.request, None)

    def _administer(self, request: Request) -> Response:
        match request.method, request.path.removeprefix("/_simulator/"):
            case "GET", "resources":
                return _json(self.inventory())
            case "GET", "log":
                return _json([call._asdict() for call in list(self.log)])
            case "POST", "faults":
                try:
                    self.faults.arm(_FAULT_LIST.validate_json(request.get_data()))
                except ValidationError as error:
                    return _json({"errors": error.errors(include_url=False, include_context=False)}, status=400)
                return Response(status=204)
            case "DELETE", "faults":
                self.faults.disarm()
                return Response(status=204)
            case _:
                return _json({"message": "resources, faults or log"}, status=404)


def _json(body: object, status: int = 200) -> Response:
    return Response(json.dumps(body, default=str), status=status, content_type="application/json")


def _copy(request: Request) -> Request:
    """The same request over again, whatever becomes of the connection it came on."""
    environ = {key: value for key, value in request.environ.items() if key != "werkzeug.request"}
    copy = Request({**environ, "wsgi.input": BytesIO(request.get_data())})
    copy.get_data(cache=True)
    return copy
