"""How soon a change is in `GET /sagas/{id}`, with fifty sagas at once on one machine.

Everything is real but the clouds: HTTP, the SDKs, the API's function, the state machines. The clouds take as long as
real ones and the functions are as patient as deployed, so that two cores can carry fifty sagas, which begin evenly
spread; whenever one has been released, another takes its place.

A change happens when a cloud answers: `accepted` is a create that the cloud took, `ready` a look that found a resource
ready. It is visible with the first answer of `GET /sagas/{id}` that shows it: the part among those `begun`, the status
`READY`. A reader, in a process of its own, begins to read when the change happens and reads without a pause until it
shows: what a reader that never sleeps would see, without the load of fifty of them.
"""

from __future__ import annotations

import json
import multiprocessing
import queue
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import unquote

from bench.api import Api, document
from bench.figure import Figure, limited, plain
from local.assembly import synthesize
from local.machine import ANY_PORTS, EVERYTHING_HERE, Machine
from local.simulators.gcp import GcpTiming
from local.timings import QUICK, Timings

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

GOAL_MS: Final = 100

_AT_ONCE: Final = 50
_SECONDS: Final = 120.0
"""How long it is measured, once so many are at work."""

_CREATING: Final = 60.0
_DELETING: Final = 20.0
_LIFE: Final = 130.0
"""About how long a saga takes from its submission until it is released."""

_LIKE_REAL_CLOUDS: Final = Timings(
    aws={"RunInstances": _CREATING, "TerminateInstances": _DELETING},
    azure=QUICK.azure.model_copy(update={"machine_create": _CREATING, "machine_delete": _DELETING}),
    gcp=GcpTiming(instance_insert=_CREATING, instance_delete=_DELETING),
)
_AS_DEPLOYED: Final = {"SKYSAGA_MIN_DELAY": "2", "SKYSAGA_MAX_DELAY": "60"}

_LOOK_SECONDS: Final = 2.0
_READERS: Final = 16
_GIVE_UP: Final = 10.0

_NAME: Final = re.compile(r"\b(s[0-9a-z]{15})-(aws|azure|gcp)\b")
ACCEPTED: Final = "accepted"
READY: Final = "ready"


class Change(NamedTuple):
    """Something that happened to a resource of a saga: in Unix seconds, after so many accepted creates."""

    at: float
    kind: str
    saga: str
    resource: str
    creates: int


class Watched:
    """A cloud, or the account with EC2 in it, whose answers are told as the changes that they are."""

    def __init__(self, app: WSGIApplication, tell: Callable[[Change], None]) -> None:
        self._app = app
        self._tell = tell
        self._lock = threading.Lock()
        self._seen: set[tuple[str, ...]] = set()
        self._counts: Counter[tuple[str, str]] = Counter()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request, then tell."""
        if "HTTP_X_AMZ_TARGET" in environ or environ["PATH_INFO"].startswith("/_"):  # of another service, or no cloud's
            return self._app(environ, start_response)
        asked = environ["wsgi.input"].read()
        environ["wsgi.input"] = BytesIO(asked)
        statuses: list[str] = []

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Callable[[bytes], object]:
            statuses.append(status)
            return start_response(status, headers, exc_info)

        answered = b"".join(self._app(environ, start))
        if statuses[-1].startswith("2"):
            self._note(time.time(), environ, asked, answered)
        return [answered]

    def _note(self, at: float, environ: WSGIEnvironment, asked: bytes, answered: bytes) -> None:
        line = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
        kind = _kind(line, asked, answered)
        if kind is None or (named := _NAME.search(f"{line} {unquote(asked.decode())} {answered.decode()}")) is None:
            return
        saga, resource = named.groups()
        what = (kind, saga, resource, line if kind == ACCEPTED else "")
        with self._lock:
            if what in self._seen:
                return
            self._seen.add(what)
            self._counts[saga, resource] += kind == ACCEPTED
            count = self._counts[saga, resource]
        self._tell(Change(at, kind, saga, resource, count))


def _kind(line: str, asked: bytes, answered: bytes) -> str | None:
    """What a call was that went well: a create, a look that found a machine ready, or None for anything else."""
    if asked.startswith(b"Action=RunInstances") or re.match(r"PUT .*/(virtualMachines|networkInterfaces)/", line):
        return ACCEPTED
    if re.match(r"POST .*/instances$", line):
        return ACCEPTED
    by_id = asked.startswith(b"Action=DescribeInstances") and b"InstanceId.1=" in asked
    if by_id and b"<name>running</name>" in answered:
        return READY
    if re.match(r"GET .*/virtualMachines/[^/]+$", line) and json.loads(answered)["properties"]["provisioningState"] == (
        "Succeeded"
    ):
        return READY
    if re.match(r"GET .*/instances/[^/]+$", line) and json.loads(answered)["status"] == "RUNNING":
        return READY
    return None


class WatchedMachine(Machine):
    """One machine whose clouds' answers are told."""

    def __init__(self, tell: Callable[[Change], None], state: Path) -> None:
        self._tell = tell
        super().__init__(ANY_PORTS, EVERYTHING_HERE, state, timings=_LIKE_REAL_CLOUDS)
        self.environment.update(_AS_DEPLOYED)

    def _serve(self, app: WSGIApplication, port: int, name: str) -> str:
        return super()._serve(Watched(app, self._tell) if name in ("aws", "azure", "gcp") else app, port, name)


