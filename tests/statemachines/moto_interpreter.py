"""Moto's Step Functions interpreter as a server of its own: `python -m tests.statemachines.moto_interpreter URL SCALE`.

Its functions are behind URL. Wait states take SCALE of their time and backoffs none: moto would sleep through both. It
keeps its state in module globals, so it runs in a process of its own, which ends when its standard input does.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from types import SimpleNamespace
from typing import Any

import boto3
from botocore.config import Config
from moto.core.config import default_user_config
from moto.moto_server.werkzeug_app import create_backend_app
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackEndpoint, HeartbeatEndpoint

from local.http_server import serve


def call_functions_at(url: str) -> None:
    """Let Task states call Lambda at `url`; moto would call its own."""
    config = Config(parameter_validation=False, retries={"total_max_attempts": 1}, max_pool_connections=50)
    functions = boto3.client("lambda", endpoint_url=url, config=config)
    lambda_eval_utils.boto_client_for = lambda **_: functions


def let_time_pass(scale: float) -> None:
    """Have Wait states take `scale` of their time, and retries follow at once."""
    retrier_decl.time = SimpleNamespace(sleep=lambda _: None)

    def wait(_function: WaitFunction, env: Any, wait_seconds: float) -> None:
        end = time.monotonic() + wait_seconds * scale
        while env.is_running() and (left := end - time.monotonic()) > 0:
            env.program_state_event.wait(left)

    WaitFunction._wait_interval = wait


def notice_early_ends() -> None:
    """Notice that a task has ended before its function returned.

    Where a task has a heartbeat, moto begins to listen only then, and would wait for a beat that nobody owes it.
    """
    set_up = CallbackEndpoint.setup_heartbeat_endpoint

    def listen(endpoint: CallbackEndpoint, heartbeat_seconds: int) -> HeartbeatEndpoint:
        heartbeat = set_up(endpoint, heartbeat_seconds)
        if endpoint.get_outcome() is not None:
            heartbeat.notify()
        return heartbeat

    CallbackEndpoint.setup_heartbeat_endpoint = listen


def main(functions: str, scale: str) -> None:
    """Print the server's address and serve until standard input ends."""
    logging.disable(logging.CRITICAL)
    default_user_config["stepfunctions"] = {"execute_state_machine": True}
    call_functions_at(functions)
    let_time_pass(float(scale))
    notice_early_ends()
    with serve(create_backend_app("stepfunctions"), name="moto") as server:
        os.environ["MOTO_PORT"] = str(server.port)  # where its interpreter looks for every other service
        print(server.url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
