"""What a saga costs on AWS, counted: the real definitions and handlers on the real ledger, in virtual time.

Prices are us-east-1's, in dollars, as published on PRICES_OF; free tiers are left out. How long a function runs depends
on how long the clouds take to answer, which nothing here can tell, and how much memory an Express execution takes is
AWS's to say: `SECONDS_A_STEP` and `EXPRESS_GB` are assumptions.

The others are priced by the same table for the same saga, three machines that are looked at so often: `others`.
"""

from __future__ import annotations

import inspect
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from math import ceil
from typing import Any, Final, NamedTuple, cast

import boto3

from bench.figure import Figure, limited, plain
from lambdas.adapters.ledger import DynamoLedger
from lambdas.adapters.observability import StepHandler
from lambdas.adapters.steps import Surroundings
from lambdas.core.ports.clock import Clock
from local.aws.account import create_app
from local.clock import VirtualClock
from local.http_server import serve
from local.simulators.azure import AzureSimulatorSettings
from local.simulators.faults import Fault, FaultKind
from local.simulators.gcp import GcpTiming
from local.stepfunctions.runtime.execution import Execution
from tests.contract.cloud import CloudUnderTest
from tests.contract.test_ledger_contract import TABLE, create_table
from tests.fakes.ledger import FakeLedger
from tests.simulation.requests import three_clouds
from tests.simulation.world import World, three_empty_clouds

PRICES_OF: Final = "2026-06"
A_TRANSITION: Final = 25e-6
AN_INVOCATION: Final = 0.20e-6
A_GB_SECOND: Final = 13.3334e-6
A_WRITE_UNIT: Final = 0.625e-6
A_READ_UNIT: Final = 0.125e-6

MEMORY_GB: Final = 0.25
SECONDS_A_STEP: Final = 0.2
AN_EXPRESS_EXECUTION: Final = 1e-6
AN_EXPRESS_GB_SECOND: Final = 16.67e-6
EXPRESS_GB: Final = 0.0625
"""The smallest chunk that Express executions are charged by: https://aws.amazon.com/step-functions/pricing/."""
A_DURABLE_OPERATION: Final = 8e-6
A_TEMPORAL_ACTION: Final = 50e-6

_SAGAS: Final = 1000
_TOGETHER: Final = "Step Functions and Lambda per 1,000 sagas"
_IN_A_TRANSACTION: Final = 2


