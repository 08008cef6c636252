"""The journal: every input, one JSON line each, so that an engine killed at any instant resumes where it was.

An input is in the file before anything that follows from it leaves the engine: a call, an answer, an event. Until then
it may wait for others to be written with it. In the file it survives the process, in whatever way that ends; an engine
that is to survive its machine, too, has every write synced to the disk (`sync`), one sync for all that came meanwhile.

Inputs of executions that the engine has forgotten are dropped once they outweigh the others, so the file and a restart
take no longer however many executions there have been.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import threading
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path
from typing import IO

from local.clock import VirtualClock
from local.stepfunctions.jsontext import to_bytes
from local.stepfunctions.runtime.core import Core, Input
from local.stepfunctions.runtime.execution import Execution

NAME = "journal.jsonl"
COMPACT_FROM = 1000
_log = logging.getLogger(__name__)


class JournalInUse(Exception):
    """An engine in another process, which is alive, writes to the same journal."""


class Journal:
    """A directory with the inputs applied so far; a line that was not finished when the engine died never happened.

    Raises JournalInUse: two engines would each act on what the other has not read.
    """

    def __init__(self, directory: Path, sync: bool = False) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(directory)
        self._path = directory / NAME
        self._sync = sync
        self._file: IO[bytes] | None = None
        self._waiting: deque[bytes] = deque()
        self._progress = threading.Condition()
        self._writing = False
        self._parked: list[tuple[int, Callable[[], None]]] = []
        self._taken = 0
        self._settled = 0
        self._length = 0
        self._of: Counter[str] = Counter()
        self._forgotten: set[str] = set()
        self._records = 0
        self._useless = 0

    def attach(self, core: Core) -> None:
        """Replay what is there into `core` and record what comes."""
        core.executions.on_forget = self.forget
        records = self._read()
        core.replaying = True
        for record in records:
            self._count(record)
            core.try_replay(record)
        core.replaying = False
        if records:
            core.identify_anew(records[-1])
            if isinstance(core.clock, VirtualClock):
                core.clock.advance_to(max(core.clock.now(), records[-1]["t"]))
        self._open()
        core.journal = self.append
        core.settle = self.settle
        core.settle_or_park = self.settle_or_park

    def _open(self) -> None:
        self._file = self._path.open("ab", buffering=0)
        self._length = self._file.tell()
        if self._sync:
            _sync_directory(self._path.parent)

    def append(self, record: Input) -> None:
        """Take a record; `settle` makes it last. One at a time, in the order in which the records are applied."""
        if self._useless > max(COMPACT_FROM, self._records // 2):
            self._compact()
        self._waiting.append(to_bytes(record) + b"\n")
        self._taken += 1
        self._count(record)

    def settle(self) -> None:
        """Return once every record taken so far lasts, whoever has written it; raises OSError when it cannot be."""
        wanted = self._taken
        if self._settled >= wanted:
            return
        with self._progress:
            while self._writing and self._settled < wanted:
                self._progress.wait()
            if self._settled >= wanted:
                return
            self._writing = True
        self._write_for_all()

    def settle_or_park(self, later: Callable[[], None]) -> bool:
        """The same for a thread that has better to do than to wait for a disk that another one waits for.

        False in that case: then `later` is called as soon as these records last.
        """
        wanted = self._taken
        with self._progress:
            if self._settled >= wanted:
                return True
            if self._writing:
                self._parked.append((wanted, later))
                return False
            self._writing = True
        self._write_for_all()
        return True

    def _write_for_all(self) -> None:
        """Write as the one that may; whoever still waits for records that came meanwhile gets a thread that goes on."""
        try:
            self._write()
        except OSError:
            with self._progress:
                self._writing = False
                self._progress.notify_all()
            raise
        if self._hand_on():
            threading.Thread(target=self._write_on, name="stepfunctions-journal", daemon=True).start()

    def _write_on(self) -> None:
        try:
            self._write()
            while self._hand_on():
                self._write()
        except OSError:
            _log.exception("the journal cannot be written")
            with self._progress:
                self._writing = False
                self._progress.notify_all()

    def _hand_on(self) -> bool:
        """After a write: let go on whoever has waited for it; whether somebody waits for the next one."""
        with self._progress:
            settled = [later for mark, later in self._parked if mark <= self._settled]
            self._parked = [entry for entry in self._parked if entry[0] > self._settled]
            self._writing = bool(self._parked)
            self._progress.notify_all()
            left = self._writing
        for later in settled:
            later()
        return left

    def _write(self) -> None:
        """Write what waits, and sync it: the whole of it, or nothing where that fails."""
        file = self._file
        if file is None:
            raise OSError(f"{self._path} is not open")
        lines = [self._waiting.popleft() for _ in range(len(self._waiting))]
        text = b"".join(lines)
        try:
            left = memoryview(text)
            while left:
                left = left[file.write(left) :]
            if self._sync:
                os.fdatasync(file.fileno())
        except OSError:
            with contextlib.suppress(OSError):
                file.truncate(self._length)
            self._waiting.extendleft(reversed(lines))
            raise
        self._length += len(text)
        self._settled += len(lines)

    def forget(self, execution: Execution) -> None:
        """The engine has forgotten an execution; its inputs, and its children's, are of no use any more."""
        if execution.map_run is not None:
            return  # the parent's inputs and this one's only make sense together
        for arn in _family(execution):
            self._forgotten.add(arn)
            self._useless += self._of.pop(arn, 0)

    def _count(self, record: Input) -> None:
        self._records += 1
        if "arn" in record:
            self._of[record["arn"]] += 1

    def _compact(self) -> None:
        with self._progress:
            while self._writing:
                self._progress.wait()
            self._write()
            self._replace()

    def _replace(self) -> None:
        kept = [record for record in self._read() if record.get("arn") not in self._forgotten]
        fresh = self._path.with_suffix(".fresh")
        with fresh.open("wb") as file:
            file.writelines(to_bytes(record) + b"\n" for record in kept)
            file.flush()
            os.fsync(file.fileno())
        if self._file is not None:
            self._file.close()
        fresh.replace(self._path)
        self._open()
        self._forgotten.clear()
        self._records, self._useless = len(kept), 0

    def _read(self) -> list[Input]:
        if not self._path.exists():
            return []
        data = self._path.read_bytes()
        complete = data[: data.rfind(b"\n") + 1]
        if len(complete) < len(data):
            with self._path.open("r+b") as file:
                file.truncate(len(complete))
        return [json.loads(line) for line in complete.splitlines()]


def _sync_directory(directory: Path) -> None:
    """Have the names in it last, too."""
    opened = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _locked(directory: Path) -> IO[bytes]:
    """Holds the directory for this process; the kernel lets go of it when the process ends, however that happens."""
    lock = (directory / ".lock").open("wb")
    try:
        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise JournalInUse(f"another engine is at work on {directory}; stop it, or give this one a directory") from None
    return lock


def _family(execution: Execution) -> list[str]:
    arns = [execution.arn]
    for run in execution.map_runs:
        for child in (*run.running.values(), *run.ended.values()):
            arns += _family(child)
    return arns
