"""The saga as a user meets it: over HTTP, on what is deployed, against three clouds."""

from __future__ import annotations

import io
import json
import time
from collections import Counter
from uuid import uuid4

import boto3
import pytest
import requests
import yaml
from rich.console import Console

from cli.client import ApiProblem
from lambdas.core.division import MOST_UNDIVIDED
from local.demo.screen import Screen
from local.demo.story import REQUEST, tell
from local.lambda_runtime.runtime import LambdaRuntime
from local.machine import REGION
from tests.e2e.conftest import Deployment

SSH_KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIHbW3bFfQvX1pV2yN7c4oYxkq5n8uTgJrL0sZdEwKmAa"


def test_the_demo_commits_then_rolls_back_and_leaves_three_empty_clouds(deployment: Deployment) -> None:
    output = io.StringIO()
    tell(deployment.endpoints, Screen(Console(file=output, width=200)))
    shown = output.getvalue()
    assert shown.index("COMMITTED") < shown.index("ZONE_RESOURCE_POOL_EXHAUSTED") < shown.index("ROLLED_BACK")
    assert shown.count("nothing") == 3
    assert deployment.held() == []


def test_a_worker_killed_in_the_middle_of_a_create_is_made_up_for(deployment: Deployment) -> None:
    saga_id = deployment.submit()
    killed = _kill_one_busy(deployment, ("skysaga-gcp-create", "skysaga-azure-create", "skysaga-aws-create"))
    saga = deployment.wait(saga_id)
    assert killed
    assert saga["status"] == "COMMITTED", saga
    assert sorted(it["type"] for it in deployment.held() if "web-gcp" in it["name"]) == ["disk", "instance"]
    deployment.destroy(saga_id)
    assert deployment.held() == []


def _kill_one_busy(deployment: Deployment, functions: tuple[str, ...]) -> bool:
    runtime = deployment.machine.runtime
    assert isinstance(runtime, LambdaRuntime)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if any(runtime.kill(function) for function in functions):
            return True
        time.sleep(0.002)
    return False


def test_cancelling_undoes(deployment: Deployment) -> None:
    saga_id = deployment.submit()
    deployment.api.cancel(saga_id)
    assert deployment.wait(saga_id)["status"] == "ROLLED_BACK"
    assert deployment.held() == []


def test_a_saga_that_wants_approval_waits_for_it_and_then_commits(deployment: Deployment) -> None:
    disk = {"id": "data", "provider": "gcp", "kind": "disk", "zone": "europe-west1-b", "spec": {"size_gb": 10}}
    document = {"name": "careful", "approval": {"before": "commit"}, "preflight": False, "resources": [disk]}
    saga_id = deployment.api.submit(json.dumps(document).encode(), "application/json", str(uuid4()))["id"]
    for event in deployment.api.follow(saga_id):
        if event["status"] == "AWAITING_APPROVAL":
            assert deployment.api.get(saga_id)["resources"][0]["status"] == "READY"
            deployment.api.approve(saga_id)
    saga = deployment.api.get(saga_id)
    assert saga["approval"] is not None
    assert (saga["status"], saga["approval"]["approved_by"]) == ("COMMITTED", "arn:aws:iam::123456789012:user/local")
    deployment.destroy(saga_id)


def test_a_saga_of_many_resources_commits_and_every_change_of_every_shard_is_told_once(deployment: Deployment) -> None:
    ids = [f"disk-{number}" for number in range(MOST_UNDIVIDED + 1)]
    disks = [
        {"id": it, "provider": "gcp", "kind": "disk", "zone": "europe-west1-b", "spec": {"size_gb": 10}} for it in ids
    ]
    document = json.dumps({"name": "many", "resources": disks}).encode()
    saga_id = deployment.api.submit(document, "application/json", str(uuid4()))["id"]
    told = Counter((it["resource"], it["status"]) for it in deployment.api.follow(saga_id) if it["message"] is None)
    saga = deployment.api.get(saga_id)
    assert (saga["status"], saga["resource_counts"]) == ("COMMITTED", {"READY": len(ids)})
    assert set(ids) == {it["id"] for it in saga["resources"]}
    assert {told[it, status] for it in ids for status in ("CREATING", "READY")} == {1}
    deployment.destroy(saga_id)
    assert deployment.held() == []