class CountedDynamo:
    """A DynamoDB client that adds up the request units of what passes through it."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.exceptions = client.exceptions
        self.requests = 0
        self.read_units = 0.0
        self.write_units = 0

    def get_item(self, **wanted: Any) -> Any:
        """A strongly consistent read."""
        answer = self._call("get_item", wanted)
        self.read_units += _read_units(answer.get("Item", {}))
        return answer

    def query(self, **wanted: Any) -> Any:
        """Reads that are paid for together, by their size; half where they need not be of this moment."""
        answer = self._call("query", wanted)
        together = sum(map(_size, answer["Items"]))
        self.read_units += max(1, ceil(together / 4096)) * (1 if wanted.get("ConsistentRead") else 0.5)
        return answer

    def batch_get_item(self, **wanted: Any) -> Any:
        """Strongly consistent reads that are paid for each, whether there is an item or not."""
        answer = self._call("batch_get_item", wanted)
        asked = sum(len(of["Keys"]) for of in wanted["RequestItems"].values())
        found = [item for items in answer["Responses"].values() for item in items]
        self.read_units += sum(map(_read_units, found)) + asked - len(found)
        return answer

    def transact_get_items(self, **wanted: Any) -> Any:
        """Reads that cost twice as much."""
        answer = self._call("transact_get_items", wanted)
        self.read_units += _IN_A_TRANSACTION * sum(_read_units(it.get("Item", {})) for it in answer["Responses"])
        return answer

    def transact_write_items(self, **wanted: Any) -> Any:
        """Writes that cost twice as much, cancelled or not; a header is written to both indexes as well."""
        try:
            return self._call("transact_write_items", wanted)
        finally:
            for action in wanted["TransactItems"]:
                item = action["Put"]["Item"] if "Put" in action else self._updated(action["Update"])
                indexes = ("status" in item) + ("caller" in item)
                self.write_units += (_IN_A_TRANSACTION + indexes) * _write_units(item)

    def _updated(self, update: Mapping[str, Any]) -> Mapping[str, Any]:
        """The item as an update left it: all of it is paid for. This look is not counted."""
        answer = self._client.get_item(TableName=update["TableName"], Key=update["Key"])
        item: Mapping[str, Any] = answer.get("Item", {})
        return item

    def _call(self, name: str, wanted: Mapping[str, Any]) -> Any:
        self.requests += 1
        return getattr(self._client, name)(**wanted)


def _size(item: Mapping[str, Mapping[str, str]]) -> int:
    return sum(len(name) + len(str(value)) for name, typed in item.items() for value in typed.values())


def _read_units(item: Mapping[str, Any]) -> int:
    return max(1, ceil(_size(item) / 4096))


def _write_units(item: Mapping[str, Any]) -> int:
    return max(1, ceil(_size(item) / 1024))


@dataclass
class CountedWorld(World):
    """A World whose ledger is the real one."""

    endpoint: str = ""
    dynamo: CountedDynamo = field(init=False)

    def make_ledger(self, clock: Clock) -> FakeLedger:
        """The ledger as deployed, on a table that counts."""
        client = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=self.endpoint)
        create_table(client)
        self.dynamo = CountedDynamo(client)
        return cast("FakeLedger", DynamoLedger(cast("Any", self.dynamo), TABLE, clock))

    def _make_handlers(self, surroundings: Surroundings) -> Iterator[tuple[str, StepHandler]]:
        """The handlers without Powertools, which would print its metrics among the figures."""
        for name, handler in super()._make_handlers(surroundings):
            yield name, inspect.unwrap(handler)


@dataclass(frozen=True)
class Bill:
    """What one saga took; `express_seconds` in all, of so many executions, each rounded up to 100 ms."""

    transitions: int
    express: int
    express_seconds: float
    invocations: int
    looks: int
    write_units: int
    read_units: float
    requests: int

    @property
    def step_functions(self) -> float:
        """Dollars per thousand sagas for the state machines."""
        express = self.express * AN_EXPRESS_EXECUTION + self.express_seconds * EXPRESS_GB * AN_EXPRESS_GB_SECOND
        return _SAGAS * (self.transitions * A_TRANSITION + express)

    @property
    def functions(self) -> float:
        """Dollars per thousand sagas for their functions, by the assumption on how long a step takes."""
        return _SAGAS * functions(self.invocations)

    @property
    def together(self) -> float:
        """Dollars per thousand sagas for both."""
        return self.step_functions + self.functions

    @property
    def ledger(self) -> float:
        """Dollars per thousand sagas for the ledger."""
        return _SAGAS * (self.write_units * A_WRITE_UNIT + self.read_units * A_READ_UNIT)


def functions(invocations: int, seconds: float = SECONDS_A_STEP) -> float:
    """Dollars for so many runs of a function of 256 MB."""
    return invocations * (AN_INVOCATION + seconds * MEMORY_GB * A_GB_SECOND)


def others(looks: int, seconds: float) -> dict[str, float]:
    """Dollars per thousand sagas elsewhere: three machines, each ready at that look, the last after so many seconds.

    A create, its looks and a decision are a function's run each. A plain definition enters, for each machine, a state
    for the create, the end, and for each look the wait and the look, with a choice around; one that polls by Retry
    one for each look. Durable functions are charged by operation, Temporal Cloud by action, a timer included.
    """
    calls = 3 * (2 + looks) + 1
    express = AN_EXPRESS_EXECUTION + seconds * EXPRESS_GB * AN_EXPRESS_GB_SECOND
    timers = 3 * (looks - 1)
    dollars = {
        "a plain definition": (3 + 3 * (4 + 2 * looks)) * A_TRANSITION + functions(calls),
        "polling by Retry": (8 + 3 * looks) * A_TRANSITION + functions(calls),
        "an Express execution for each machine": 5 * A_TRANSITION + 3 * express + functions(calls),
        "durable functions": (1 + calls + timers) * A_DURABLE_OPERATION + functions(1 + timers),
        "Temporal Cloud": (1 + calls + timers) * A_TEMPORAL_ACTION,
    }
    return {name: round(_SAGAS * it, 2) for name, it in dollars.items()}


@dataclass(frozen=True)
class Pace:
    """How long the clouds take for a machine, in seconds, and for taking it away again."""

    creating: float
    deleting: float = 2.0

    def clouds(self) -> AbstractContextManager[tuple[VirtualClock, Mapping[str, CloudUnderTest]]]:
        """Three empty clouds of that pace; on Azure the machine begins at the first look, after its interface."""
        return three_empty_clouds(
            aws={"RunInstances": self.creating, "TerminateInstances": self.deleting},
            azure=AzureSimulatorSettings(machine_create=self.creating / 2, machine_delete=self.deleting),
            gcp=GcpTiming(instance_insert=self.creating, instance_delete=self.deleting),
        )


AT_THE_SECOND_LOOK: Final = Pace(3.0)
AFTER_A_MINUTE: Final = Pace(55.0)


class Bills(NamedTuple):
    """What a saga took in all, and how much of it was its roll-back."""

    saga: Bill
    roll_back: Bill


def bills_of(document: Mapping[str, Any], pace: Pace, *, fails: bool = False) -> Bills:
    """Provision a request; `fails`: its last machine is out of capacity in the end, so that all is rolled back."""
    with pace.clouds() as (clock, clouds), serve(create_app(clock)) as account:
        if fails:
            capacity = Fault(operation="instances.insert", fault=FaultKind.CAPACITY, delay=pace.creating)
            clouds["gcp"].arm([capacity])
        world = CountedWorld(clock, clouds, endpoint=account.url)
        status = world.provision(document).saga.status
        if status != ("ROLLED_BACK" if fails else "COMMITTED"):
            raise RuntimeError(f"the saga is {status}, so its figures would be of something else")
        executions, calls = list(world.engine.core.executions), world.calls
        whole = _bill(world, executions, calls)
        releasing = [it for it in executions if it.origin.machine_name.startswith("skysaga-release")]
        roll_back = _bill(world, releasing, [it for it in calls if _releases(*it)])
        world.engine.close()
    return Bills(whole, roll_back)


def _releases(function: str, payload: Mapping[str, Any]) -> bool:
    of_saga = payload.get("step") in ("fence", "conclude", "stick")
    return of_saga or function.endswith("-delete") or payload.get("goal") == "ABSENT"


def _bill(world: CountedWorld, executions: Iterable[Execution], calls: Sequence[tuple[str, Mapping[str, Any]]]) -> Bill:
    """What some executions took with their calls; the ledger is counted as a whole."""
    looks = Counter(payload.get("resource_id") for name, payload in calls if name.endswith("-observe"))
    express = [it for it in executions if it.origin.express]
    standard = Counter(event.type for it in executions if not it.origin.express for event in it.history.events)
    entered = sum(count for name, count in standard.items() if name.endswith("StateEntered"))
    retries = standard["TaskScheduled"] - standard["TaskStateEntered"]
    return Bill(
        transitions=entered + retries + len(express),  # a Map's child is charged as one
        express=len(express),
        express_seconds=sum(ceil(10 * ((it.stopped or it.started) - it.started)) / 10 for it in express),
        invocations=len(calls),
        looks=max(looks.values(), default=0),
        write_units=world.dynamo.write_units,
        read_units=world.dynamo.read_units,
        requests=world.dynamo.requests,
    )


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
    logging.disable(logging.CRITICAL)
    return [*(it for pace in GOALS for it in (*_committed(pace), *_rolled_back(pace))), *_growth()]


def _committed(pace: Pace) -> list[Figure]:
    bill = bills_of(machines(3), pace).saga
    name = f"three clouds, ready after {pace.creating:g} s"
    compared = {**_dollars(name, bill, GOALS[pace]), "peer": others(LOOKS[pace], pace.creating)}
    return [cast("Figure", compared), *_counts(name, bill)]


def _rolled_back(pace: Pace) -> list[Figure]:
    bills = bills_of(machines(3), pace, fails=True)
    name = f"three clouds, failed after {pace.creating:g} s"
    whole = plain(f"{_TOGETHER}: {name}, in all", bills.saga.together, "$", _method(bills.saga), 3)
    return [_dollars(f"{name}, the roll-back", bills.roll_back, GOALS[pace]), whole, *_counts(name, bills.saga)]


def _dollars(name: str, bill: Bill, goal: float) -> Figure:
    return limited(f"{_TOGETHER}: {name}", bill.together, "$", goal, _method(bill), digits=3)


def _counts(name: str, bill: Bill) -> list[Figure]:
    requests = f"{bill.write_units} write units and {bill.read_units:g} read units in {bill.requests} requests"
    return [
        plain(f"state transitions: {name}", bill.transitions, "", _method(bill)),
        plain(f"Lambda GB-seconds: {name}", bill.invocations * SECONDS_A_STEP * MEMORY_GB, "", _method(bill), 2),
        plain(f"DynamoDB per 1,000 sagas: {name}", bill.ledger, "$", requests, 2),
    ]


def _method(bill: Bill) -> str:
    return (
        f"{bill.transitions} state transitions, {bill.express} Express executions of {bill.express_seconds:.0f} s in"
        f" all, {bill.invocations} calls of {MEMORY_GB * 1024:.0f} MB and {SECONDS_A_STEP} s each (assumed), at most"
        f" {bill.looks} looks at a machine; prices of {PRICES_OF}"
    )


def _growth() -> list[Figure]:
    """What one more machine adds, between 3 and 9 and between 9 and 15: the same, where the growth is linear."""
    bills = {count: bills_of(machines(count), AT_THE_SECOND_LOOK).saga for count in (_FEW, _MORE, _MANY)}

    def each(fewer: int, more: int, dollars: Callable[[Bill], float]) -> float:
        return (dollars(bills[more]) - dollars(bills[fewer])) / (more - fewer)

    def figure(what: str, dollars: Callable[[Bill], float]) -> Figure:
        then = each(_MORE, _MANY, dollars)
        method = f"the slope from {_FEW} to {_MORE}; from {_MORE} to {_MANY} machines it is {then:.4f}"
        return plain(f"{what} for another machine", each(_FEW, _MORE, dollars), "$", method, 4)

    return [figure(_TOGETHER, lambda it: it.together), figure("DynamoDB per 1,000 sagas", lambda it: it.ledger)]
