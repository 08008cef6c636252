"""How sagas grow: one request of 10 to 1,000 resources, or of any number, on one machine with functions as deployed.

Each is run twice: once it commits, once its last resource fails when all others are ready, and all of them are rolled
back. Disks are created on Google Cloud, whose simulator answers as quickly with many when it is asked for one; the
last resource is an instance with one of them. Counted are the events and the largest payload of an execution, the
ledger's requests, what the machine and its functions have in memory at most, and what they take of the processors:
a function's process that ended meanwhile is not among them.

    python -m bench scale             # up to 1,000
    python -m bench.scale 5000        # so many
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

import requests

from bench.api import Api
from bench.figure import Figure, limited, plain
from bench.foreground import descendants, proportional, resident
from bench.measured import MeasuredMachine, Spent
from bench.request_units import Units
from local.assembly import synthesize
from local.heap import give_back_unused
from local.machine import Endpoints
from local.stepfunctions.runtime.execution import Execution
from local.timings import QUICK

SIZES: Final = (10, 100, 1_000)
EVENTS_LIMIT: Final = 25_000
PAYLOAD_LIMIT: Final = 256 * 1024
_AT_LEAST_AS_CHEAP: Final = 1.1
"""By how much a resource of a large saga may cost more than one of a small saga: the noise of looks and retries."""

_ZONE: Final = "europe-west1-b"
_LOOK_SECONDS: Final = 1.0
_LONGEST_SECONDS: Final = 3_600.0
_LONGEST_SECONDS_OF_EACH: Final = 1.0


class Ledger(NamedTuple):
    """What was asked of the ledger."""

    requests: int
    units: Units


class Worked(NamedTuple):
    """Seconds of a processor: of this process, which is the machine, and of its functions."""

    machine: float
    functions: float


@dataclass
class Run:
    """What a saga took until its ending; seconds, bytes and MiB."""

    resources: int
    ending: str
    accepted: float = 0.0
    seconds: float = 0.0
    events: int = 0
    payload: int = 0
    executions: int = 0
    ledger: Ledger = field(default_factory=lambda: Ledger(0, Units()))
    machine: float = 0.0
    functions: float = 0.0
    worked: Worked = field(default_factory=lambda: Worked(0.0, 0.0))


def request(resources: int) -> dict[str, Any]:
    """So many resources, the last of which is created when all others are ready."""
    disks = [
        {"id": f"disk-{number}", "provider": "gcp", "kind": "disk", "zone": _ZONE, "spec": {"size_gb": 10}}
        for number in range(resources - 1)
    ]
    spec = {"size": "e2-micro", "image": "projects/debian-cloud/global/images/family/debian-12"}
    web = {"id": "web", "provider": "gcp", "kind": "instance", "zone": _ZONE, "spec": {**spec, "disks": ["disk-0"]}}
    return {"name": "scale", "resources": [*disks, web]}


def _alone(resources: int, *, fails: bool) -> Run:
    """Measure in a process of its own, which has nothing in memory of another machine."""
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        return process.submit(measure, resources, fails=fails).result()


def measure(resources: int, *, fails: bool) -> Run:
    """Run one saga on a machine that this process is for, and that does with memory what one machine does."""
    give_back_unused()
    with TemporaryDirectory() as state:
        machine = MeasuredMachine(Path(state), QUICK, hurry=True)
        try:
            endpoints = machine.deploy(synthesize())
            machine.settle()
            return _measured(machine, endpoints, resources, fails=fails)
        finally:
            machine.close()


def _measured(machine: MeasuredMachine, endpoints: Endpoints, resources: int, *, fails: bool) -> Run:
    run = Run(resources, "ROLLED_BACK" if fails else "COMMITTED")
    api = Api(endpoints.api)
    if fails:
        fault = [{"operation": "instances.insert", "fault": "capacity"}]
        requests.post(f"{endpoints.gcp}/_simulator/faults", json=fault, timeout=10).raise_for_status()
    worked = _worked()
    with _watched(run):
        began = time.monotonic()
        saga: str = api.call("POST", "/sagas", request(resources))["id"]
        run.accepted = time.monotonic() - began
        ended = api.ended(saga, seconds=max(_LONGEST_SECONDS, _LONGEST_SECONDS_OF_EACH * resources), undaunted=True)
        run.seconds = time.monotonic() - began
    run.worked = _since(worked)
    if ended != run.ending:
        raise RuntimeError(f"the saga is {ended}, so its figures would be of something else")
    executions = [it for it in machine.executions() if saga in str(it.history.events[0].details)]
    run.executions = len(executions)
    run.events = max(len(it.history) for it in executions if not it.origin.express)
    run.payload = max(_payloads(executions))
    made = list(machine.account.requests.values())  # which others go on adding to
    asked = [it.units for call in made for it in call if it.service == "dynamodb"]
    units = Units(sum(it.read for it in asked), sum(it.write for it in asked))
    run.ledger = Ledger(len(asked), units)
    return run


def _worked() -> dict[int, float]:
    """The seconds of a processor that each process has taken so far: this one, and those that it has started."""
    found = {os.getpid(): time.process_time()}
    for child in descendants(os.getpid()):
        with suppress(OSError):  # it has ended meanwhile
            found[child] = Spent.of(child).processor
    return found


def _since(before: Mapping[int, float]) -> Worked:
    grown = {process: seconds - before.get(process, 0.0) for process, seconds in _worked().items()}
    machine = grown.pop(os.getpid())
    return Worked(machine, sum(grown.values()))


def _payloads(executions: Iterable[Execution]) -> Iterator[int]:
    for execution in executions:
        for event in execution.history:
            for name in ("input", "output", "parameters", "cause"):
                yield len(str((event.details or {}).get(name, "")).encode())


@contextmanager
def _watched(run: Run) -> Iterator[None]:
    """Look every second at what this process, which is the machine, and its functions have in memory."""
    over = threading.Event()

    def look() -> None:
        while not over.wait(_LOOK_SECONDS):
            run.machine = max(run.machine, resident(os.getpid()))
            run.functions = max(run.functions, sum(map(proportional, descendants(os.getpid()))))

    watching = threading.Thread(target=look)
    watching.start()
    try:
        yield
    finally:
        over.set()
        watching.join()


def figures(sizes: Iterable[int] = SIZES) -> list[Figure]:
    """Each size, committed and rolled back; and whether a resource costs more in a larger saga."""
    found: list[Figure] = []
    for fails in (False, True):
        runs = []
        for size in sizes:
            runs.append(_alone(size, fails=fails))
            found += _of(runs[-1])
            print(runs[-1], file=sys.stderr, flush=True)  # whatever becomes of the runs that are to come
        if len(runs) > 1:
            found.append(_growth(runs))
    return found


def _of(run: Run) -> list[Figure]:
    name = f"{run.resources:,} resources, {run.ending.lower().replace('_', ' ')}"
    method = (
        f"{run.executions} executions; the ledger: {run.ledger.requests} requests,"
        f" {run.ledger.units.write} units of writing and {run.ledger.units.read:.0f} of reading"
    )
    each = run.ledger.requests / run.resources
    return [
        limited(f"{name}: events of the longest history", run.events, "", EVENTS_LIMIT, method, 0),
        limited(f"{name}: largest payload", run.payload, "bytes", PAYLOAD_LIMIT, method, 0),
        plain(f"{name}: until accepted", run.accepted, "s", method, 2),
        plain(f"{name}: until it has ended", run.seconds, "s", method),
        plain(f"{name}: ledger requests a resource", each, "", method),
        plain(f"{name}: units of writing a resource", run.ledger.units.write / run.resources, "", method),
        plain(
            f"{name}: the machine's processor time a resource", 1_000 * run.worked.machine / run.resources, "ms", method
        ),
        plain(f"{name}: the functions' a resource", 1_000 * run.worked.functions / run.resources, "ms", method),
        plain(f"{name}: memory of the machine", run.machine, "MiB", method, 0),
        plain(f"{name}: memory of the functions", run.functions, "MiB", method, 0),
    ]


def _growth(runs: list[Run]) -> Figure:
    least, most = runs[0], runs[-1]
    a_resource = [it.ledger.units.write / it.resources for it in (least, most)]
    return limited(
        f"a resource of {most.resources:,} by one of {least.resources:,}, {most.ending.lower().replace('_', ' ')}:"
        " units of writing",
        a_resource[1] / a_resource[0],
        "times",
        _AT_LEAST_AS_CHEAP,
        "the ledger's units by the number of resources",
        2,
    )


if __name__ == "__main__":
    from bench.__main__ import table

    print(table(figures([int(size) for size in sys.argv[1:]])))
