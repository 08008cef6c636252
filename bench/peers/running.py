"""An engine that runs: its processes, the orders it takes (see programs/load.py), and how it is killed."""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, cast

ANSWER_SECONDS = 180


class EngineFailed(Exception):
    """An engine that did not start, did not answer in time, or ended a saga otherwise than it was to."""


@dataclass(frozen=True)
class Load:
    """What a number of sagas took: seconds from the first start to the last end, and every saga's own milliseconds."""

    seconds: float
    milliseconds: list[float]

    @property
    def per_second(self) -> float:
        """Sagas per second."""
        return len(self.milliseconds) / self.seconds

    def percentile(self, percent: float) -> float:
        """Milliseconds that `percent` of the sagas took at most."""
        ordered = sorted(self.milliseconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def spawn(
    command: Sequence[object],
    log: Path,
    environment: dict[str, str],
    folder: Path | None = None,
    orders: bool = False,
) -> subprocess.Popen[str]:
    """Start a process in a group of its own; one that takes `orders` has them on its standard input and output."""
    with log.open("a") as errors:
        return subprocess.Popen(  # noqa: S603 - the engines' own programs
            [str(part) for part in command],
            stdin=subprocess.PIPE if orders else subprocess.DEVNULL,
            stdout=subprocess.PIPE if orders else errors,
            stderr=errors,
            text=True,
            env={**os.environ, **environment},
            cwd=folder,
            start_new_session=True,
        )


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


class Running:
    """An engine at work: `driver` takes orders, `engine` are the processes whose memory counts."""

    def __init__(self, driver: subprocess.Popen[str], engine: Sequence[subprocess.Popen[str]] = ()) -> None:
        self._driver = driver
        self._engine = tuple(engine) or (driver,)
        self._next = 0
        self._selector = selectors.DefaultSelector()
        self._selector.register(cast(IO[str], driver.stdout), selectors.EVENT_READ)
        try:
            self._answer()
        except EngineFailed:
            self.kill()
            raise

    def run(self, sagas: int, at_once: int, fail: str = "") -> Load:
        """Run so many sagas, so many at once, each new; with `fail` those that are to be rolled back."""
        order = {"first": self._next, "sagas": sagas, "at_once": at_once, "fail": fail}
        self._next += sagas
        return Load(**self._ask({"run": order}))

    def begin(self, sagas: Sequence[str]) -> None:
        """Start sagas by name."""
        self._ask({"begin": list(sagas)})

    def finish(self, sagas: Sequence[str]) -> int:
        """Wait for sagas that were begun, also by an engine that was killed; how many were committed."""
        finished: int = self._ask({"finish": list(sagas)})["finished"]
        return finished

    def megabytes(self) -> float:
        """The engine's memory: what its processes have alone, and their part of what they share."""
        groups = {process.pid for process in self._engine}
        return sum(_proportional_set(pid) for pid in _processes() if _group(pid) in groups) / 1024

    def kill(self) -> None:
        """SIGKILL everything at once."""
        everything = {self._driver, *self._engine}
        for process in everything:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        for process in everything:
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()
        self._selector.close()

    def __enter__(self) -> Running:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.kill()

    def _ask(self, order: dict[str, Any]) -> dict[str, Any]:
        orders = cast(IO[str], self._driver.stdin)
        try:
            orders.write(json.dumps(order) + "\n")
            orders.flush()
        except OSError as error:
            raise EngineFailed(f"the engine is gone: {error}") from error
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        # Only one line is ever on its way, so that nothing can wait in the reader's buffer.
        if not self._selector.select(ANSWER_SECONDS):
            raise EngineFailed(f"no answer within {ANSWER_SECONDS} s")
        line = cast(IO[str], self._driver.stdout).readline()
        if not line:
            raise EngineFailed(f"it ended with exit status {self._driver.wait()}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise EngineFailed(answer["error"])
        return answer


def _processes() -> list[int]:
    return [int(entry) for entry in os.listdir("/proc") if entry.isdecimal()]


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0


def _proportional_set(pid: int) -> int:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")), 0)
