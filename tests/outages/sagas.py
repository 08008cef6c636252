"""Several sagas at once, and what must have become of each: by the clouds' own inventories, and by the ledger."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Collection
from typing import Any, Final, NamedTuple, TypeVar
from uuid import uuid4

import boto3
import requests
import yaml
from botocore.credentials import Credentials

from cli.client import ApiClient, ApiProblem
from lambdas.adapters.clock import SystemClock
from lambdas.adapters.ledger import DynamoLedger
from lambdas.core.errors import RetryableError
from lambdas.core.states import ENDINGS
from local.demo.story import CLOUDS
from local.lambda_runtime.reference import FunctionReference
from local.machine import CREDENTIALS, REGION, Endpoints, Machine
from tests.outages.clusters import PRIVATE, SERVERS, Clusters, private_resources
from tests.simulation.judge import Judge
from tests.simulation.requests import three_clouds
from tests.whole import whole

COMMITTED: Final = "COMMITTED"
ROLLED_BACK: Final = "ROLLED_BACK"
RELEASED: Final = "RELEASED"
GONE: Final = "ROLLED_BACK or RELEASED"

_RIGHT: Final = {
    COMMITTED: (COMMITTED, ROLLED_BACK),
    ROLLED_BACK: (ROLLED_BACK,),
    RELEASED: (RELEASED, ROLLED_BACK),
    GONE: (RELEASED, ROLLED_BACK),
}
"""A saga whose steps meet more trouble than they are tried again may undo itself; what it may not is end in between."""

_PATIENCE: Final = 600.0
"""Seconds; a release that was refused a few times waits for up to five minutes before it tries again."""

_PAUSE: Final = 0.2
_NO_SUCH_SUBNET: Final = "subnet-00000000000000000"

EVERYWHERE: Final = (*CLOUDS, *PRIVATE)
"""The public clouds and the private ones."""

T = TypeVar("T")


class Ended(NamedTuple):
    """A saga that has ended, how it was meant to, what is wrong with it, and which errors its resources keep."""

    saga_id: str
    wanted: str
    status: str
    violations: tuple[str, ...]
    errors: tuple[str, ...]


class Sagas:
    """Submits sagas `on` some clouds, waits for them and judges them.

    Whatever is refused for now it asks again under the same key, as a client would.
    """

    def __init__(self, machine: Machine, endpoints: Endpoints, on: Collection[str] = EVERYWHERE) -> None:
        ((access_key, secret_key),) = CREDENTIALS.items()
        self._api = ApiClient(endpoints.api, Credentials(access_key, secret_key), REGION)
        self._clouds = {cloud: endpoints._asdict()[cloud] for cloud in (*CLOUDS, *SERVERS)}
        self._on = on
        self._ledger = _ledger(machine)
        self.clusters = Clusters(endpoints, self._api, self._ledger)
        self.doubles: set[str] = set()
        self._wanted: dict[str, str] = {}
        self._to_destroy: set[str] = set()

    def submit(self, wanted: str, ttl: str | None = None) -> str:
        """Submit a saga that is to end like this; a released one is destroyed when it has committed."""
        key, document = str(uuid4()), _request(wanted, self._on, ttl)
        answer = _persist(lambda: self._api.submit(document, "application/yaml", key))
        saga_id: str = answer["id"]
        self._wanted[saga_id] = wanted
        if wanted == RELEASED:
            self._to_destroy.add(saga_id)
        return saga_id

    @property
    def submitted(self) -> list[str]:
        """The ids of all of them."""
        return list(self._wanted)

    def status(self, saga_id: str) -> str:
        """How a saga stands in the ledger."""
        return str(_persist(lambda: self._ledger.saga(saga_id)).status)

    def look(self) -> bool:
        """Look at every saga once, destroying those that have committed to be released; whether all have ended.

        What is on a private cluster twice is noted: it may be removed again before the end.
        """
        self.doubles.update(self.clusters.doubles())
        statuses = {saga_id: self.status(saga_id) for saga_id in list(self._wanted)}
        for saga_id in [it for it, status in statuses.items() if it in self._to_destroy and status == COMMITTED]:
            _persist(lambda saga_id=saga_id: self._api.destroy(saga_id))  # type: ignore[misc]
            self._to_destroy.discard(saga_id)
        waited = [self._wanted[it] in (RELEASED, GONE) and status == COMMITTED for it, status in statuses.items()]
        return all(status in ENDINGS for status in statuses.values()) and not any(waited)

    def wait(self, upset: Callable[[], object] = lambda: time.sleep(_PAUSE)) -> None:
        """Look, and upset something, again and again until all have ended."""
        deadline = time.monotonic() + _PATIENCE
        while not self.look():
            assert time.monotonic() < deadline, {it: self.status(it) for it in self._wanted}
            upset()

    def judged(self) -> list[Ended]:
        """What became of each, and what of it is not as it must be."""
        return [self._judged(saga_id, wanted) for saga_id, wanted in self._wanted.items()]

    def adopt(self, saga_ids: Collection[str]) -> None:
        """Take over sagas that have committed."""
        self._wanted |= dict.fromkeys(saga_ids, COMMITTED)

    def remove_all(self) -> None:
        """Destroy what has committed, and wait until it is gone."""
        for saga_id in [it for it, wanted in self._wanted.items() if wanted == COMMITTED]:
            self._wanted[saga_id] = RELEASED
            self._to_destroy.add(saga_id)
        self.wait()

    def _judged(self, saga_id: str, wanted: str) -> Ended:
        snapshot = whole(self._ledger, saga_id)
        judge = Judge(self._inventory, lambda: snapshot, time.time)
        for cloud in self._clouds:
            judge.look(cloud)
        judge.conclude(tuple(self._clouds), 0)
        wrong = [f"{it.invariant}: {it.detail}" for it in judge.violations]
        numbers = [it.seq for it in self._events(saga_id)]
        if numbers != list(range(1, snapshot.saga.version + 1)):
            wrong.append(f"events: numbered {numbers} at version {snapshot.saga.version}")
        if snapshot.saga.status not in _RIGHT[wanted]:
            wrong.append(f"ending: {snapshot.saga.status} instead of {wanted}")
        errors = tuple(f"{it.id}: {it.error}" for it in snapshot.resources if it.error)
        return Ended(saga_id, wanted, snapshot.saga.status, tuple(wrong), errors)

    def _events(self, saga_id: str) -> list[Any]:
        return self._ledger.events(saga_id, limit=1000)

    def _inventory(self, cloud: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = requests.get(f"{self._clouds[cloud]}/_simulator/resources", timeout=10).json()
        return found


def _request(wanted: str, clouds: Collection[str], ttl: str | None) -> bytes:
    """An instance with a disk on each public cloud, and a machine on each private one.

    To be rolled back, AWS's is wanted in a subnet that does not exist.
    """
    document = copy.deepcopy(three_clouds())
    document["resources"] = [it for it in document["resources"] if it["provider"] in clouds]
    document["resources"] += private_resources(clouds)
    if ttl:
        document["ttl"] = ttl
    if wanted == ROLLED_BACK:
        (refused,) = (it for it in document["resources"] if it["id"] == "web-aws")
        refused["spec"]["subnet"] = _NO_SUCH_SUBNET
    return yaml.safe_dump(document).encode()


def _persist(call: Callable[[], T]) -> T:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return call()
        except (ApiProblem, RetryableError, requests.RequestException) as refusal:
            passing = not isinstance(refusal, ApiProblem) or refusal.status >= 500
            if not passing or time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE)


def _ledger(machine: Machine) -> DynamoLedger:
    (routed,) = machine.functions.resolve(FunctionReference.parse("skysaga-saga"))
    client = boto3.client(
        "dynamodb",
        region_name=REGION,
        endpoint_url=machine.aws,
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    return DynamoLedger(client, routed.function.environment["LEDGER_TABLE"], SystemClock())
