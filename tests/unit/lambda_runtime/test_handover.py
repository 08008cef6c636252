"""A runtime in a process of its own: it runs what was handed over, and its death is Lambda's failure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.elsewhere import FunctionsElsewhere
from local.lambda_runtime.errors import FunctionNotFound, InvalidRequestContent, ServiceError, TooManyRequests
from local.lambda_runtime.handover import HandedOver, hand_over
from local.lambda_runtime.reference import FunctionReference
from tests.outages.service import Service, free_ports
from tests.unit.lambda_runtime.deployments import DeploymentsInMemory

NAMES = ("echo", "environment", "fail", "none")


@pytest.fixture
def handed_over(deployments: DeploymentsInMemory, cache_dir: Path, tmp_path: Path) -> Path:
    for name in NAMES[:-1]:
        deployments.deploy(name, f"app.{name}", environment={"DEPLOYED": "yes"})
    deployments.deploy("none", "app.echo", reserved_concurrency=0)
    hand_over(tmp_path / "functions.json", deployments, NAMES, {"OUTSIDE": "too"}, cache_dir)
    return tmp_path / "functions.json"


@pytest.fixture
def service(handed_over: Path, cache_dir: Path, tmp_path: Path) -> Iterator[Service]:
    service = Service(free_ports(1)[0], tmp_path / "runtime.log")
    places = ("--functions", str(handed_over), "--cache", str(cache_dir), "--logs", str(tmp_path / "logs"))
    service.start("local.lambda_runtime", *places)
    yield service
    service.close()


def test_what_was_handed_over_is_what_was_deployed(handed_over: Path, deployments: DeploymentsInMemory) -> None:
    reference = FunctionReference("environment")
    assert HandedOver(handed_over).resolve(reference) == list(deployments.resolve(reference))
    with pytest.raises(FunctionNotFound):
        HandedOver(handed_over).resolve(FunctionReference("another"))


def test_another_process_runs_it_refuses_as_lambda_does_and_is_a_failing_service_once_killed(service: Service) -> None:
    functions = FunctionsElsewhere(service.url)
    asked = json.dumps(["DEPLOYED", "OUTSIDE"]).encode()
    assert json.loads(functions.invoke("environment", asked).payload) == {"DEPLOYED": "yes", "OUTSIDE": "too"}
    failed = functions.invoke("fail", b"{}")
    assert (failed.function_error, json.loads(failed.payload)["errorType"]) == ("Unhandled", "RetryableError")
    with pytest.raises(FunctionNotFound, match="another"):
        functions.invoke("another", b"{}")
    with pytest.raises(InvalidRequestContent):
        functions.invoke("echo", b"no JSON")
    with pytest.raises(TooManyRequests) as refusal:
        functions.invoke("none", b"{}")
    assert refusal.value.reason == "ReservedFunctionConcurrentInvocationLimitExceeded"

    service.kill()
    with pytest.raises(ServiceError):
        functions.invoke("echo", b"{}")
