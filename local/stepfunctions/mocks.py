"""SFN_MOCK_CONFIG: mocked service integrations, in the file format of AWS's Step Functions Local.

`{"StateMachines": {NAME: {"TestCases": {CASE: {STATE: RESPONSE}}}},
"MockedResponses": {RESPONSE: {"0": {"Return": ...}, "1-2": {"Throw": {"Error": ..., "Cause": ...}}}}}`;
an execution names its case as `machineArn#CASE` when it is started.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from local.stepfunctions.jsontext import Json, dumps, loads
from local.stepfunctions.runtime.host import Outcome, TaskRequest


class MockConfig:
    """Mocked responses by machine, test case and state."""

    def __init__(self, path: Path) -> None:
        document = loads(Path(path).read_text())
        self._machines: dict[str, Any] = document.get("StateMachines", {})
        self._responses: dict[str, Any] = document.get("MockedResponses", {})

    def outcome(self, request: TaskRequest, machine: str) -> Outcome | None:
        """The mocked outcome of a call, None for a state that the execution's case does not mock."""
        cases = self._machines.get(machine, {}).get("TestCases", {})
        name = cases.get(request.mock_case, {}).get(request.state_name)
        if name is None:
            return None
        response = _at(self._responses[name], request.retry_count)
        if response is None:
            cause = f"No mocked response of {name} covers invocation {request.retry_count}"
            return Outcome("failed", error="States.Runtime", cause=cause)
        if "Throw" in response:
            thrown = response["Throw"]
            return Outcome("failed", error=thrown.get("Error"), cause=thrown.get("Cause"))
        return Outcome("succeeded", output=dumps(response["Return"]))


def _at(responses: dict[str, Json], invocation: int) -> dict[str, Json] | None:
    for span, response in responses.items():
        first, _, last = span.partition("-")
        if int(first) <= invocation <= int(last or first):
            found: dict[str, Json] = response
            return found
    return None
