"""What a saga costs on AWS, counted from runs of what is deployed: one machine, its functions, its clouds, real time.

Counted are state transitions, Express executions with their seconds and bytes, calls of functions with what each took
of a processor and waited (`bench/measured.py`), requests to clouds, and DynamoDB's units and requests. What they cost,
and what the same saga, three machines that are looked at so often, costs elsewhere, says `bench/prices.py`.
"""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple, cast

import requests

from bench.api import Api
from bench.figure import Figure, limited, plain
from bench.measured import Asked, Call, MeasuredMachine, Request
from bench.prices import (
    CHANGE_SECONDS,
    COLD_SHARE,
    LOOK_SECONDS,
    PRICES_OF,
    VCPU_MB,
    Bill,
    Lambda,
    billed_seconds,
    express_megabytes,
    others,
)
from local.assembly import synthesize
from local.machine import Endpoints
from local.simulators.gcp import GcpTiming
from local.stepfunctions.runtime.execution import Execution
from local.timings import QUICK, Timings
from tests.simulation.requests import three_clouds

_TOGETHER: Final = "Step Functions and Lambda per 1,000 sagas"
_PAUSE_SECONDS: Final = 0.5
_LONGEST_SECONDS: Final = 600.0
_APART_SECONDS: Final = 3.0


class Bills(NamedTuple):
    """What a saga took in all, and how much of it was its roll-back, if it was."""

    saga: Bill
    roll_back: Bill


@dataclass(frozen=True)
class Pace:
    """How long the clouds take for a machine, in seconds, and for taking it away again."""

    creating: float
    deleting: float = 2.0

    def timings(self) -> Timings:
        """Clouds of that pace."""
        return Timings(
            aws={"RunInstances": self.creating, "TerminateInstances": self.deleting},
            azure=QUICK.azure.model_copy(update={"machine_create": self.creating, "machine_delete": self.deleting}),
            gcp=GcpTiming(instance_insert=self.creating, instance_delete=self.deleting),
        )


AT_THE_SECOND_LOOK: Final = Pace(3.0)
AFTER_A_MINUTE: Final = Pace(55.0)


