"""The state machine on our engine, in this process.

    python skysaga_saga.py DEFINITION DIRECTORY VARIANT

VARIANT is `synced`, `journal` or `memory`. Real time; activities are called by the engine's own threads.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import activities
import load

from local.stepfunctions import Engine, LambdaResult

ENDS = {"SUCCEEDED": "COMMITTED", "FAILED": "ROLLED_BACK"}


def invoke(function: str, payload: bytes) -> LambdaResult:
    """Lambda's Invoke, of an activity."""
    try:
        answer = getattr(activities, function.rsplit(":", 1)[1])(**json.loads(payload))
    except activities.QuotaExceeded as error:
        failure = {"errorType": type(error).__name__, "errorMessage": str(error)}
        return LambdaResult(json.dumps(failure).encode(), "Unhandled")
    return LambdaResult(json.dumps(answer).encode())


class Skysaga:
    """The engine, as the load sees it."""

    def __init__(self, definition: str, directory: Path, variant: str) -> None:
        data = None if variant == "memory" else directory / "data"
        self._engine = Engine(lambda_invoke=invoke, data=data, sync=variant == "synced")
        self._machine = self._engine.create_state_machine("saga", definition)

    def run(self, saga: str, fail: str) -> str:
        """Run an execution."""
        arn = self._engine.start_execution(self._machine, json.dumps({"saga": saga, "fail": fail}), saga)
        return self._end(arn)

    def begin(self, saga: str) -> None:
        """Start an execution."""
        self._engine.start_execution(self._machine, json.dumps({"saga": saga, "fail": ""}), saga)

    def finish(self, saga: str) -> str:
        """Wait for an execution."""
        return self._end(self._machine.replace(":stateMachine:", ":execution:") + f":{saga}")

    def _end(self, arn: str) -> str:
        execution = self._engine.await_end(arn, load.FINISH_SECONDS)
        return ENDS.get(execution.status, execution.status)


if __name__ == "__main__":
    load.serve_threads(Skysaga(Path(sys.argv[1]).read_text(), Path(sys.argv[2]), sys.argv[3]))
