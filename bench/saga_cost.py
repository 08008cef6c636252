"""What a saga costs on AWS, counted: the real definitions and handlers on the real ledger, in virtual time.

Prices are us-east-1's, in dollars, as published on PRICES_OF; free tiers are left out. What a function's run costs
besides depends on how long the clouds take to answer, which nothing here can tell: `SECONDS_A_STEP` is an assumption.
"""

from __future__ import annotations

import inspect
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any, Final, cast

import boto3

from bench.figure import Figure, plain
from lambdas.adapters.ledger import DynamoLedger
from lambdas.adapters.observability import StepHandler
from lambdas.adapters.steps import Surroundings
from lambdas.core.ports.clock import Clock
from local.aws.account import create_app
from local.http_server import serve
from local.simulators.faults import Fault, FaultKind
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

_SAGAS: Final = 1000
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
    """What one saga took."""

    transitions: int
    invocations: int
    looks: int
    write_units: int
    read_units: float
    requests: int

    @property
    def step_functions(self) -> float:
        """Dollars per thousand sagas for the state machines."""
        return _SAGAS * self.transitions * A_TRANSITION

    @property
    def functions(self) -> float:
        """Dollars per thousand sagas for their functions, by the assumption on how long a step takes."""
        a_step = AN_INVOCATION + SECONDS_A_STEP * MEMORY_GB * A_GB_SECOND
        return _SAGAS * self.invocations * a_step

    @property
    def ledger(self) -> float:
        """Dollars per thousand sagas for the ledger."""
        return _SAGAS * (self.write_units * A_WRITE_UNIT + self.read_units * A_READ_UNIT)


def bill_of(document: Mapping[str, Any], *, fails: bool) -> Bill:
    """Provision a request; `fails`: its last machine is out of capacity, so that everything is rolled back."""
    with three_empty_clouds() as (clock, clouds), serve(create_app(clock)) as account:
        if fails:
            clouds["gcp"].arm([Fault(operation="instances.insert", fault=FaultKind.CAPACITY, delay=5)])
        world = CountedWorld(clock, clouds, endpoint=account.url)
        status = world.provision(document).saga.status
        if status != ("ROLLED_BACK" if fails else "COMMITTED"):
            raise RuntimeError(f"the saga is {status}, so its figures would be of something else")
        looks = Counter(payload.get("resource_id") for name, payload in world.calls if name.endswith("-observe"))
        bill = Bill(
            _transitions(world),
            len(world.calls),
            max(looks.values()),
            world.dynamo.write_units,
            world.dynamo.read_units,
            world.dynamo.requests,
        )
        world.engine.close()
    return bill


def _transitions(world: World) -> int:
    """States entered, and retries, in all executions: https://aws.amazon.com/step-functions/pricing/."""
    events = Counter(event.type for it in world.engine.core.executions for event in it.history.events)
    entered = sum(count for name, count in events.items() if name.endswith("StateEntered"))
    return entered + events["TaskScheduled"] - events["TaskStateEntered"]


def figures() -> list[Figure]:
    """Counts and prices for three instances, for six resources, and for a roll-back."""
    logging.disable(logging.CRITICAL)
    whole = three_clouds()
    machines = [it for it in whole["resources"] if it["kind"] == "instance"]
    alone = [{**it, "spec": {**it["spec"], "disks": []}} for it in machines]
    instances = {**whole, "resources": alone}
    one = {**instances, "resources": alone[-1:]}
    bills = {
        "1 instance, committed": bill_of(one, fails=False),
        "3 instances, committed": bill_of(instances, fails=False),
        "3 instances, rolled back": bill_of(instances, fails=True),
        "3 instances with a disk each, committed": bill_of(whole, fails=False),
    }
    return [figure for name, bill in bills.items() for figure in _figures(name, bill)]


def _figures(name: str, bill: Bill) -> list[Figure]:
    method = f"at most {bill.looks} looks at a resource; {bill.requests} requests to the ledger; prices of {PRICES_OF}"
    assumed = f"{bill.invocations} calls of {MEMORY_GB * 1024:.0f} MB and {SECONDS_A_STEP} s each, which is assumed"
    return [
        plain(f"state transitions: {name}", bill.transitions, "", method),
        plain(f"Step Functions per 1,000 sagas: {name}", bill.step_functions, "$", method, 2),
        plain(f"Lambda per 1,000 sagas: {name}", bill.functions, "$", assumed, 2),
        plain(f"DynamoDB per 1,000 sagas: {name}", bill.ledger, "$", method, 2),
    ]