class Laboratory:
    """A machine on which sagas run, and what they took."""

    def __init__(self, machine: MeasuredMachine, endpoints: Endpoints) -> None:
        self._machine = machine
        self._gcp = endpoints.gcp
        self._api = Api(endpoints.api)
        self._sagas: list[str] = []
        self._typical = Typical([])

    def settle(self) -> None:
        """Take the calls so far for how they go: later on, more goes on at a time than this machine can do."""
        self._typical = Typical(list(self._machine.account.calls))

    def submit(self, document: Mapping[str, Any], *, fails: Pace | None = None) -> str:
        """Submit a request and return its saga's id once all of its machines were asked for.

        Where it `fails`, Google's is out of capacity in the end, so that all is rolled back.
        """
        if fails:
            fault = {"operation": "instances.insert", "fault": "capacity", "delay": fails.creating}
            requests.post(f"{self._gcp}/_simulator/faults", json=[fault], timeout=10).raise_for_status()
        saga: str = self._api.call("POST", "/sagas", document)["id"]
        self._sagas.append(saga)
        wanted = len(document["resources"])
        _await(lambda: len([it for it in self._calls(saga) if it.function.endswith("-create")]) >= wanted)
        return saga

    def ended(self, saga: str, status: str) -> None:
        """Wait until a saga has ended so, and has been told of; raises RuntimeError when it ends otherwise."""
        _await(lambda: self._has_ended(saga))
        time.sleep(_APART_SECONDS)  # the stream gathers for a second what it hands over
        found = self._api.call("GET", f"/sagas/{saga}")["status"]
        if found != status:
            raise RuntimeError(f"the saga is {found}, so its figures would be of something else")

    def bills(self, saga: str) -> Bills:
        """What a saga took that has ended."""
        executions = self._executions(saga)
        releasing = [it for it in executions if it.origin.machine_name.startswith("skysaga-release")]
        began = min((it.started for it in releasing), default=time.time())
        calls = self._calls(saga)
        undoing = [it for it in calls if it.at >= began]
        return Bills(self._bill(saga, executions, calls), self._bill(saga, releasing, undoing))

    def _calls(self, saga: str) -> list[Call]:
        """The calls that are a saga's, whether alone or with others; not those of this program, which only looks."""
        calls = list(self._machine.account.calls)
        return [it for it in calls if saga in it.text and not it.step.startswith("GET ")]

    def _executions(self, saga: str) -> list[Execution]:
        return [it for it in self._machine.executions() if saga in it.input_text]

    def _has_ended(self, saga: str) -> bool:
        """Whether whatever was begun has ended: a provisioning that failed has begun the release by then."""
        return all(it.stopped is not None for it in self._executions(saga))

    def _share(self, saga: str, call: Call) -> float:
        """How much of a call is a saga's: the stream hands over records of several."""
        return call.text.count(saga) / sum(call.text.count(it) for it in self._sagas)

    def _bill(self, saga: str, executions: Collection[Execution], calls: Iterable[Call]) -> Bill:
        requests_of = self._machine.account.requests
        shared = [(self._share(saga, it), it, list(requests_of[it.trace])) for it in calls]
        asked = [(share, it.units) for share, _, made in shared for it in made if it.service == "dynamodb"]
        express = [it for it in executions if it.origin.express]
        seconds = {it.arn: ceil(10 * ((it.stopped or it.started) - it.started)) / 10 for it in express}
        looks = Counter(
            json.loads(it.text[: it.text.index("}") + 1])["resource_id"] for _, it, _ in shared if _looks(it)
        )
        return Bill(
            transitions=transitions(executions),
            express=len(express),
            express_seconds=sum(seconds.values()),
            express_gb_seconds=sum(seconds[it.arn] * _megabytes(it) / 1024 for it in express),
            functions=functions(self._typical, shared),
            looks=max(looks.values(), default=0),
            write_units=sum(share * units.write for share, units in asked),
            read_units=sum(share * units.read for share, units in asked),
            requests=sum(share for share, _ in asked),
        )


def _looks(call: Call) -> bool:
    return call.function.endswith("-observe") and call.step == "READY"


def _await(true: Callable[[], bool]) -> None:
    given_up = time.monotonic() + _LONGEST_SECONDS
    while not true():
        if time.monotonic() > given_up:
            raise RuntimeError("a saga does not get on, so there is nothing to count")
        time.sleep(_PAUSE_SECONDS)


def transitions(executions: Iterable[Execution]) -> int:
    """State transitions: each state entered, each retry, and one for each child of a Distributed Map."""
    found = list(executions)
    types = Counter(event.type for it in found if not it.origin.express for event in it.history.events)
    entered = sum(count for name, count in types.items() if name.endswith("StateEntered"))
    return entered + types["TaskScheduled"] - types["TaskStateEntered"] + sum(it.origin.express for it in found)


def _megabytes(execution: Execution) -> int:
    """All inputs and outputs in its history count as its data: more than it holds at any moment."""
    events = execution.history.events
    details = [event.details or {} for event in events]
    data = sum(len(str(it[name])) for it in details for name in ("input", "output", "parameters") if name in it)
    types = Counter(event.type for event in events)
    iterations = types["MapIterationStarted"] + types["ParallelStateStarted"]
    return express_megabytes(execution.origin.definition, data, iterations)


