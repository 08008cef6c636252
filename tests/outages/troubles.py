"""What happens to the infrastructure while sagas run. Every kill is a SIGKILL from outside."""

from __future__ import annotations

import os
import random
import signal
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import requests

from bench.foreground import descendants
from tests.outages.site import Site

_REFUSALS = ("ThrottlingException", "ProvisionedThroughputExceededException", "RequestLimitExceeded")
_REASONS = ("TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded")
_SHARE = 0.03
"""Of all calls, for each way in which one goes wrong; together a quarter of all calls, a third of transactions."""

_PAUSE_IN_PEACE = 0.2


class Trouble(ABC):
    """Something that strikes a site, at most so many `times`; `random` decides when and whom."""

    name: ClassVar[str]
    pause: ClassVar[tuple[float, float]]

    def __init__(self, site: Site, random: random.Random, times: int | None = None) -> None:
        self.site = site
        self.random = random
        self._left = times
        self.begin()

    def __call__(self) -> None:
        """Let some time pass, then strike."""
        if self._left == 0:
            time.sleep(_PAUSE_IN_PEACE)
            return
        time.sleep(self.random.uniform(*self.pause))
        self.strike()
        if self._left is not None:
            self._left -= 1

    def begin(self) -> None:  # noqa: B027 - most have nothing to prepare
        """Prepare what strikes."""

    @abstractmethod
    def strike(self) -> None:
        """Upset the site once."""

    @abstractmethod
    def struck(self) -> Mapping[str, int]:
        """What was struck so far, by what it is, and how often."""

    def end(self) -> None:  # noqa: B027 - most leave nothing behind
        """Let everything be well again."""


class KilledEngine(Trouble):
    """The Step Functions engine dies and is started again on its journal, at times after a while."""

    name = "engine"
    pause = (0.1, 0.9)

    def strike(self) -> None:
        """Kill it."""
        self.site.engine.kill_and_restart(after=self.random.choice((0.0, 0.0, 0.0, 1.5)))

    def struck(self) -> Mapping[str, int]:
        """Count the kills."""
        return {"engine killed": self.site.engine.kills}


class KilledRuntime(Trouble):
    """The process that runs all Lambda workers dies, they with it, and it is started again."""

    name = "runtime"
    pause = (2.0, 5.0)

    def strike(self) -> None:
        """Kill it."""
        self.site.runtime.kill_and_restart(after=self.random.choice((0.0, 0.5)))

    def struck(self) -> Mapping[str, int]:
        """Count the kills."""
        return {"runtime killed": self.site.runtime.kills}


class KilledWorkers(Trouble):
    """Lambda workers die, and those that they are forked from: one that is computing, or any."""

    name = "workers"
    pause = (0.2, 0.8)

    def begin(self) -> None:
        """Count from here."""
        self._kills = 0
        self._before = self.site.calls_cut_short()

    def strike(self) -> None:
        """Kill one."""
        workers = [it for it in descendants(self.site.runtime.process_id) if _leads_a_group(it)]
        candidates = _computing(workers) if self.random.random() < 0.5 else workers
        if candidates:
            with suppress(ProcessLookupError):
                os.killpg(self.random.choice(candidates), signal.SIGKILL)
                self._kills += 1

    def struck(self) -> Mapping[str, int]:
        """Count the kills, and those that met a call."""
        return {"workers killed": self._kills, "in a call": self.site.calls_cut_short() - self._before}


class RefusingLedger(Trouble):
    """DynamoDB refuses, throttles, cancels transactions and loses replies; at times it refuses all for a second."""

    name = "dynamodb"
    pause = (1.0, 3.0)

    def begin(self) -> None:
        """Arm the share of calls that goes wrong."""
        self._faults = f"{self.site.machine.aws}/_simulator/dynamodb"
        self._before = len(self._log())
        self._arm(*_usual(self.random.randrange(1000)))

    def strike(self) -> None:
        """Refuse everything for a second."""
        self.end()
        self._arm(_fault("*", self.random.choice(("refuse", "throttle", "error")), 1.0))
        time.sleep(1.0)
        self.end()
        self._arm(*_usual(self.random.randrange(1000)))

    def struck(self) -> Mapping[str, int]:
        """Count the calls by what happened to them."""
        return Counter(it["code"] or it["fault"] for it in self._log()[self._before :])

    def end(self) -> None:
        """Disarm."""
        requests.delete(f"{self._faults}/faults", timeout=10).raise_for_status()

    def _arm(self, *faults: dict[str, Any]) -> None:
        requests.post(f"{self._faults}/faults", json=faults, timeout=10).raise_for_status()

    def _log(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = requests.get(f"{self._faults}/log", timeout=10).json()
        return found


class KilledAgents(Trouble):
    """Agents of a private cluster die, or are told to end; each is replaced."""

    name = "agents"
    pause = (0.5, 3.0)

    def strike(self) -> None:
        """Kill or drain one."""
        agents = self.site.agents
        (agents.drain if self.random.random() < 0.3 else agents.kill)(self.random)

    def struck(self) -> Mapping[str, int]:
        """Count the kills and those that were drained."""
        return {"agents killed": self.site.agents.kills, "agents drained": self.site.agents.drains}


class Everything(Trouble):
    """All of them, one after the other in any order."""

    name = "everything"
    pause = (0.0, 0.0)

    def begin(self) -> None:
        """Have each of them ready."""
        self._troubles = [kind(self.site, self.random) for kind in (KilledEngine, KilledWorkers, RefusingLedger)]
        self._rare = KilledRuntime(self.site, self.random)
        self._seldom = KilledAgents(self.site, self.random)

    def strike(self) -> None:
        """Have one of them strike; the runtime's death, after which every function starts anew, is the rarest."""
        drawn = self.random.random()
        if drawn < 0.04:
            self._rare()
        elif drawn < 0.14:
            self._seldom()
        else:
            self.random.choice(self._troubles)()

    def struck(self) -> Mapping[str, int]:
        """Count for all of them."""
        return {
            what: count for it in (*self._troubles, self._rare, self._seldom) for what, count in it.struck().items()
        }

    def end(self) -> None:
        """End all of them."""
        for trouble in self._troubles:
            trouble.end()


TROUBLES: Mapping[str, type[Trouble]] = {
    kind.name: kind for kind in (KilledEngine, KilledRuntime, KilledWorkers, RefusingLedger, KilledAgents, Everything)
}


def _usual(seed: int) -> list[dict[str, Any]]:
    refusals = [_fault("*", "throttle", _SHARE, code=code) for code in _REFUSALS]
    reasons = [_fault("Transact*", "throttle", _SHARE, code=code) for code in _REASONS]
    others = [_fault("*", fault, _SHARE, delay=0.5) for fault in ("error", "refuse", "lost", "late", "twice")]
    return [{**fault, "seed": seed + n} for n, fault in enumerate([*others, *reasons, *refusals])]


def _fault(operation: str, fault: str, probability: float, **more: Any) -> dict[str, Any]:
    return {"operation": operation, "fault": fault, "probability": probability, "times": None, **more}


def _computing(processes: list[int]) -> list[int]:
    before = {process: _ticks(process) for process in processes}
    time.sleep(0.03)
    return [process for process in processes if _ticks(process) > before[process]]


def _ticks(process: int) -> int:
    """Processor time used so far, in clock ticks; see proc(5)."""
    with suppress(FileNotFoundError, ProcessLookupError):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])
    return 0


def _leads_a_group(process: int) -> bool:
    """Whether it is a worker with a group of its own by now: another group would be that of these tests."""
    with suppress(ProcessLookupError):
        return process > 1 and os.getpgid(process) == process
    return False
