"""What watches over sagas, as deployed: the rescue rule, the expiry of sagas, and the sweep."""

from __future__ import annotations

import json
import time
from typing import Any
from uuid import uuid4

import boto3
import requests
import yaml
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.demo.story import REQUEST
from local.grants import grant_operator
from local.machine import CREDENTIALS, GUEST, OPERATOR, REGION
from tests.e2e.conftest import SDK_CREDENTIALS, Deployment, state_machine
from tests.e2e.private import grants


def until(deployment: Deployment, saga_id: str, status: str, seconds: float) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while (saga := deployment.api.get(saga_id))["status"] != status:
        assert time.monotonic() < deadline, saga
        time.sleep(0.2)
    return {**saga}


def test_a_saga_whose_execution_is_stopped_is_undone(deployment: Deployment, stepfunctions: Any) -> None:
    saga_id = deployment.submit()
    until(deployment, saga_id, "PROVISIONING", 20)
    while not deployment.held():
        time.sleep(0.1)
    arn = state_machine(stepfunctions, "skysaga-provisioning").replace(":stateMachine:", ":execution:")
    stepfunctions.stop_execution(executionArn=f"{arn}:{saga_id}")
    until(deployment, saga_id, "ROLLED_BACK", 60)
    assert deployment.held() == []


def test_a_saga_is_released_when_its_time_to_live_has_run_out(deployment: Deployment) -> None:
    document = {**yaml.safe_load(REQUEST.read_text()), "ttl": "20s"}
    saga = deployment.api.submit(json.dumps(document).encode(), "application/json", str(uuid4()))
    assert deployment.wait(saga["id"])["status"] == "COMMITTED"
    assert deployment.held()
    ended = until(deployment, saga["id"], "RELEASED", 60)
    assert ended["finished_at"] > ended["expires_at"]
    assert deployment.held() == []
    schedules = boto3.client("scheduler", region_name=REGION, endpoint_url=deployment.endpoints.aws, **SDK_CREDENTIALS)
    assert schedules.list_schedules(GroupName="skysaga-expiry")["Schedules"] == []


def test_a_dry_sweep_lists_what_no_saga_knows_and_touches_nothing(deployment: Deployment) -> None:
    ec2 = boto3.client("ec2", region_name="eu-west-1", endpoint_url=deployment.endpoints.aws, **SDK_CREDENTIALS)
    marks: list[Any] = [{"Key": "skysaga-saga", "Value": "s-of-others"}, {"Key": "skysaga-resource", "Value": "data"}]
    volume = ec2.create_volume(
        AvailabilityZone="eu-west-1a", Size=8, TagSpecifications=[{"ResourceType": "volume", "Tags": marks}]
    )
    grant_operator(deployment.endpoints.aws, REGION, OPERATOR)
    try:
        swept = sweep(deployment, dry_run=True)
        assert [it["cloud_id"] for it in swept["unknown"]] == [volume["VolumeId"]]
        assert (swept["orphans"], swept["releases"]) == ([], [])
        assert sweep(deployment, dry_run=False)["releases"] == []
        assert [it["id"] for it in deployment.held()] == [volume["VolumeId"]]
    finally:
        ec2.delete_volume(VolumeId=volume["VolumeId"])
        grants(deployment, [])


def test_nobody_sweeps_who_was_not_granted_it(deployment: Deployment) -> None:
    answer = call(deployment, GUEST, "POST", "/sweeps", {"dry_run": True})
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/not-granted")


def test_what_is_not_served_is_answered_with_a_problem_to_those_who_are_let_in_and_to_nobody_else(
    deployment: Deployment,
) -> None:
    for method, path, status in [("GET", "/nothing", 404), ("PATCH", "/sagas", 405)]:
        answer = call(deployment, GUEST, method, path)
        assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    assert requests.get(f"{deployment.endpoints.api}/nothing", timeout=10).json() == {"message": "Forbidden"}


def sweep(deployment: Deployment, *, dry_run: bool) -> dict[str, Any]:
    """What a sweep finds that is started as operators start it."""
    started = call(deployment, CREDENTIALS, "POST", "/sweeps", {"dry_run": dry_run})
    while started.status_code == 403:  # what is granted is looked at once a second
        time.sleep(0.2)
        started = call(deployment, CREDENTIALS, "POST", "/sweeps", {"dry_run": dry_run})
    assert started.status_code == 202, started.text
    while (ended := call(deployment, CREDENTIALS, "GET", started.headers["Location"]).json())["status"] == "RUNNING":
        time.sleep(0.2)
    assert (ended["status"], ended["dry_run"]) == ("COMPLETE", dry_run)
    result: dict[str, Any] = ended["result"]
    return result


def call(
    deployment: Deployment, keys: dict[str, str], method: str, path: str, document: Any = None
) -> requests.Response:
    ((access_key, secret_key),) = keys.items()
    url, body = deployment.endpoints.api + path, None if document is None else json.dumps(document)
    request = AWSRequest(method, url, data=body, headers={"Content-Type": "application/json"})
    SigV4Auth(Credentials(access_key, secret_key), "execute-api", REGION).add_auth(request)
    return requests.request(method, url, data=body, headers=dict(request.headers.items()), timeout=30)