class Typical:
    """How calls go whose process has answered before, by what they do.

    What a call waits for is the same each time, apart from what else this machine is at: the median stands for all.
    """

    def __init__(self, calls: Iterable[Call]) -> None:
        self._calls = list(calls)
        self._warm: defaultdict[tuple[str, str], list[Call]] = defaultdict(list)
        for it in self._calls:
            if not it.first:
                self._warm[it.function, it.step].append(it)

    def processor(self, call: Call) -> float:
        """Seconds of a whole vCPU: a call's own, unless it is the first of its process."""
        return median(it.processor for it in self._alike(call)) if call.first else call.processor

    def waiting(self, call: Call) -> float:
        """Seconds that calls like this one wait."""
        return median(it.waiting for it in self._alike(call))

    def starting(self, call: Call) -> float:
        """Seconds of a vCPU that the first call of a process takes more: to start, and to make what the others find."""
        first = [it for it in self._calls if it.function == call.function and it.first] or [call]
        return max(0.0, median(it.starting + it.processor for it in first) - self.processor(call))

    def _alike(self, call: Call) -> Sequence[Call]:
        return self._warm[call.function, call.step] or [call]


def functions(typical: Typical, shared: Iterable[tuple[float, Call, Sequence[Request]]]) -> Lambda:
    """What calls took, of each a share, with the requests that each made."""
    calls = looks = changes = processor = gb_seconds = allowed = cold = 0.0
    for share, it, made in shared:
        gb, asked = it.memory / 1024, Counter(request.asked for request in made)
        answers = asked[Asked.LOOK] * LOOK_SECONDS + asked[Asked.CHANGE] * CHANGE_SECONDS
        billed = billed_seconds(typical.processor(it), typical.waiting(it) + answers, it.memory)
        calls += share
        looks += share * asked[Asked.LOOK]
        changes += share * asked[Asked.CHANGE]
        processor += share * typical.processor(it)
        gb_seconds += share * gb * billed
        allowed += share * gb * answers
        cold += share * gb * typical.starting(it) * VCPU_MB / it.memory
    return Lambda(calls, looks, changes, processor, gb_seconds, allowed, cold)


def machines(count: int) -> dict[str, Any]:
    """A request for so many machines, without disks, on three clouds in turn."""
    whole = three_clouds()
    alone = [{**it, "spec": {**it["spec"], "disks": []}} for it in whole["resources"] if it["kind"] == "instance"]
    resources = [{**alone[number % 3], "id": f"web-{number}"} for number in range(count)]
    return {**whole, "resources": resources}


GOALS: Final = {AT_THE_SECOND_LOOK: 0.40, AFTER_A_MINUTE: 0.70}
LOOKS: Final = {AT_THE_SECOND_LOOK: 2, AFTER_A_MINUTE: 6}
_FEW, _MORE, _MANY = 3, 9, 15


def figures() -> list[Figure]:
    """The three-cloud saga as it commits and rolls back, quickly and slowly, and what another machine costs."""
    return [it for pace in GOALS for it in measure(pace)]


def measure(pace: Pace) -> list[Figure]:
    """The figures of clouds of one pace. The first saga is there for the functions to have answered before."""
    with TemporaryDirectory() as state:
        machine = MeasuredMachine(Path(state), pace.timings())
        try:
            laboratory = Laboratory(machine, machine.deploy(synthesize()))
            warming = laboratory.submit(machines(_FEW), fails=pace)
            committed = laboratory.submit(machines(_FEW))
            failed = laboratory.submit(machines(_FEW), fails=pace)
            laboratory.ended(committed, "COMMITTED")
            for saga in (warming, failed):
                laboratory.ended(saga, "ROLLED_BACK")
            laboratory.settle()
            larger = {count: laboratory.submit(machines(count)) for count in (_MORE, _MANY) if _grows(pace)}
            for saga in larger.values():
                laboratory.ended(saga, "COMMITTED")
            few = laboratory.bills(committed).saga
            found = [*_committed(pace, few), *_rolled_back(pace, laboratory.bills(failed))]
            grown = {_FEW: few, **{count: laboratory.bills(saga).saga for count, saga in larger.items()}}
            return found + (_growth(grown) if larger else [])
        finally:
            machine.close()


