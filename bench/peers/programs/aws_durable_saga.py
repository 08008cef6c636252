"""The saga on the AWS durable execution SDK's local runner.

    python aws_durable_saga.py DIRECTORY sequential|branches

The runner keeps its executions in its SQLite store, and runs the function in this process.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import activities
import load
from aws_durable_execution_sdk_python.config import NestingType, ParallelConfig, StepConfig
from aws_durable_execution_sdk_python.context import DurableContext
from aws_durable_execution_sdk_python.exceptions import StepError
from aws_durable_execution_sdk_python.execution import durable_execution
from aws_durable_execution_sdk_python.retries import RetryDecision
from aws_durable_execution_sdk_python_testing.runner import DurableFunctionTestRunner
from aws_durable_execution_sdk_python_testing.stores.sqlite import SQLiteExecutionStore

ONCE = StepConfig(retry_strategy=lambda error, attempt: RetryDecision.no_retry())
FLAT = ParallelConfig(nesting_type=NestingType.FLAT)
POLL_SECONDS = 0.002
RESUME_SECONDS = 15
DIRECTORY, VARIANT = Path(sys.argv[1]), sys.argv[2]


def step(context: DurableContext, name: str, *arguments: Any) -> Any:
    """An activity as a step."""
    return context.step(lambda _: getattr(activities, name)(*arguments), name=name, config=ONCE)


def branch(saga: str, cloud: str, fail: str) -> Callable[[DurableContext], bool]:
    """One cloud; whether it is ready."""

    def run(context: DurableContext) -> bool:
        step(context, "record_intent", saga, cloud)
        try:
            created = step(context, "create", saga, cloud, fail)
        except StepError:
            return False
        answer = {"ready": False, "n": 0}
        while not answer["ready"]:
            answer = step(context, "describe", cloud, created["id"], answer["n"])
        return True

    return run


@durable_execution
def provision(order: dict[str, str], context: DurableContext) -> str:
    """Provision three clouds, or none."""
    saga = order["saga"]
    runs = [branch(saga, cloud, order["fail"]) for cloud in activities.CLOUDS]
    if VARIANT == "branches":
        ready = context.parallel(runs, name="clouds", config=FLAT).get_results()
    else:
        ready = [run(context) for run in runs]
    if all(ready):
        step(context, "commit", saga)
        return "COMMITTED"
    for cloud, is_ready in reversed(list(zip(activities.CLOUDS, ready, strict=True))):
        if is_ready:
            step(context, "delete", saga, cloud)
    step(context, "abort", saga)
    return "ROLLED_BACK"


class Runner:
    """The engine, as the load sees it."""

    def __init__(self, directory: Path) -> None:
        self._started = time.monotonic()
        self._store = SQLiteExecutionStore.create_and_initialize(directory / "durable.sqlite")
        self._runner = DurableFunctionTestRunner(
            handler=provision, store=self._store, poll_interval=POLL_SECONDS, skip_time=False
        )

    def run(self, saga: str, fail: str) -> str:
        """Run an execution."""
        order = json.dumps({"saga": saga, "fail": fail})
        return self._end(self._runner.run(input=order, execution_timeout=60, execution_name=saga))

    def begin(self, saga: str) -> None:
        """Start an execution."""
        order = json.dumps({"saga": saga, "fail": ""})
        self._runner.run_async(input=order, execution_timeout=60, execution_name=saga)

    def finish(self, saga: str) -> str:
        """Wait for an execution in the store, which one that was begun by another process is, too."""
        found = [it for it in self._store.list_all() if it.start_input.execution_name == saga]
        while not (execution := self._store.load(found[0].durable_execution_arn)).is_complete:
            if time.monotonic() > self._started + RESUME_SECONDS:
                return "not resumed"
            time.sleep(0.05)
        return self._end(execution.result)

    @staticmethod
    def _end(result: Any) -> str:
        if result.result is None:
            return f"{result.status}: {result.error}"
        end: str = json.loads(result.result)
        return end


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    load.serve_threads(Runner(DIRECTORY))
