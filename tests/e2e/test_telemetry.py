"""One saga followed by its id: from the answer to its request, through every log, into the clouds' own and a trace."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from lambdas.adapters.correlation import Trace, trace_of
from tests.e2e.conftest import Deployment, state_machine

STEPS = {"create", "observe", "delete", "saga"}


class Followed:
    """A saga that committed and was destroyed, and all that was said of it."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.id = deployment.submit()
        deployment.wait(self.id)
        deployment.destroy(self.id)

    @property
    def trace(self) -> Trace:
        return trace_of(self.id)

    def lines(self, function: str = "skysaga-*", **having: Any) -> list[dict[str, Any]]:
        """What functions logged of the saga."""
        return [
            it
            for it in logged(self.deployment.logs, function)
            if it.get("correlation_id") == self.id and all(it.get(name) == value for name, value in having.items())
        ]

    def answered(self, cloud: str, name: str) -> set[str]:
        """The ids of one kind by which a cloud knows calls about the saga."""
        return {it[name] for it in self.lines(message="cloud answered", cloud=cloud) if name in it}


def logged(logs: Path, function: str) -> Iterator[dict[str, Any]]:
    for path in logs.glob(f"{function}.log"):
        for line in path.read_text().splitlines():
            if line.startswith('{"level"'):
                yield json.loads(line)


@pytest.fixture(name="followed", scope="module")
def _followed(deployment: Deployment) -> Followed:
    return Followed(deployment)


def calls(url: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = requests.get(f"{url}/_simulator/log", timeout=10).json()
    return found


def test_the_answer_the_apis_log_and_the_execution_share_a_trace(followed: Followed, stepfunctions: Any) -> None:
    accepted = followed.lines("skysaga-api", message="accepted")
    machine = state_machine(stepfunctions, "skysaga-provisioning")
    arn = f"{machine.replace(':stateMachine:', ':execution:')}:{followed.id}"
    header = stepfunctions.describe_execution(executionArn=arn)["traceHeader"]

    assert accepted
    assert header.partition("Root=")[2].partition(";")[0] == accepted[0]["xray_trace_id"]


def test_azures_own_log_knows_the_saga_by_its_trace_and_each_call_by_the_id_that_we_logged(followed: Followed) -> None:
    known = [it["ids"] for it in calls(followed.deployment.endpoints.azure)]
    of_saga = {
        it["x-ms-request-id"] for it in known if it.get("x-ms-correlation-request-id") == str(followed.trace.uuid)
    }

    assert followed.answered("azure", "request_id") == of_saga
    assert followed.answered("azure", "azure_correlation_id") == {str(followed.trace.uuid)}
    assert followed.answered("azure", "operation_id")


def test_googles_own_log_knows_the_operations_that_we_logged(followed: Followed) -> None:
    operations = followed.answered("gcp", "operation_id")
    paths = " ".join(it["path"] for it in calls(followed.deployment.endpoints.gcp) if "/operations/" in it["path"])

    assert len(operations) >= 2
    assert any(it in paths for it in operations)


def test_of_aws_every_call_about_machines_is_logged_with_a_request_id_of_its_own(followed: Followed) -> None:
    asked = [it for it in followed.lines(message="cloud answered", cloud="aws") if "Instances" in it["call"]]

    assert {"RunInstances", "TerminateInstances"} <= {it["call"] for it in asked}
    assert len({it["request_id"] for it in asked}) == len(asked)


def test_all_that_was_done_is_one_trace_under_the_saga(followed: Followed) -> None:
    receiver = followed.deployment.receiver
    deadline = time.monotonic() + 10
    while "RELEASED" not in str(ended(followed)) and time.monotonic() < deadline:
        time.sleep(0.1)  # the saga's header says that it has ended a moment before its last step returns
    sent = receiver.of_saga(followed.trace.trace_id)
    inside = [it for it in sent if it.span.name != "saga" or it.parent_id]

    assert ended(followed) == ["COMMITTED", "RELEASED"]
    assert {it.parent_id for it in inside} == {followed.trace.root_span_id}
    assert {it.span.name for it in inside} >= {*STEPS, "POST /sagas", "DELETE /sagas/{id}"}
    assert {it.attributes.get("skysaga.provider") for it in inside} >= {"aws", "azure", "gcp"}
    assert {it.resource["faas.name"] for it in inside} >= {"skysaga-api", "skysaga-saga", "skysaga-gcp-create"}


def ended(followed: Followed) -> list[str]:
    """The endings that the span of the whole saga was sent with."""
    sent = followed.deployment.receiver.of_saga(followed.trace.trace_id)
    return [it.attributes["skysaga.status"] for it in sent if it.span_id == followed.trace.root_span_id]