def _grows(pace: Pace) -> bool:
    """What another machine costs does not depend on how long it takes, except for the looks at it."""
    return pace == AT_THE_SECOND_LOOK


def _committed(pace: Pace, bill: Bill) -> list[Figure]:
    name = f"three clouds, ready after {pace.creating:g} s"
    a_call = bill.functions.dollars / bill.functions.calls
    compared = {**_dollars(name, bill, GOALS[pace]), "peer": others(LOOKS[pace], pace.creating, a_call)}
    return [cast("Figure", compared), *_counts(name, bill, GOALS[pace])]


def _rolled_back(pace: Pace, bills: Bills) -> list[Figure]:
    name = f"three clouds, failed after {pace.creating:g} s"
    whole = plain(f"{_TOGETHER}: {name}, in all", bills.saga.together, "$", _method(bills.saga), 3)
    back = f"{name}, the roll-back"
    return [
        _dollars(back, bills.roll_back, GOALS[pace]),
        *_counts(back, bills.roll_back, GOALS[pace]),
        whole,
        *_counts(name, bills.saga),
    ]


def _dollars(name: str, bill: Bill, goal: float) -> Figure:
    return limited(f"{_TOGETHER}: {name}", bill.together, "$", goal, _method(bill), digits=3)


def _counts(name: str, bill: Bill, goal: float | None = None) -> list[Figure]:
    of = bill.functions
    units = f"{bill.write_units:.0f} write units and {bill.read_units:.1f} read units in {bill.requests:.0f} requests"
    cold = f"{COLD_SHARE:.0%} of {of.calls:.1f} calls, assumed; in no other figure; all of them are 100 times as much"
    found = [
        plain(f"state transitions: {name}", bill.transitions, "", _method(bill)),
        plain(f"Lambda GB-seconds: {name}", of.gb_seconds, "", _functions(of), 2),
        plain(f"cold starts per 1,000 sagas, outside of the total: {name}", bill.cold, "$", cold, 4),
        plain(f"DynamoDB per 1,000 sagas: {name}", bill.ledger, "$", units, 2),
    ]
    if goal is not None:
        what = f"how many times as long as allowed clouds may take, for ${goal:g}: {name}"
        found.append(plain(what, bill.slower(goal), "times", _functions(of)))
    return found


def _functions(of: Lambda) -> str:
    return (
        f"{of.calls:.1f} calls with {of.processor * 1000:.0f} ms of a vCPU in all, {of.looks:.0f} looks at clouds of"
        f" {LOOK_SECONDS:g} s and {of.changes:.0f} changes of {CHANGE_SECONDS:g} s (assumed), which are"
        f" {of.allowed:.2f} of {of.gb_seconds:.2f} GB-s"
    )


def _method(bill: Bill) -> str:
    return (
        f"{bill.transitions} state transitions, {bill.express} Express executions of {bill.express_seconds:.1f} s and"
        f" {bill.express_gb_seconds:.2f} GB-s; {_functions(bill.functions)}; at most {bill.looks} looks at a machine;"
        f" prices of {PRICES_OF}"
    )


def _growth(bills: Mapping[int, Bill]) -> list[Figure]:
    """What one more machine adds, between 3 and 9 and between 9 and 15: the same, where the growth is linear."""

    def each(fewer: int, more: int, dollars: Callable[[Bill], float]) -> float:
        return (dollars(bills[more]) - dollars(bills[fewer])) / (more - fewer)

    def figure(what: str, dollars: Callable[[Bill], float]) -> Figure:
        then = each(_MORE, _MANY, dollars)
        method = f"the slope from {_FEW} to {_MORE}; from {_MORE} to {_MANY} machines it is {then:.4f}"
        return plain(f"{what} for another machine", each(_FEW, _MORE, dollars), "$", method, 4)

    return [figure(_TOGETHER, lambda it: it.together), figure("DynamoDB per 1,000 sagas", lambda it: it.ledger)]
