"""An engine in a process of its own, as the endpoint asks it: it may be gone, and may be back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.elsewhere import StepFunctionsElsewhere
from local.stepfunctions.errors import ApiError
from tests.outages.service import Service, free_ports

MACHINE = {
    "name": "m",
    "roleArn": "arn:aws:iam::123456789012:role/r",
    "definition": json.dumps({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 600, "End": True}}}),
}


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(free_ports(1)[0], tmp_path / "engine.log")
    service.start("local.stepfunctions", "--data", str(tmp_path / "journal"))
    yield service
    service.close()


def test_what_a_killed_engine_had_accepted_is_there_when_it_is_back(service: Service) -> None:
    engine = StepFunctionsElsewhere(service.url)

    def call(operation: str, **request: str) -> tuple[int, dict[str, object]]:
        status, body = engine.handle(f"AWSStepFunctions.{operation}", json.dumps(request).encode())
        return status, json.loads(body)

    _, created = call("CreateStateMachine", **MACHINE)
    arn = str(created["stateMachineArn"])
    engine.start_execution(arn, '{"n": 1}')
    with pytest.raises(ApiError, match="Does Not Exist"):
        engine.start_execution(f"{arn}x", "{}")

    service.kill()
    assert call("ListExecutions", stateMachineArn=arn)[0] == 503
    with pytest.raises(ApiError, match="did not answer"):
        engine.start_execution(arn, "{}")

    service.kill_and_restart()
    status, listed = call("ListExecutions", stateMachineArn=arn)
    assert status == 200
    assert [it["status"] for it in listed["executions"]] == ["RUNNING"]  # type: ignore[attr-defined]
