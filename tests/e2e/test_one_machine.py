"""`make up` in the foreground: it says where it is, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import requests

from bench.foreground import descendants
from local.assembly import ROOT
from local.machine import ENDPOINTS_FILE


def test_it_announces_its_endpoints_and_leaves_nothing_behind_when_interrupted() -> None:
    machine = subprocess.Popen([sys.executable, "-m", "local"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert machine.stdout is not None
        for line in machine.stdout:
            if line.startswith("ready"):
                break
        endpoints = json.loads(ENDPOINTS_FILE.read_text())
        assert requests.get(f"{endpoints['api']}/healthz", timeout=10).ok
        assert requests.get(f"{endpoints['gcp']}/_simulator/resources", timeout=10).json() == []
        workers = descendants(machine.pid)
        assert workers
    finally:
        machine.send_signal(signal.SIGINT)
        code = machine.wait(timeout=30)
    assert code == 0
    assert not ENDPOINTS_FILE.exists()
    deadline = time.monotonic() + 5
    while any(_alive(pid) for pid in workers):
        assert time.monotonic() < deadline, "workers are left over"
        time.sleep(0.05)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
