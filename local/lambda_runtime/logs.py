"""One log file per function, with the lines that Lambda itself writes around a call."""

from __future__ import annotations

import os
import threading
from collections import deque
from pathlib import Path

TAIL_BYTES = 4096


class FunctionLog:
    """Appends to one function's file; many workers may write at once, each write staying whole."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def write(self, data: bytes) -> None:
        """Append `data` as it is."""
        os.write(self._file, data)

    def close(self) -> None:
        """Give the file back to the system."""
        os.close(self._file)


class LogDirectory:
    """The log files of all functions, `NAME.log` each."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory.resolve()
        self._lock = threading.Lock()
        self._logs: dict[str, FunctionLog] = {}

    def of(self, function: str) -> FunctionLog:
        """Return the log of `function`, creating its file the first time."""
        with self._lock:
            if function not in self._logs:
                self._logs[function] = FunctionLog(self.path(function))
            return self._logs[function]

    def path(self, function: str) -> Path:
        """Where the log of `function` is, whether it exists yet or not."""
        return self._directory / f"{function}.log"

    def last_lines(self, function: str, count: int) -> list[str]:
        """Return the last `count` lines of the log of `function`, none when it never ran."""
        try:
            with self.path(function).open(encoding="utf-8", errors="replace") as log:
                return [line.rstrip("\n") for line in deque(log, maxlen=count)]
        except FileNotFoundError:
            return []

    def close(self) -> None:
        """Close every file."""
        with self._lock:
            for log in self._logs.values():
                log.close()
            self._logs.clear()


class InvocationLog:
    """What one call wrote: straight to the function's file, and its last 4 KiB kept for `LogType=Tail`."""

    def __init__(self, log: FunctionLog) -> None:
        self._log = log
        self._tail = b""
        self._at_line_start = True

    @property
    def tail(self) -> bytes:
        """The last 4 KiB."""
        return self._tail

    def write(self, data: bytes) -> None:
        """Add what the worker printed."""
        if data:
            self._log.write(data)
            self._tail = (self._tail + data)[-TAIL_BYTES:]
            self._at_line_start = data.endswith(b"\n")

    def started(self, request_id: str, version: str) -> None:
        """Add the START line."""
        self._line(f"START RequestId: {request_id} Version: {version}")

    def ended(self, request_id: str, seconds: float, memory: int, init_seconds: float | None, failure: str) -> None:
        """Add what Lambda says of a failure, then END and REPORT; `memory` is MiB, `init_seconds` of a cold start."""
        if failure:
            self._line(failure)
        milliseconds = seconds * 1000
        init = "" if init_seconds is None else f"\tInit Duration: {init_seconds * 1000:.2f} ms"
        self._line(f"END RequestId: {request_id}")
        self._line(
            f"REPORT RequestId: {request_id}\tDuration: {milliseconds:.2f} ms"
            f"\tBilled Duration: {int(milliseconds) + 1} ms\tMemory Size: {memory} MB{init}"
        )

    def _line(self, text: str) -> None:
        self.write(f"{'' if self._at_line_start else chr(10)}{text}\n".encode())
