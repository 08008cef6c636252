"""One machine with the deployed functions that keeps account: each call of a function, and each request that it made.

A function's call is measured where Lambda measures it, from the event's delivery to the answer, in a worker process of
its own that AWS's runtime client drives. What it took of a processor is the kernel's to say, and so is how long it was
ready to run while others ran: what is left is waiting, for the ledger and the clouds. A request is known to be a call's
by the trace that the tracer sends along (X-Amzn-Trace-Id), so it does not matter what else goes on at the same time.
"""

from __future__ import annotations

import json
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bench.request_units import INDEXED_BY, Item, Place, Requests, Units
from local.assembly import STATE
from local.elsewhere import FunctionsElsewhere
from local.http_server import environ_of
from local.lambda_runtime.functions import DeployedFunction
from local.lambda_runtime.outcomes import Outcome
from local.lambda_runtime.runtime import LambdaRuntime
from local.lambda_runtime.runtime_api import Event
from local.lambda_runtime.templates import WorkerProcess
from local.lambda_runtime.worker import Worker
from local.machine import ANY_PORTS, EVERYTHING_HERE, Machine
from local.timings import Timings
from local.worker_environment import PATIENCE

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from local.clock import WallClock

_TRACE: Final = re.compile(r"Root=([^;]+)")
_SERVICE: Final = re.compile(r"Credential=[^/]*/\d{8}/[^/]+/([^/]+)/aws4_request")
_CLOUD_SERVICES: Final = frozenset({"ec2", "pricing", "servicequotas", "sts"})
"""Those of AWS that are a cloud to provision on, rather than what skysaga itself runs on."""


_CHANGES: Final = re.compile(rb"\bAction=(Run|Terminate|Create|Delete|Attach|Detach|Modify)")
"""EC2's actions that are not Describe or Get; it is asked by POST for either."""


class Spent(NamedTuple):
    """Seconds of a process so far: on a processor, and ready to run without one."""

    processor: float
    delayed: float

    @classmethod
    def of(cls, pid: int) -> Spent:
        """Those of another process; its clock is made of its id as in clock_getcpuclockid(3)."""
        delayed = int(Path(f"/proc/{pid}/schedstat").read_text().split()[1])
        return cls(time.clock_gettime(~pid << 3 | 2), delayed / 1e9)


class Asked(Enum):
    """What a request asks for: something of a cloud, to look or to change, or of what skysaga itself runs on."""

    LOOK = "look"
    CHANGE = "change"
    OWN = "own"


class Request(NamedTuple):
    """A request that a call made: of which service, for what, and what DynamoDB charges for it."""

    service: str
    asked: Asked
    units: Units = Units()


@dataclass(frozen=True)
class Call:
    """One call of a function with `memory` MB; seconds, and `at` since the epoch.

    `text` is what it was given and what it answered. The `first` one of a process makes what the others find made;
    `starting` is what that process had taken of a processor before.
    """

    at: float
    function: str
    step: str
    memory: int
    trace: str
    text: str
    wall: float
    processor: float
    waiting: float
    first: bool
    starting: float


@dataclass
class Account:
    """What was seen so far."""

    calls: list[Call] = field(default_factory=list)
    requests: defaultdict[str, list[Request]] = field(default_factory=lambda: defaultdict(list))
    """By the trace of the call."""


class MeasuredWorker(Worker):
    """A worker whose calls are measured."""

    def __init__(self, function: DeployedFunction, start: Callable[[str], WorkerProcess], account: Account) -> None:
        super().__init__(function, start)
        self._account = account
        self._first = True

    def _deliver(self, event: Event) -> Outcome:
        before, began, at = Spent.of(self.process_id), time.monotonic(), time.time()
        outcome = super()._deliver(event)
        wall, after = time.monotonic() - began, Spent.of(self.process_id)
        processor, delayed = (late - early for late, early in zip(after, before, strict=True))
        call = Call(
            at=at,
            function=self.function.name,
            step=_step(json.loads(event.payload)),
            memory=self.function.memory,
            trace=_trace(event.trace_id),
            text=event.payload.decode() + outcome.payload.decode(),
            wall=wall,
            processor=processor,
            waiting=max(0.0, wall - processor - delayed),
            first=self._first,
            starting=before.processor,
        )
        self._account.calls.append(call)
        self._first = False
        return outcome


