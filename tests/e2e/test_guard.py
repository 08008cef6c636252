"""What watches over sagas, as deployed: the rescue rule, the expiry of sagas, and the sweep."""

from __future__ import annotations

import json
import time
from typing import Any
from uuid import uuid4

import boto3
import yaml

from local.demo.story import REQUEST
from local.machine import REGION
from tests.e2e.conftest import SDK_CREDENTIALS, Deployment, state_machine


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


def test_a_dry_sweep_lists_what_no_saga_knows_and_touches_nothing(deployment: Deployment, stepfunctions: Any) -> None:
    ec2 = boto3.client("ec2", region_name="eu-west-1", endpoint_url=deployment.endpoints.aws, **SDK_CREDENTIALS)
    marks: list[Any] = [{"Key": "skysaga-saga", "Value": "s-of-others"}, {"Key": "skysaga-resource", "Value": "data"}]
    volume = ec2.create_volume(
        AvailabilityZone="eu-west-1a", Size=8, TagSpecifications=[{"ResourceType": "volume", "Tags": marks}]
    )
    try:
        swept = sweep(stepfunctions, dry_run=True)
        assert [it["cloud_id"] for it in swept["unknown"]] == [volume["VolumeId"]]
        assert (swept["orphans"], swept["releases"]) == ([], [])
        assert sweep(stepfunctions, dry_run=False)["releases"] == []
        assert [it["id"] for it in deployment.held()] == [volume["VolumeId"]]
    finally:
        ec2.delete_volume(VolumeId=volume["VolumeId"])


def sweep(stepfunctions: Any, *, dry_run: bool) -> dict[str, Any]:
    execution = stepfunctions.start_execution(
        stateMachineArn=state_machine(stepfunctions, "skysaga-sweep"), input=json.dumps({"dry_run": dry_run})
    )["executionArn"]
    while (ended := stepfunctions.describe_execution(executionArn=execution))["status"] == "RUNNING":
        time.sleep(0.2)
    assert ended["status"] == "SUCCEEDED", ended
    output: dict[str, Any] = json.loads(ended["output"])
    return output
