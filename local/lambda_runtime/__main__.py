"""`python -m local.lambda_runtime`: the runtime as a process of its own, with the functions that were handed over."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from local.clock import WallClock
from local.http_server import serve
from local.lambda_runtime.handover import HandedOver
from local.lambda_runtime.runtime import LambdaRuntime
from local.lambda_runtime.wsgi import InvokeApi
from local.stopping import on_interrupt


def main() -> int:
    """Serve Invoke until interrupted or terminated."""
    parser = argparse.ArgumentParser(prog="python -m local.lambda_runtime", description=__doc__)
    parser.add_argument("--functions", type=Path, required=True, metavar="FILE", help="what handover.hand_over wrote")
    parser.add_argument("--cache", type=Path, required=True, metavar="DIR", help="where their code is unpacked")
    parser.add_argument("--logs", type=Path, required=True, metavar="DIR", help="for one NAME.log per function")
    parser.add_argument("--port", type=int, default=9001)
    options = parser.parse_args()
    await_interrupt = on_interrupt()
    handed_over = HandedOver(options.functions)
    runtime = LambdaRuntime(handed_over, WallClock(), options.cache, options.logs, handed_over.environment)
    with serve(InvokeApi(runtime), port=options.port, name="lambda") as server:
        print(f"Lambda on {server.url}", flush=True)
        await_interrupt()
    runtime.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
