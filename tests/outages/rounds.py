"""Rounds of sagas in trouble, each judged when its sagas have ended."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tests.outages.sagas import COMMITTED, EVERYWHERE, RELEASED, ROLLED_BACK, Ended, Sagas
from tests.outages.site import Site
from tests.outages.troubles import Trouble

EACH = (COMMITTED, ROLLED_BACK, RELEASED)

_WINDS_UP_WITHIN = 30.0


@dataclass
class Summary:
    """What was struck, what became of the sagas, and everything that is not as it must be.

    `gave_up` tells why sagas undid themselves that were meant to commit.
    """

    struck: Counter[str] = field(default_factory=Counter)
    gave_up: list[str] = field(default_factory=list)
    endings: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def take(self, ended: Ended) -> None:
        """Count one saga."""
        self.endings[str(ended.status)] += 1
        if ended.wanted != ROLLED_BACK and ended.status == ROLLED_BACK:
            self.gave_up.append(f"{ended.saga_id}: {'; '.join(ended.errors)}")
        self.violations += [f"{ended.saga_id}: {it}" for it in ended.violations]


def run_round(
    site: Site,
    trouble: type[Trouble],
    summary: Summary,
    seed: int = 0,
    on: Collection[str] = EVERYWHERE,
    wanted: Sequence[str] = EACH,
    times: int | None = None,
) -> None:
    """Provision, roll back and destroy in trouble; then judge."""
    sagas = Sagas(site.machine, site.endpoints, on)
    upset = trouble(site, random.Random(seed), times)  # noqa: S311 - chooses victims, guards nothing
    before = Counter(upset.struck())
    try:
        with ThreadPoolExecutor(1) as client:
            submitted = client.submit(lambda: [sagas.submit(ending) for ending in wanted])
            while not submitted.done():
                upset()
        submitted.result()
        sagas.wait(upset)
    finally:
        upset.end()
    summary.struck += Counter(upset.struck()) - before
    for ended in sagas.judged():
        summary.take(ended)
    summary.violations += [*sorted(sagas.doubles), *_executions_astray(site, sagas), *site.agents.undrained()]
    summary.violations += sagas.clusters.astray()


def clear(site: Site) -> list[str]:
    """Destroy whatever holds something on a private cluster; what is not as it must be once nothing is held."""
    sagas = Sagas(site.machine, site.endpoints)
    sagas.adopt(sagas.clusters.sagas())
    sagas.remove_all()
    wrong = [f"{ended.saga_id}: {it}" for ended in sagas.judged() for it in ended.violations]
    wrong += [f"{saga_id}: something of it is there" for saga_id in sagas.clusters.sagas()]
    return wrong + sagas.clusters.astray()


def _executions_astray(site: Site, sagas: Sagas) -> list[str]:
    """Executions that were accepted and forgotten, or that go on although their sagas have ended."""
    deadline = time.monotonic() + _WINDS_UP_WITHIN
    while True:
        executions = site.executions()
        running = [name for name, status in executions.items() if status == "RUNNING"]
        if not running or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    forgotten = [f"{it}: its execution is forgotten" for it in sagas.submitted if it not in executions]
    return forgotten + [f"execution {name} goes on although its saga has ended" for name in running]
