"""A program ends when it is told to, at whichever instant that is."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from local.assembly import ROOT

PROGRAM = """
import os, signal, threading, time
from local.stopping import on_interrupt
wait = on_interrupt()
print("ready", flush=True)
{before}
wait()
print("ended")
"""
ITSELF = "os.kill(os.getpid(), signal.SIGINT)"
BY_A_THREAD = "threading.Thread(target=lambda: os.kill(os.getpid(), signal.SIGINT)).start()"


@pytest.mark.parametrize("before", [ITSELF, BY_A_THREAD, f"for _ in range(100_000): {ITSELF}"])
def test_a_signal_that_came_before_the_wait_ends_it(before: str) -> None:
    program = [sys.executable, "-c", PROGRAM.format(before=before)]
    said = subprocess.run(program, check=True, cwd=ROOT, capture_output=True, text=True, timeout=30)  # noqa: S603 - ours
    assert said.stdout.split() == ["ready", "ended"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("seconds", [0, 0.3])
def test_one_from_outside_does(number: signal.Signals, seconds: float) -> None:
    program = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", PROGRAM.format(before="")], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert program.stdout is not None
    assert program.stdout.readline() == "ready\n"
    time.sleep(seconds)
    program.send_signal(number)
    assert program.communicate(timeout=30)[0] == "ended\n"
    assert program.returncode == 0
