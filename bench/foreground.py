"""One machine as people start it: `python -m local`, what it says and when, and the processes that it is made of."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

from local.assembly import ROOT
from local.machine import ENDPOINTS_FILE, Endpoints

_PAGE_BYTES: Final = os.sysconf("SC_PAGESIZE")
_MEBIBYTE: Final = 2**20


class Foreground(NamedTuple):
    """A machine that runs: its process, where it answers, and what it said after so many seconds."""

    pid: int
    endpoints: Endpoints
    said: Sequence[tuple[float, str]]


@contextmanager
def foreground(began: float) -> Iterator[Foreground]:
    """A machine in another process, ready; `began` is the monotonic moment from which its seconds count.

    Raises RuntimeError with what it said when it does not become ready.
    """
    command = [sys.executable, "-m", "local"]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}  # as the Makefile has it
    process = subprocess.Popen(  # noqa: S603 - our own module
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )
    said: list[tuple[float, str]] = []
    try:
        assert process.stdout is not None  # noqa: S101 -- narrows for the type checker
        for line in process.stdout:
            said.append((time.monotonic() - began, line.strip()))
            if line.startswith("ready"):
                break
        else:
            raise RuntimeError("the machine did not start: " + "; ".join(line for _, line in said))
        yield Foreground(process.pid, Endpoints(**json.loads(ENDPOINTS_FILE.read_text())), said)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def resident(pid: int) -> float:
    """What a process has in memory, in MiB; nothing once it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES / _MEBIBYTE
    except (FileNotFoundError, ProcessLookupError):
        return 0.0


def proportional(pid: int) -> float:
    """The same, in which what several processes have together, as forked ones do, counts for each of them in part."""
    with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
        kept = Path(f"/proc/{pid}/smaps_rollup").read_text()
        return next(int(line.split()[1]) for line in kept.splitlines() if line.startswith("Pss:")) / 1024
    return 0.0


def descendants(pid: int) -> list[int]:
    """The processes that a process has started, and they, and that run."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread that has ended meanwhile
            for child in map(int, task.read_text().split()):
                found += [child, *descendants(child)]
    return found
