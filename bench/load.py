"""The API under a sustained load while the clouds throttle: errors, memory, queues and latency, for minutes on end.

The machine runs as `make up` starts it. Some sagas are provisioned, destroyed and replaced without a pause, every cloud
refuses some of its calls, and readers ask the API at a steady pace, however long it takes to answer. Nobody here does
anything wrong: each answer that is an error is one that the caller did not cause, and so is each saga that ends but
committed and released.

What a process grows by is the slope of a line through what it had in memory, after a warm-up. The functions are to stay
as they are. The machine holds the account and the clouds, and so grows by each saga that ends: by its items in the
ledger, which forgets nothing, and, up to their limits, by the stream's records of these, by the histories of its
executions, by what clouds logged, and for an hour by its terminated machines. Anything else is a leak: so what it grows
by for each saga has a limit, and it is beside the bytes of the saga's items.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import cycle
from statistics import linear_regression, median, quantiles
from typing import Any, Final, NamedTuple

import requests

from bench.api import Api, document
from bench.figure import Figure, limited, plain
from bench.foreground import Foreground, descendants, foreground, proportional, resident
from bench.request_units import size
from local.aws.clients import create_client
from local.machine import REGION

_MINUTES: Final = 10.0
_SAGAS: Final = 6
_READS_PER_SECOND: Final = 4.0
_CALLERS: Final = 32
_THROTTLED: Final = 0.1
_WARM_UP: Final = 0.3
"""The share of the time after which memory is looked at."""

_LOOK_SECONDS: Final = 2.0
_DRAIN_SECONDS: Final = 120.0
_SLOPE_MIB: Final = 1.0
_SLOWER: Final = 1.5
_SLOWER_P99: Final = 2.0
"""Of some 480 reads, the p99 is the fifth slowest: it varies more than a median does."""

_SAGA_MIB: Final = 0.5
"""By which the machine may grow for a saga: some three times what is kept of one on purpose, gaps included."""

_THROTTLES: Final = [{"operation": "*", "fault": "throttle", "times": None, "probability": _THROTTLED, "seed": 7}]


class Call(NamedTuple):
    """One call of the API: when it was due and how long after that it was answered, in seconds."""

    due: float
    seconds: float


class Memory(NamedTuple):
    """MiB at one moment: of the machine, and of each function's process."""

    at: float
    machine: float
    functions: dict[int, float]


@dataclass
class Load:
    """What was seen."""

    calls: list[Call] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    endings: Counter[str] = field(default_factory=Counter)
    memory: list[Memory] = field(default_factory=list)
    ended: list[float] = field(default_factory=list)
    """When sagas ended."""

    items_kib: float = 0.0
    """What the items of a saga take in the ledger, by DynamoDB's rules."""

    left_in_queues: int = 0
    drained_after: float = 0.0

    def slope(self, what: Callable[[Memory], float]) -> float:
        """By how many MiB a minute something grew after the warm-up."""
        began, ended = self.memory[0].at, self.memory[-1].at
        looked = [it for it in self.memory if it.at > began + _WARM_UP * (ended - began)]
        return linear_regression([it.at / 60 for it in looked], [what(it) for it in looked]).slope

    def mib_a_saga(self) -> float:
        """By how many MiB the machine grew for each saga that ended after the warm-up."""
        began, ended = self.memory[0].at, self.memory[-1].at
        looked = [it for it in self.memory if it.at > began + _WARM_UP * (ended - began)]
        over = [sum(at < it.at for at in self.ended) for it in looked]
        return linear_regression(over, [it.machine for it in looked]).slope

    def functions(self) -> float:
        """By how many MiB a minute the functions grew, those that ran from the end of the warm-up to the end of all."""
        began, ended = self.memory[0].at, self.memory[-1].at
        looked = [it for it in self.memory if it.at > began + _WARM_UP * (ended - began)]
        stayed = set.intersection(*(set(it.functions) for it in looked))
        return self.slope(lambda it: sum(it.functions.get(pid, 0.0) for pid in stayed)) / max(1, len(stayed))

    def first_and_last(self) -> tuple[Sequence[float], Sequence[float]]:
        """The latencies in milliseconds of the first fifth after the warm-up, and of the last."""
        began, ended = self.calls[0].due, max(it.due for it in self.calls)
        share = (ended - began) / 5
        first = [it.seconds * 1000 for it in self.calls if began + share <= it.due < began + 2 * share]
        return first, [it.seconds * 1000 for it in self.calls if it.due >= ended - share]


def measure(minutes: float, sagas: int = _SAGAS) -> Load:
    """Load a machine for so many minutes with so many sagas at once."""
    load = Load()
    with foreground(time.monotonic()) as machine:
        for url in (machine.endpoints.aws, machine.endpoints.azure, machine.endpoints.gcp):
            requests.post(f"{url}/_simulator/faults", json=_THROTTLES, timeout=10).raise_for_status()
        over = time.monotonic() + minutes * 60
        ids: list[str] = []
        watching = [
            threading.Thread(target=_look_at_memory, args=(machine, over, load)),
            *(threading.Thread(target=_keep_a_saga, args=(machine, over, ids, load)) for _ in range(sagas)),
        ]
        for thread in watching:
            thread.start()
        _read(machine, over, ids, load)
        for thread in watching:
            thread.join()
        _await_drained(machine, load)
        load.items_kib = _items_kib(machine)
    return load


