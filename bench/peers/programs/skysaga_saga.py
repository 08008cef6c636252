"""The state machine on our engine, in this process.

    python skysaga_saga.py DEFINITION DIRECTORY VARIANT

VARIANT is `synced`, `journal` or `memory`. Real time. With a journal, sagas are begun by threads, and activities are
called by the engine's own; in memory all of it happens in one event loop, as with the peer that keeps everything there.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import activities
import load

from bench.peers.definition import FUNCTIONS
from local.stepfunctions import Engine, LambdaResult
from local.stepfunctions.jsontext import loads, to_bytes
from local.stepfunctions.runtime.execution import Execution

ACTIVITIES = {
    f"{FUNCTIONS}{it.__name__}": it
    for it in (
        activities.record_intent,
        activities.create,
        activities.describe,
        activities.commit,
        activities.delete,
        activities.abort,
    )
}
ENDS = {"SUCCEEDED": "COMMITTED", "FAILED": "ROLLED_BACK"}


def invoke(function: str, payload: bytes) -> LambdaResult:
    """Lambda's Invoke, of an activity."""
    try:
        answer = ACTIVITIES[function](**loads(payload.decode()))
    except activities.QuotaExceeded as error:
        failure = {"errorType": type(error).__name__, "errorMessage": str(error)}
        return LambdaResult(to_bytes(failure), "Unhandled")
    return LambdaResult(to_bytes(answer))


class Skysaga:
    """The engine with a journal, as the load sees it."""

    def __init__(self, definition: str, directory: Path, sync: bool) -> None:
        self._engine = Engine(lambda_invoke=invoke, data=directory / "data", sync=sync)
        self._machine = self._engine.create_state_machine("saga", definition)

    def run(self, saga: str, fail: str) -> str:
        """Run an execution."""
        return self._end(self._engine.start_execution(self._machine, {"saga": saga, "fail": fail}, saga))

    def begin(self, saga: str) -> None:
        """Start an execution."""
        self._engine.start_execution(self._machine, {"saga": saga, "fail": ""}, saga)

    def finish(self, saga: str) -> str:
        """Wait for an execution."""
        return self._end(self._machine.replace(":stateMachine:", ":execution:") + f":{saga}")

    def _end(self, arn: str) -> str:
        return _end(self._engine.await_end(arn, load.FINISH_SECONDS))


class InPlace:
    """The engine in memory, which calls activities where they follow from: a saga ends in the turn that begins it."""

    def __init__(self, definition: str) -> None:
        self._engine = Engine(lambda_invoke=invoke, in_place=True)
        self._machine = self._engine.create_state_machine("saga", definition)

    async def run(self, saga: str, fail: str) -> str:
        """Run an execution when those that were asked for before have had their turn."""
        await asyncio.sleep(0)
        arn = self._engine.start_execution(self._machine, {"saga": saga, "fail": fail}, saga)
        return _end(self._engine.execution(arn))

    async def begin(self, saga: str) -> None:
        """Run an execution."""
        await self.run(saga, "")

    async def finish(self, saga: str) -> str:
        """Its end."""
        return _end(self._engine.execution(self._machine.replace(":stateMachine:", ":execution:") + f":{saga}"))


def _end(execution: Execution) -> str:
    return ENDS.get(execution.status, execution.status)


def main(definition: str, directory: Path, variant: str) -> None:
    """Take orders."""
    if variant == "memory":
        asyncio.run(load.serve_tasks(InPlace(definition)))
    else:
        load.serve_threads(Skysaga(definition, directory, variant == "synced"))


if __name__ == "__main__":
    main(Path(sys.argv[1]).read_text(), Path(sys.argv[2]), sys.argv[3])
