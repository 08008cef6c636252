"""Placing on the ledger's own table: what it costs, and whether placers at once ever claim too much."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from random import Random
from typing import Any, Final, NamedTuple

import boto3
from botocore.exceptions import ClientError
from moto import mock_aws

from bench.placement_fleet import START, fleet, needs
from bench.prices import A_READ_UNIT, A_WRITE_UNIT
from bench.request_units import CountedClient
from lambdas.adapters.clusters import DynamoClusters
from lambdas.adapters.ledger import DynamoLedger
from lambdas.core.clusters import Amounts, ClusterStanding
from lambdas.core.errors import CapacityError
from lambdas.core.placement.bounds import bounds
from lambdas.core.placement.needs import Need
from lambdas.core.plan import new_saga_id, plan_saga
from lambdas.core.policy import Policy
from lambdas.core.ports.ledger import IdempotencyKey
from lambdas.core.ports.provider import Survey
from lambdas.core.request import parse_request
from lambdas.core.states import SagaStatus
from lambdas.core.steps.placing import PlacingSteps
from lambdas.core.steps.results import Next
from tests.contract.test_ledger_contract import TABLE, OneAtATime, create_table
from tests.fakes.clock import FakeClock

_FOREVER: Final = 3600.0


class Cost(NamedTuple):
    """What the table charges, in dollars: for one placement, and for reading what is known of all clusters once."""

    placement: float
    write_units: float
    read_units: float
    reading_all: float
    units_to_read_all: float


class Outcome(NamedTuple):
    """What came of placing more than there is room for.

    `over` counts the clusters of which more is claimed than may be, `untrue` those of which something else is claimed
    than the machines on them say; `unclear` are refusals that give no reason.
    """

    placed: int
    refused: int
    unclear: int
    lost: int
    over: int
    untrue: int


def cost(clusters: int, placements: int) -> Cost:
    """Place some machines, one after the other, by the deployed code on a table that counts."""
    random = _seeded(1)
    standings = fleet(random, clusters)
    with _table() as client:
        clock, counted = FakeClock(START), CountedClient(client)
        _report(client, clock, standings)
        sagas = _opened(client, clock, needs(random, placements))
        dynamo: Any = counted
        known = DynamoClusters(dynamo, TABLE, clock, _FOREVER)
        known.standings()
        reading = counted.read_units
        steps = PlacingSteps(DynamoLedger(dynamo, TABLE, clock), known, clock, Policy(), random)
        for saga in sagas:
            steps.create(saga, "machine")
        reads, writes = (counted.read_units - reading) / placements, counted.write_units / placements
        if any(steps.observe(saga, "machine")["next"] != Next.WORK for saga in sagas):
            raise RuntimeError("a machine was not placed, so the cost would be of something else")
    return Cost(writes * A_WRITE_UNIT + reads * A_READ_UNIT, writes, reads, reading * A_READ_UNIT, reading)


def crowd(clusters: int, placements: int, placers: int) -> Outcome:
    """Let placers in as many threads place more machines than fit, each on what it read before anything was claimed."""
    random = _seeded(2)
    standings = fleet(random, clusters, hosts=(1, 2))
    with _table() as client:
        clock, lost = FakeClock(START), _CountedRefusals(client)
        _report(client, clock, standings)
        sagas = _opened(client, clock, needs(random, placements))
        shares = [sagas[number::placers] for number in range(placers)]
        barrier = threading.Barrier(placers)

        def place(number: int) -> list[str | None]:
            dynamo: Any = lost
            known = DynamoClusters(dynamo, TABLE, clock, _FOREVER)
            known.standings()
            steps = PlacingSteps(
                DynamoLedger(dynamo, TABLE, clock, lambda _: None), known, clock, Policy(), _seeded(number)
            )
            barrier.wait()
            return [_refusal(steps, saga) for saga in shares[number]]

        with ThreadPoolExecutor(placers) as pool:
            refusals = [it for share in pool.map(place, range(placers)) for it in share]
        return _outcome(client, clock, sagas, refusals, lost.count)


def _outcome(client: Any, clock: FakeClock, sagas: Sequence[str], refusals: Sequence[str | None], lost: int) -> Outcome:
    ledger = DynamoLedger(client, TABLE, clock)
    machines: dict[str, Amounts] = {}
    for saga in sagas:
        claim = ledger.resource(saga, "machine").claim
        if claim is not None:
            machines[claim.cluster] = machines.get(claim.cluster, Amounts()) + claim.amounts
    stand = DynamoClusters(client, TABLE, clock).standings()
    said = [it for it in refusals if it is not None]
    return Outcome(
        placed=sum(ledger.resource(saga, "machine").claim is not None for saga in sagas),
        refused=len(said),
        unclear=sum("can take this machine. " not in it for it in said),
        lost=lost,
        over=sum(not it.claimed.amounts.within(bounds(it.settings, it.report)) for it in stand),
        untrue=sum(it.claimed.amounts != machines.get(it.settings.name, Amounts()) for it in stand),
    )


def _refusal(steps: PlacingSteps, saga: str) -> str | None:
    try:
        steps.create(saga, "machine")
    except CapacityError as refused:
        return str(refused)
    return None


class _CountedRefusals:
    """A client that counts the transactions that a cluster's claims refused."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.count = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def transact_write_items(self, **wanted: Any) -> Any:
        """The claim is the last of a transaction's parts."""
        try:
            return self._client.transact_write_items(**wanted)
        except ClientError as error:
            reasons: list[Any] = error.response.get("CancellationReasons", [{}])
            self.count += reasons[-1].get("Code") == "ConditionalCheckFailed"
            raise


@contextmanager
def _table() -> Iterator[Any]:
    os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_table(client)
        yield OneAtATime(client)


def _report(client: Any, clock: FakeClock, standings: Sequence[ClusterStanding]) -> None:
    known = DynamoClusters(client, TABLE, clock)
    for settings, report, _ in standings:
        known.report(settings, Survey(report, ()))


def _opened(client: Any, clock: FakeClock, wanted: Sequence[Need]) -> list[str]:
    """A saga of one machine for each need."""
    ledger = DynamoLedger(client, TABLE, clock)
    sagas = []
    for number, need in enumerate(wanted):
        now = clock.now() + timedelta(milliseconds=number)
        request = parse_request({"name": "placed", "resources": [_document(need)]})
        saga, resources = plan_saga(request, new_saga_id(now), "somebody", now)
        sagas.append(ledger.open(saga, resources, IdempotencyKey("somebody", saga.id, "digest")).id)
        ledger.change_saga(saga.id, lambda it: it.saga.model_copy(update={"status": SagaStatus.PROVISIONING}))
    return sagas


def _document(need: Need) -> dict[str, Any]:
    amounts = need.amounts
    placement = {"cpu": amounts.cpu, "memory_gb": amounts.memory_mb // 1024, "disk_gb": amounts.disk_gb}
    return {
        "id": "machine",
        "provider": need.provider,
        "kind": "instance",
        "placement": {
            **placement,
            "labels": dict(need.labels),
            "anti_affinity": "g" + need.group.strip("-_").replace("_", "-") if need.group else None,
            "prefer": need.prefer,
        },
        "spec": {"image": need.image},
    }


def _seeded(seed: int) -> Random:
    return Random(seed)  # noqa: S311 -- repeatable