def _keep_a_saga(machine: Foreground, over: float, ids: list[str], load: Load) -> None:
    """Provision a saga, see it committed, destroy it, see it released, and begin again."""
    api = Api(machine.endpoints.api)
    while time.monotonic() < over:
        try:
            saga = api.call("POST", "/sagas", document())["id"]
            ids.append(saga)
            ended = api.ended(saga, every=_LOOK_SECONDS)
            if ended == "COMMITTED":
                api.call("DELETE", f"/sagas/{saga}")
                ended = api.ended(saga, ("RELEASED", "NEEDS_ATTENTION"), every=_LOOK_SECONDS)
            load.endings[ended] += 1
            load.ended.append(time.monotonic())
        except (RuntimeError, OSError) as error:
            load.errors[str(error)[:120]] += 1


def _read(machine: Foreground, over: float, ids: list[str], load: Load) -> None:
    """Ask at a steady pace, whether answers come or not."""
    api = Api(machine.endpoints.api)

    def ask(path: str, due: float) -> None:
        try:
            api.call("GET", path)
        except (RuntimeError, OSError) as error:
            load.errors[str(error)[:120]] += 1
        load.calls.append(Call(due, time.monotonic() - due))

    paths = cycle(("/sagas/{}", "/sagas/{}/events", "/sagas?limit=20", "/sagas/{}"))
    due = time.monotonic()
    with ThreadPoolExecutor(_CALLERS) as callers:
        while due < over:
            time.sleep(max(0.0, due - time.monotonic()))
            if ids:
                callers.submit(ask, next(paths).format(ids[-1]), due)
            due += 1 / _READS_PER_SECOND


def _look_at_memory(machine: Foreground, over: float, load: Load) -> None:
    while (now := time.monotonic()) < over:
        functions = {it: proportional(it) for it in descendants(machine.pid)}
        load.memory.append(Memory(now, resident(machine.pid), functions))
        time.sleep(_LOOK_SECONDS)


def _await_drained(machine: Foreground, load: Load) -> None:
    """Wait until no queue holds anything, dead letters included."""
    sqs = create_client("sqs", machine.endpoints.aws, REGION)
    began = time.monotonic()
    while (left := _in_queues(sqs)) and time.monotonic() < began + _DRAIN_SECONDS:
        time.sleep(_LOOK_SECONDS)
    load.left_in_queues, load.drained_after = left, time.monotonic() - began


def _items_kib(machine: Foreground) -> float:
    """What the ledger holds, for each saga in it."""
    dynamodb = create_client("dynamodb", machine.endpoints.aws, REGION)
    (table,) = [it for it in dynamodb.list_tables()["TableNames"] if "Ledger" in it]
    pages = dynamodb.get_paginator("scan").paginate(TableName=table)
    items = [item for page in pages for item in page["Items"]]
    sagas = sum(it["sk"]["S"] == "HEADER" for it in items)
    kept = sum(size(it) for it in items)
    each: float = kept / sagas / 1024
    return each


def _in_queues(sqs: Any) -> int:
    counts = [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed",
    ]
    queues = sqs.list_queues().get("QueueUrls", [])
    answers = [sqs.get_queue_attributes(QueueUrl=it, AttributeNames=counts)["Attributes"] for it in queues]
    return sum(int(answer[count]) for answer in answers for count in counts)


def figures() -> list[Figure]:
    """Ten minutes of it."""
    load = measure(_MINUTES)
    first, last = load.first_and_last()
    others = sum(load.endings.values()) - load.endings["RELEASED"]
    method = (
        f"{_MINUTES:g} minutes of {_SAGAS} sagas at once and {_READS_PER_SECOND:g} reads a second, each cloud refusing"
        f" {_THROTTLED:.0%} of its calls; {len(load.calls)} reads, {load.endings['RELEASED']} sagas"
    )
    name = "load"
    return [
        limited(
            f"{name}, answers and endings that the caller did not cause", load.errors.total() + others, "", 1, method
        ),
        limited(f"{name}, growth of a function's memory", load.functions(), "MiB/min", _SLOPE_MIB, method),
        plain(f"{name}, growth of the machine's memory", load.slope(lambda it: it.machine), "MiB/min", method),
        limited(f"{name}, growth of the machine's memory by a saga", load.mib_a_saga(), "MiB", _SAGA_MIB, method, 2),
        plain(f"{name}, a saga's items in the ledger", load.items_kib, "KiB", method),
        limited(f"{name}, messages left in queues", load.left_in_queues, "", 1, method),
        plain(f"{name}, seconds until the queues were drained", load.drained_after, "s", method),
        *(
            plain(f"{name}, reads, {which}, {what}", of(took), "ms", method)
            for which, took in (("first fifth", first), ("last fifth", last))
            for what, of in _LATENCIES
        ),
        *(
            limited(
                f"{name}, reads, {what} of the last fifth by that of the first",
                of(last) / of(first),
                "times",
                limit,
                method,
            )
            for (what, of), limit in zip(_LATENCIES, (_SLOWER, _SLOWER_P99), strict=True)
        ),
    ]


def _p99(took: Sequence[float]) -> float:
    found: list[float] = quantiles(took, n=100)
    return found[98]


_LATENCIES: Final[Sequence[tuple[str, Callable[[Sequence[float]], float]]]] = (("median", median), ("p99", _p99))
