"""EC2 under the provider contract."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest import mock

from pydantic import TypeAdapter

from lambdas.aws.provider import AwsProvider
from lambdas.core.specs import ResourceDefinition
from local.aws.account import create_ec2
from local.clock import VirtualClock
from local.http_server import serve
from tests.contract.cloud import PublicCloud

REGION = "eu-west-1"


def definition(kind: str = "instance", resource_id: str = "web", **spec: Any) -> ResourceDefinition:
    """A valid resource of AWS."""
    usual: dict[str, dict[str, Any]] = {
        "instance": {"image": "ami-0abc1234567890def", "size": "t3.micro"},
        "disk": {"size_gb": 20, "zone": f"{REGION}a"},
    }
    document = {"id": resource_id, "provider": "aws", "kind": kind, "region": REGION, "spec": {**usual[kind], **spec}}
    return TypeAdapter[ResourceDefinition](ResourceDefinition).validate_python(document)


@contextmanager
def aws_cloud(clock: VirtualClock | None = None, seconds: Mapping[str, float] | None = None) -> Iterator[PublicCloud]:
    """EC2 on a clock of its own, and the provider that drives it; `seconds` overrides what operations take."""
    clock = clock or VirtualClock()
    ec2 = create_ec2(clock, ec2_seconds=seconds, sleep=clock.advance)
    with serve(ec2, name="ec2") as server:
        environment = {
            "AWS_ENDPOINT_URL": server.url,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_SWEEP_REGIONS": f"{REGION}, us-east-1",
        }
        with mock.patch.dict(os.environ, environment):
            yield PublicCloud(
                provider=AwsProvider.from_environment(os.environ),
                clock=clock,
                definition=definition,
                arm=ec2.faults.arm,
                disarm=ec2.faults.disarm,
                inventory=lambda: [it for it in ec2.inventory() if "skysaga-saga" in it["marks"]],
                calls=lambda: list(ec2.log),
                creates=("RunInstances", "CreateVolume"),
                deletes=("TerminateInstances", "DeleteVolume"),
                limits="GetServiceQuota",
                unknown_size="m5.9999xlarge",
            )
