"""What the readers say of resources that not every deployment has: all that was deployed, and what was not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.aws.account import create_app
from local.clock import VirtualClock
from local.http_server import serve
from tests.deploys import billing_resources, cluster_resources
from tests.deploys.cluster_resources import arn
from tests.deploys.comparing import DeployedStack
from tests.deploys.reading import Account

RESOURCES = cluster_resources.RESOURCES | billing_resources.RESOURCES
READ_HERE = sorted(set(RESOURCES) - {"Worker", "Role", "Key"})  # what the stacks hold, the first deployment reads


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return {"Resources": {name: {"Type": kind, "Properties": it} for name, (kind, it) in RESOURCES.items()}}


@pytest.fixture(scope="module")
def account(template: dict[str, Any]) -> Iterator[Account]:
    with serve(create_app(VirtualClock()), name="account") as server:
        opened = Account(server.url)
        opened.client("cloudformation").create_stack(StackName="cluster", TemplateBody=json.dumps(template))
        yield opened


@pytest.fixture(scope="module")
def stack(account: Account, template: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> DeployedStack:
    return deployed(account, template, tmp_path_factory.mktemp("template"))


def deployed(account: Account, template: dict[str, Any], folder: Path) -> DeployedStack:
    file = folder / "cluster.template.json"
    file.write_text(json.dumps(template))
    return DeployedStack(account, "cluster", file)


@pytest.mark.parametrize("name", READ_HERE)
def test_every_property_is_read_back(stack: DeployedStack, name: str) -> None:
    assert stack.differences(name) == []


@pytest.mark.parametrize(
    ("name", "properties"),
    [
        ("Queue", {"VisibilityTimeout": 901}),
        ("Queue", {"RedrivePolicy": {"deadLetterTargetArn": arn("Dead"), "maxReceiveCount": 6}}),
        ("Queue", {"Tags": [{"Key": "cluster", "Value": "west"}]}),
        ("QueuePolicy", {"PolicyDocument": {"Version": "2012-10-17", "Statement": []}}),
        ("ToVersion", {"ScalingConfig": {"MaximumConcurrency": 5}}),
        ("ToVersion", {"FunctionName": {"Ref": "Worker"}}),
        ("ToFunction", {"Enabled": True}),
        ("Schedule", {"ScheduleExpression": "rate(2 minutes)"}),
        ("Login", {"KmsKeyId": {"Ref": "Queue"}}),
        (
            "Login",
            {"GenerateSecretString": {"GenerateStringKey": "password", "SecretStringTemplate": '{"username": "x"}'}},
        ),
        ("Agent", {"Roles": []}),
        ("Bucket", {"VersioningConfiguration": {"Status": "Suspended"}}),
        ("Bucket", {"OwnershipControls": {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}}),
        ("BucketPolicy", {"PolicyDocument": {"Version": "2012-10-17", "Statement": []}}),
        ("Catalog", {"DatabaseInput": {"Name": "west"}}),
        ("Costs", {"TableInput": {"Parameters": {"projection.source.values": "east"}}}),
        ("Questions", {"WorkGroupConfiguration": {"BytesScannedCutoffPerQuery": 1}}),
        ("Agent", {"PolicyDocument": {"Version": "2012-10-17", "Statement": []}}),
    ],
)
def test_what_is_not_as_the_template_says_is_named(
    account: Account, template: dict[str, Any], tmp_path: Path, name: str, properties: dict[str, Any]
) -> None:
    kind, given = RESOURCES[name]
    other = {"Resources": {**template["Resources"], name: {"Type": kind, "Properties": {**given, **properties}}}}
    (difference,) = deployed(account, other, tmp_path).differences(name)
    assert difference.startswith(next(iter(properties)))