def test_the_same_key_and_request_again_is_the_same_saga_and_another_request_is_refused(
    deployment: Deployment,
) -> None:
    saga_id = deployment.submit("key-1")
    assert deployment.submit("key-1") == saga_id
    other = REQUEST.read_text().replace("t3.micro", "t3.small").encode()
    with pytest.raises(ApiProblem) as refusal:
        deployment.api.submit(other, "application/yaml", "key-1")
    assert refusal.value.status == 409
    deployment.api.cancel(saga_id)
    deployment.wait(saga_id)


def test_bad_input_names_every_field_and_starts_nothing(deployment: Deployment) -> None:
    document = yaml.safe_load(REQUEST.read_text())
    document["colour"] = "blue"
    document["resources"][0]["region"] = "eu-west-11"
    document["resources"][1]["provider"] = "amazon"
    document["resources"][3]["id"] = document["resources"][2]["id"]
    document["resources"][4]["depends_on"] = ["web-gcp"]
    document["resources"][4]["spec"]["size_gb"] = "50"
    before = _executions(deployment)
    with pytest.raises(ApiProblem) as refusal:
        deployment.api.submit(json.dumps(document).encode(), "application/json", "key-bad")
    assert refusal.value.status == 422
    fields = {error["field"] for error in refusal.value.problem["errors"]}
    assert {
        "colour",
        "resources[0].region",
        "resources[1].provider",
        "resources[3].id",
        "resources[4].spec.size_gb",
    } <= fields
    assert any(field.endswith("depends_on") for field in fields)
    assert _executions(deployment) == before


def test_an_unsigned_request_is_forbidden_and_health_is_open(deployment: Deployment) -> None:
    assert requests.get(f"{deployment.endpoints.api}/sagas", timeout=10).status_code == 403
    assert requests.get(f"{deployment.endpoints.api}/healthz", timeout=10).json() == {"status": "ok"}


def test_logs_carry_the_saga_id_and_neither_logs_nor_histories_carry_what_was_sent(deployment: Deployment) -> None:
    saga_id = deployment.submit()
    deployment.wait(saga_id)
    deployment.destroy(saga_id)
    logs = {path.stem: path.read_text() for path in deployment.logs.glob("skysaga-*.log")}
    for name in ("skysaga-saga", "skysaga-aws-create", "skysaga-azure-observe", "skysaga-gcp-delete"):
        assert f'"correlation_id":"{saga_id}"' in logs[name], name
    for name, text in logs.items():
        assert SSH_KEY not in text, name
    assert SSH_KEY not in _histories(deployment)


def test_every_function_traces_and_counts(deployment: Deployment) -> None:
    text = (deployment.logs / "skysaga-aws-create.log").read_text()
    assert '"Namespace":"skysaga"' in text
    assert '"xray_trace_id"' in text


def _stepfunctions(deployment: Deployment):  # type: ignore[no-untyped-def]  # boto3 has no public client type
    return boto3.client(
        "stepfunctions",
        region_name=REGION,
        endpoint_url=deployment.endpoints.stepfunctions,
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )


def _executions(deployment: Deployment) -> set[str]:
    client = _stepfunctions(deployment)
    machines = client.list_state_machines()["stateMachines"]
    return {
        execution["executionArn"]
        for machine in machines
        for page in client.get_paginator("list_executions").paginate(stateMachineArn=machine["stateMachineArn"])
        for execution in page["executions"]
    }


def _histories(deployment: Deployment) -> str:
    client = _stepfunctions(deployment)
    pages = [
        page
        for arn in _executions(deployment)
        for page in client.get_paginator("get_execution_history").paginate(executionArn=arn)
    ]
    return json.dumps(pages, default=str)
