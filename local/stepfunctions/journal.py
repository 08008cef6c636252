"""The journal: every input, one JSON line each, so that an engine killed at any instant resumes where it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import IO

from local.clock import VirtualClock
from local.stepfunctions.jsontext import dumps
from local.stepfunctions.runtime.core import Core, Input

NAME = "journal.jsonl"


class Journal:
    """A directory with the inputs applied so far; a line that was not finished when the engine died never happened."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._path = directory / NAME
        self._file: IO[bytes] | None = None

    def attach(self, core: Core) -> None:
        """Replay what is there into `core` and record what comes."""
        records = self._read()
        core.replaying = True
        for record in records:
            core.try_replay(record)
        core.replaying = False
        core.identify_anew(len(records))
        if records and isinstance(core.clock, VirtualClock):
            core.clock.advance_to(max(core.clock.now(), records[-1]["t"]))
        self._file = self._path.open("ab")
        core.journal = self.append

    def append(self, record: Input) -> None:
        """Write a record so that it survives the death of this process."""
        if self._file is not None:
            self._file.write(dumps(record).encode() + b"\n")
            self._file.flush()

    def _read(self) -> list[Input]:
        if not self._path.exists():
            return []
        data = self._path.read_bytes()
        complete = data[: data.rfind(b"\n") + 1]
        if len(complete) < len(data):
            with self._path.open("r+b") as file:
                file.truncate(len(complete))
        return [json.loads(line) for line in complete.splitlines()]
