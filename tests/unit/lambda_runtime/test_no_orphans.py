"""Workers and what they start end with the runtime, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from local.lambda_runtime.runtime import LambdaRuntime
from tests.unit.lambda_runtime.deployments import DeploymentsInMemory
from tests.unit.lambda_runtime.processes import assert_all_end, is_running

RUN_A_WORKER = """
import json, signal, sys
from pathlib import Path
from local.clock import WallClock
from local.lambda_runtime.runtime import LambdaRuntime
from tests.unit.lambda_runtime.deployments import DeploymentsInMemory

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
cache, started = Path(sys.argv[1]), sys.argv[2]
deployments = DeploymentsInMemory()
deployments.deploy("parent", "app.parent", timeout=60)
runtime = LambdaRuntime(deployments, WallClock(), cache, cache / "logs", {})
runtime.invoke("parent", json.dumps({"started": started}).encode())
"""


def started_processes(path: Path) -> list[int]:
    """Wait for the two process ids that the handler `parent` writes."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if path.exists() and len(pids := path.read_text().split()) == 2:
            return [int(pid) for pid in pids]
        time.sleep(0.01)
    raise AssertionError("the handler did not start")


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_runtime_that_is_killed_takes_its_workers_and_their_children_along(
    cache_dir: Path, tmp_path: Path, ending: signal.Signals
) -> None:
    runtime = subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", RUN_A_WORKER, str(cache_dir), str(tmp_path / "started")],
        cwd=Path(__file__).parents[3],
        stderr=subprocess.DEVNULL,
    )
    pids = started_processes(tmp_path / "started")
    assert all(is_running(pid) for pid in pids)
    os.kill(runtime.pid, ending)
    runtime.wait(10)
    assert_all_end(pids)


def test_close_ends_busy_and_idle_workers_before_it_returns(
    runtime: LambdaRuntime, deployments: DeploymentsInMemory, tmp_path: Path
) -> None:
    deployments.deploy("identity", "app.identity")
    deployments.deploy("parent", "app.parent", timeout=60)
    idle = int(runtime.invoke("identity", b"{}").payload.split(b'"pid": ')[1].split(b",")[0])
    event = f'{{"started": "{tmp_path / "started"}"}}'.encode()
    caller = threading.Thread(target=lambda: runtime.invoke("parent", event))
    caller.start()
    busy = started_processes(tmp_path / "started")
    runtime.close()
    caller.join(5)
    assert not is_running(idle)
    assert_all_end(busy)
    with pytest.raises(RuntimeError):
        runtime.invoke("identity", b"{}")
