"""Check an engine against the cases recorded from AWS, with the runner that lies beside them.

    python -m tests.conformance --cases ../shared/asl-cases [--endpoint URL] [--level 2] [--require 98] [runner options]

Without an endpoint it starts this engine, with moto behind it for the services that tasks call.
"""

from __future__ import annotations

import argparse
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(command: Sequence[str], url: str) -> Iterator[None]:
    """Run a server for as long as the block lasts, once `url` answers; raises TimeoutError when it never does."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
    try:
        _await(url)
        yield
    finally:
        process.terminate()
        process.wait(timeout=10)


def _await(url: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=2).close()  # noqa: S310 - a local http address
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"nothing answers at {url}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the cases; the runner's exit code, 1 when fewer than required pass."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("--cases", type=Path, required=True, help="directory that holds run_cases.py and cases/")
    parser.add_argument("--endpoint", help="an engine that runs already")
    options, rest = parser.parse_known_args(arguments)
    python, lambda_port = sys.executable, free_port()
    with ExitStack() as running:
        aws = f"http://127.0.0.1:{free_port()}"
        running.enter_context(serving([python, "-m", "moto.server", "-p", aws.rpartition(":")[2]], aws))
        endpoint = options.endpoint
        if endpoint is None:
            endpoint = f"http://127.0.0.1:{free_port()}"
            engine = [python, "-m", "local.stepfunctions", "--port", endpoint.rpartition(":")[2]]
            services = ["--lambda-endpoint", f"http://127.0.0.1:{lambda_port}", "--aws-endpoint", aws]
            running.enter_context(serving([*engine, *services], endpoint))
        runner = [python, str(options.cases / "run_cases.py"), "--endpoint", endpoint]
        where = ["--cases", str(options.cases / "cases"), "--lambda-port", str(lambda_port), "--aws-endpoint", aws]
        return subprocess.run([*runner, *where, "--allow", "states", *rest], check=False).returncode  # noqa: S603


if __name__ == "__main__":
    sys.exit(main())
