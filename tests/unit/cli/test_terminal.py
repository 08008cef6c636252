"""What somebody sees at a terminal, and what Ctrl-C asks them there: the command runs under a pty."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.conftest import KEYS
from tests.unit.cli.fake_api import FakeApi

ROOT = Path(__file__).resolve().parents[3]
CTRL_C = b"\x03"
PATIENCE_SECONDS = 20
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def _log_in(terminal: int) -> None:
    """Begin a session at a terminal. Ctrl-C is heard there, even if these tests were started in the background."""
    os.login_tty(terminal)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """A terminal of 80 by 24 characters with the command running in it."""

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        self._ours, theirs = pty.openpty()
        self._written = select.poll()
        self._written.register(self._ours, select.POLLIN)
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        surroundings = {**os.environ, **KEYS, "PYTHONPATH": str(ROOT), "TERM": "xterm", **environment}
        self.process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "cli", *arguments],
            cwd=folder,
            env=surroundings,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            preexec_fn=lambda: _log_in(theirs),  # noqa: PLW1509 - nothing else is done between fork and exec
        )
        os.close(theirs)
        self.raw = ""
        self._typed_at = 0

    @property
    def text(self) -> str:
        """Everything that was written, without colours and movements."""
        return ESCAPES.sub("", self.raw)

    def until(self, wanted: str) -> None:
        """Wait until something is written that was not there when keys were last pressed."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while wanted not in ESCAPES.sub("", self.raw[self._typed_at :]):
            assert time.monotonic() < deadline, f"{wanted!r} is not in {self.text!r}"
            self._take(0.1)

    def type(self, keys: bytes) -> None:
        """Press keys."""
        self._typed_at = len(self.raw)
        os.write(self._ours, keys)

    def ended(self) -> int:
        """The exit code."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.process.poll() is None:
            assert time.monotonic() < deadline, self.text
            self._take(0.1)
        while self._take(0.05):
            pass
        return self.process.returncode

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)

    def _take(self, seconds: float) -> bool:
        if not self._written.poll(seconds * 1000):
            return False
        try:
            self.raw += os.read(self._ours, 65536).decode(errors="replace")
        except OSError:  # the other end is closed
            return False
        return True


Open = Callable[..., Terminal]


@pytest.fixture(name="terminal")
def _terminal(address: str, empty_folder: Path) -> Iterator[Open]:
    opened: list[Terminal] = []

    def start(*arguments: str, **environment: str) -> Terminal:
        opened.append(Terminal(empty_folder, *arguments, SKYSAGA_ENDPOINT=address, **environment))
        return opened[-1]

    yield start
    for it in opened:
        it.close()


def test_a_table_lives_while_the_saga_runs_and_stays_in_the_end(api: FakeApi, terminal: Open) -> None:
    api.outcome = ""
    screen = terminal("apply", "request.yaml")
    screen.until("Ctrl-C: leave it running, or cancel it")
    api.run("s0000", "COMMITTED")
    assert screen.ended() == 0
    last = screen.text.rpartition("RESOURCE")[2]
    assert [line.split()[:3] for line in last.splitlines()[1:3]] == [["data", "gcp", "READY"], ["web", "aws", "READY"]]
    assert "gcp-data" in last
    assert "saga s0000  COMMITTED" in last
    assert "\x1b[?25l" in screen.raw
    assert screen.raw.count("\x1b[?25h") >= 1
    assert max(len(line.rstrip("\r\n")) for line in screen.text.splitlines()) <= 80


def test_ctrl_c_asks_and_cancelling_undoes_it(api: FakeApi, terminal: Open) -> None:
    api.outcome = ""
    screen = terminal("apply", "request.yaml")
    screen.until("Ctrl-C: leave it running, or cancel it")
    screen.type(CTRL_C)
    screen.until("detach, cancel or stay?")
    screen.type(b"cancel\n")
    assert screen.ended() == 1
    assert api.sagas["s0000"]["status"] == "ROLLED_BACK"
    assert "cancelled: everything is undone" in screen.text
    assert "saga s0000  ROLLED_BACK" in screen.text


@pytest.mark.parametrize("keys", [b"d\n", CTRL_C])
def test_detaching_or_a_second_ctrl_c_leaves_it_running(api: FakeApi, terminal: Open, keys: bytes) -> None:
    api.outcome = ""
    screen = terminal("apply", "request.yaml")
    screen.until("Ctrl-C: leave it running, or cancel it")
    screen.type(CTRL_C)
    screen.until("detach, cancel or stay?")
    screen.type(keys)
    assert screen.ended() == 130
    assert "left running: `skysaga watch s0000` follows it" in screen.text
    assert api.sagas["s0000"]["status"] == "PENDING"
    assert api.called("POST .*/cancel") == 0


def test_staying_misses_nothing_of_what_happened_meanwhile(api: FakeApi, terminal: Open) -> None:
    saga_id = api.submit()
    screen = terminal("watch", saga_id)
    screen.until("Ctrl-C: leave it running, or cancel it")
    screen.type(CTRL_C)
    screen.until("detach, cancel or stay?")
    api.move(saga_id, None, "PROVISIONING")
    api.move(saga_id, "data", "CREATING", "disk begun")
    screen.type(b"stay\n")
    screen.until("disk begun")
    api.run(saga_id, "COMMITTED")
    assert screen.ended() == 0


def test_colours_are_left_out_where_nobody_wants_them_and_a_dumb_terminal_gets_lines(
    api: FakeApi, terminal: Open
) -> None:
    saga_id = api.submit()
    api.run(saga_id, "COMMITTED")
    plain = terminal("get", saga_id, NO_COLOR="1")
    coloured = terminal("get", saga_id)
    dumb = terminal("watch", saga_id, TERM="dumb")
    assert [it.ended() for it in (plain, coloured, dumb)] == [0, 0, 0]
    assert re.search(r"\x1b\[[0-9;]*3[0-7]m", plain.raw) is None
    assert re.search(r"\x1b\[[0-9;]*3[0-7]m", coloured.raw)
    assert "\x1b" not in dumb.raw
    assert "PROVISIONING" in dumb.raw


def test_destroying_asks_first_and_does_nothing_unless_it_is_wanted(api: FakeApi, terminal: Open) -> None:
    saga_id = api.submit()
    api.run(saga_id, "COMMITTED")
    unsure, gone, sure = (terminal("destroy", saga_id) for _ in range(3))
    unsure.until("with all it holds: data, web? [y/N]:")
    unsure.type(b"n\n")
    assert unsure.ended() == 2
    assert "nothing was destroyed" in unsure.text
    assert api.sagas[saga_id]["status"] == "COMMITTED"
    gone.until("[y/N]:")
    gone.type(CTRL_C)
    assert gone.ended() == 130
    assert api.sagas[saga_id]["status"] == "COMMITTED"
    sure.until("[y/N]:")
    sure.type(b"y\n")
    assert sure.ended() == 0
    assert api.sagas[saga_id]["status"] == "RELEASED"


def test_a_table_longer_than_the_terminal_shows_what_moves(api: FakeApi, terminal: Open) -> None:
    saga_id = api.submit()
    one = api.sagas[saga_id]["resources"][0]
    api.sagas[saga_id]["resources"] = [{**one, "id": f"disk-{number:02}"} for number in range(50)]
    api.sagas[saga_id]["waves"] = [[f"disk-{number:02}" for number in range(50)]]
    api.move(saga_id, "disk-49", "CREATING", "the only one that moves")
    screen = terminal("watch", saga_id)
    screen.until("the only one that moves")
    screen.until("PLANNED")
    frame = screen.text.rpartition(saga_id)[2]
    assert "disk-49" in frame
    assert re.search(r"and \d+ more: \d+ PLANNED", screen.text)
    assert frame.count("\n") < 24


def test_without_a_terminal_an_interrupt_asks_nobody_and_leaves_it_running(
    api: FakeApi, address: str, empty_folder: Path
) -> None:
    saga_id = api.submit()
    surroundings = {**os.environ, **KEYS, "PYTHONPATH": str(ROOT), "SKYSAGA_ENDPOINT": address}
    command = [sys.executable, "-m", "cli", "watch", saga_id]
    streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=empty_folder, env=surroundings, text=True, **streams) as process:  # noqa: S603
        assert process.stdout is not None
        process.stdout.readline()  # the saga; it is being followed when its first event is there, too
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130
    assert said == f"Error: left running: `skysaga watch {saga_id}` follows it, `skysaga cancel {saga_id}` undoes it.\n"
    assert api.sagas[saga_id]["status"] == "PENDING"