def _run_machine(pipe: Connection) -> None:
    """Run a machine, tell where its API is and then what changes, until something is said."""
    lock = threading.Lock()

    def tell(what: Any) -> None:
        with lock:
            pipe.send(what)

    with TemporaryDirectory() as state:
        machine = WatchedMachine(tell, Path(state))
        try:
            endpoints = machine.deploy(synthesize())
            machine.settle()
            tell(endpoints.api)
            pipe.recv()
        finally:
            machine.close()


def shows(page: Mapping[str, Any], change: Change) -> bool:
    """Whether a saga's page shows a change, or what can only come after it."""
    resource = next(it for it in page["resources"] if it["id"] == change.resource)
    if change.kind == ACCEPTED:
        return len(resource["begun"]) >= change.creates
    return resource["ready_at"] is not None


class Seen(NamedTuple):
    """A change, how long it took to be visible in seconds, and how many answers did not show it yet."""

    change: Change
    seconds: float
    before: int


def read_until_visible(api: Api, change: Change) -> Seen:
    """Read the saga's page without a pause until it shows the change."""
    before = 0
    while not shows(api.call("GET", f"/sagas/{change.saga}"), change) and time.time() < change.at + _GIVE_UP:
        before += 1
    return Seen(change, time.time() - change.at, before)


class Sagas:
    """As many sagas at once as are wanted: provisioned, then destroyed, then another in its place."""

    def __init__(self, api: Api, at_once: int) -> None:
        self._api = api
        self._at_once = at_once
        self._statuses: dict[str, str] = {}
        self._destroyed: set[str] = set()

    def run(self, seconds: float) -> Iterator[int]:
        """Keep them going; yields every now and then how many are at work."""
        began = time.monotonic()
        while (now := time.monotonic()) < began + seconds:
            alive = [it for it, status in self._statuses.items() if status != "RELEASED"]
            due = min(self._at_once, int((now - began) / _LIFE * self._at_once) + 1)
            for _ in range(due - len(alive)):
                self._statuses[self._api.call("POST", "/sagas", document())["id"]] = "PENDING"
            yield len(alive)
            time.sleep(min(_LOOK_SECONDS, _LIFE / self._at_once))
            self._look()

    def _look(self) -> None:
        for it in self._api.call("GET", "/sagas?limit=100")["items"]:
            self._statuses[it["id"]] = it["status"]
            if it["status"] in ("ROLLED_BACK", "NEEDS_ATTENTION"):
                raise RuntimeError(f"saga {it['id']} is {it['status']}, so the figures would be of something else")
            if it["status"] == "COMMITTED" and it["id"] not in self._destroyed:
                self._destroyed.add(it["id"])
                self._api.call("DELETE", f"/sagas/{it['id']}")


@contextmanager
def running() -> Iterator[tuple[Api, queue.SimpleQueue[Change | None]]]:
    """A machine in another process: its API, and what changes."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_run_machine, args=(theirs,))
    process.start()
    theirs.close()
    changes: queue.SimpleQueue[Change | None] = queue.SimpleQueue()

    def receive() -> None:
        while True:
            try:
                changes.put(ours.recv())
            except EOFError:
                return

    try:
        api = Api(ours.recv())
        threading.Thread(target=receive, daemon=True).start()
        yield api, changes
    finally:
        ours.send("enough")
        process.join()


def measure(at_once: int, seconds: float) -> tuple[list[Seen], int, float]:
    """What was seen while so many sagas were at work, the fewest that were, and the share of the cores in use."""
    seen: list[Seen] = []
    least, busy = at_once, (0.0, 0.0)
    with running() as (api, changes), _reading(api, changes, seen):
        full_at = time.time() + _LIFE
        for alive in Sagas(api, at_once).run(_LIFE + seconds):
            if time.time() > full_at:
                busy = busy if busy[1] else _processor_time()
                least = min(least, alive)
        used, passed = (after - before for after, before in zip(_processor_time(), busy, strict=True))
    return [it for it in seen if it.change.at > full_at], least, used / passed


@contextmanager
def _reading(api: Api, changes: queue.SimpleQueue[Change | None], seen: list[Seen]) -> Iterator[None]:
    """Read whatever changes until it is visible, as long as the context lasts."""

    def read() -> None:
        with ThreadPoolExecutor(_READERS) as readers:
            while (change := changes.get()) is not None:
                readers.submit(lambda it: seen.append(read_until_visible(api, it)), change)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield
    finally:
        changes.put(None)
        thread.join()


def _processor_time() -> tuple[float, float]:
    """What all cores have worked and what has passed on them, in ticks: proc_stat(5)."""
    ticks = [float(it) for it in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


def figures() -> list[Figure]:
    """The 99th percentile against its goal, and what is beside it."""
    seen, least, busy = measure(_AT_ONCE, _SECONDS)
    took = [it.seconds * 1000 for it in seen]
    kinds = Counter(it.change.kind for it in seen)
    method = (
        f"{kinds[ACCEPTED]} creates accepted and {kinds[READY]} looks that found one ready, never fewer than {least}"
        f" sagas at work; a reader that does not sleep; the cores were {busy:.0%} busy"
    )
    name = f"visibility in GET /sagas/ID, {_AT_ONCE} sagas at once"
    return [
        limited(f"{name}, p99", quantiles(took, n=100)[98], "ms", GOAL_MS, method),
        plain(f"{name}, median", median(took), "ms", method),
        plain(f"{name}, longest", max(took), "ms", method),
        *(
            plain(
                f"{name}, {kind}, median",
                median(it.seconds * 1000 for it in seen if it.change.kind == kind),
                "ms",
                method,
            )
            for kind in (ACCEPTED, READY)
        ),
    ]
