"""The agents of the cluster that no function reaches: processes of their own, to be killed, drained and replaced."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from pathlib import Path
from typing import Final

from tests.e2e.private import start_agent

_DRAINS_WITHIN: Final = 60.0
"""Seconds, on a busy machine: what is in hand is handed back between two steps, each of which may be refused."""


class Agents:
    """So many agents at a time, each replaced at once; `log` takes what all of them say."""

    def __init__(self, aws: str, log: Path, count: int = 2) -> None:
        self.kills = 0
        self.drains = 0
        self._aws = aws
        self._log = log
        self._working = [self._start() for _ in range(count)]
        self._draining: list[tuple[subprocess.Popen[bytes], float]] = []

    def kill(self, random: random.Random) -> None:
        """SIGKILL one, and start another."""
        victim = self._take(random)
        victim.kill()
        victim.wait()
        self.kills += 1

    def drain(self, random: random.Random) -> None:
        """SIGTERM one, and start another while it hands back what it has."""
        victim = self._take(random)
        victim.send_signal(signal.SIGTERM)
        self._draining.append((victim, time.monotonic() + _DRAINS_WITHIN))
        self.drains += 1

    def undrained(self) -> list[str]:
        """What went wrong with those that were drained, once each of them has ended or had its time."""
        draining, self._draining = self._draining, []
        return [wrong for process, deadline in draining if (wrong := _fate(process, deadline))]

    def close(self) -> None:
        """End all of them."""
        for process in [*self._working, *(it for it, _ in self._draining)]:
            process.kill()
            process.wait()

    def _take(self, random: random.Random) -> subprocess.Popen[bytes]:
        chosen = random.randrange(len(self._working))
        victim, self._working[chosen] = self._working[chosen], self._start()
        return victim

    def _start(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return start_agent(self._aws, log)


def _fate(process: subprocess.Popen[bytes], deadline: float) -> str:
    try:
        code = process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return f"an agent did not drain within {_DRAINS_WITHIN:.0f} s"
    # Drained before it had learnt what SIGTERM is to mean, it had nothing in hand either.
    return "" if code in (0, -signal.SIGTERM) else f"a drained agent ended with {code}"