def _step(payload: Mapping[str, Any]) -> str:
    """What a function that does several things does in a call."""
    return str(payload.get("step") or payload.get("goal") or payload.get("routeKey") or "")


def _trace(header: str) -> str:
    found = _TRACE.search(header)
    return found[1] if found else ""


class MeasuredMachine(Machine):
    """One machine that keeps account, whose functions are as patient as deployed unless they are in a `hurry`."""

    def __init__(self, state: Path, timings: Timings, *, hurry: bool = False) -> None:
        self.account = Account()
        super().__init__(ANY_PORTS, EVERYTHING_HERE, state, timings=timings)
        for name in () if hurry else PATIENCE:
            del self.environment[name]

    def _runtime(self, url: str | None, clock: WallClock, logs: Path) -> LambdaRuntime | FunctionsElsewhere:
        def make_worker(function: DeployedFunction, start: Callable[[str], WorkerProcess]) -> Worker:
            return MeasuredWorker(function, start, self.account)

        return LambdaRuntime(
            self.functions, clock, STATE, logs, self.environment, import_anew=True, make_worker=make_worker
        )

    def _serve(self, app: WSGIApplication, port: int, name: str) -> str:
        if name in ("aws", "azure", "gcp"):
            app = Counted(app, name, self.account)
        return super()._serve(app, port, name)


class Counted:
    """A cloud, or the account: its requests are noted by their trace."""

    def __init__(self, app: WSGIApplication, cloud: str, account: Account) -> None:
        self._app = app
        self._cloud = cloud
        self._account = account
        self._requests = Requests(self._look, INDEXED_BY)
        self._signed: dict[str, str] = {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request, and note it if it is a function's."""
        trace = _trace(environ.get("HTTP_X_AMZN_TRACE_ID", ""))
        if not trace or environ["PATH_INFO"].startswith("/_"):
            return self._app(environ, start_response)
        signature = _SERVICE.search(environ.get("HTTP_AUTHORIZATION", ""))
        service = signature[1] if signature else self._cloud
        kept = self._account.requests[trace]
        if service != "dynamodb":
            kept.append(Request(service, self._asked(service, environ)))
            return self._app(environ, start_response)
        return self._dynamodb(environ, start_response, kept)

    def _dynamodb(
        self, environ: WSGIEnvironment, start_response: StartResponse, kept: list[Request]
    ) -> Iterable[bytes]:
        asked = environ["wsgi.input"].read()
        environ["wsgi.input"] = BytesIO(asked)
        self._signed = {"HTTP_AUTHORIZATION": environ["HTTP_AUTHORIZATION"]}
        operation = environ["HTTP_X_AMZ_TARGET"].rpartition(".")[2]
        answered = self._requests.passing(operation, json.loads(asked))
        answer = b"".join(self._app(environ, start_response))
        kept.append(Request("dynamodb", Asked.OWN, answered(json.loads(answer))))
        return [answer]

    def _asked(self, service: str, environ: WSGIEnvironment) -> Asked:
        if self._cloud != "aws":
            return Asked.LOOK if environ["REQUEST_METHOD"] == "GET" else Asked.CHANGE
        if service not in _CLOUD_SERVICES:
            return Asked.OWN
        body = environ["wsgi.input"].read()
        environ["wsgi.input"] = BytesIO(body)
        return Asked.CHANGE if _CHANGES.search(body) else Asked.LOOK

    def _look(self, places: Sequence[Place]) -> list[Item]:
        """Items, asked of the account in one request by the way that requests take, and not counted."""
        keys: defaultdict[str, list[Item]] = defaultdict(list)
        for table, key in places:
            keys[table].append(key)
        wanted = {table: {"Keys": them, "ConsistentRead": True} for table, them in keys.items()}
        asked = json.dumps({"RequestItems": wanted}).encode()
        headers = {
            "Host": "localhost",
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": "DynamoDB_20120810.BatchGetItem",
        }
        environ = environ_of("POST", "/", headers.items(), asked)
        environ |= {"SERVER_NAME": "localhost", "SERVER_PORT": "80", **self._signed}
        found = json.loads(b"".join(self._app(environ, _unanswered))).get("Responses", {})
        return [_with_key(found.get(table, ()), key) for table, key in places]


def _with_key(items: Iterable[Item], key: Item) -> Item:
    return next((it for it in items if key.items() <= it.items()), {})


def _unanswered(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Callable[[bytes], object]:
    return lambda data: None
