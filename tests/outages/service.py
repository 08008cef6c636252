"""A process that serves HTTP on this machine and can be killed at any instant and started again."""

from __future__ import annotations

import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from local.assembly import ROOT

_STARTS_WITHIN: Final = 20.0
_NEVER_HANDED_OUT: Final = range(20_000, 32_000)  # below ip_local_port_range, which begins at 32,768


class Service:
    """`python -m MODULE ... --port PORT`; what it prints goes to `log`."""

    def __init__(self, port: int, log: Path) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.kills = 0
        self._port = port
        self._log = log
        self._command: list[str] = []
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process_id(self) -> int:
        """The process that runs now."""
        assert self._process is not None, "it has not been started"
        return self._process.pid

    def start(self, module: str, *arguments: str) -> None:
        """Start it for the first time and wait until it answers."""
        self._command = [sys.executable, "-m", module, "--port", str(self._port), *arguments]
        self._run()

    def kill_and_restart(self, after: float = 0.0) -> None:
        """SIGKILL, and so many seconds later the same command again."""
        self.kill()
        time.sleep(after)
        self._run()

    def kill(self) -> None:
        """SIGKILL it; nothing of it runs on when this returns."""
        assert self._process is not None, "it has not been started"
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self.kills += 1

    def close(self) -> None:
        """End it for good."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _run(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, cwd=ROOT, stdout=log, stderr=log)  # noqa: S603 - ours
        deadline = time.monotonic() + _STARTS_WITHIN
        while not _answers(self._port):
            assert self._process.poll() is None, self._log.read_text()[-2000:]
            assert time.monotonic() < deadline, f"{self._command} does not answer"
            time.sleep(0.02)


def free_ports(count: int) -> Sequence[int]:
    """Ports that nobody listens on, all different, and that the kernel hands out to nobody while a service is dead."""
    found: list[int] = []
    for port in random.sample(_NEVER_HANDED_OUT, len(_NEVER_HANDED_OUT)):
        with suppress(OSError):
            socket.create_server(("127.0.0.1", port)).close()
            found.append(port)
        if len(found) == count:
            break
    return found


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
