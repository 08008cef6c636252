"""What goes wrong with EC2 when a fault is armed, through its own protocol."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from tests.unit.local_aws.conftest import Account
from tests.unit.local_aws.test_ec2_instances import LAUNCH


def arm(account: Account, **fault: Any) -> None:
    request = urllib.request.Request(f"{account.url}/_simulator/faults", json.dumps([fault]).encode(), method="POST")  # noqa: S310 -- loopback
    urllib.request.urlopen(request).close()  # noqa: S310 -- loopback


def resources(account: Account) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{account.url}/_simulator/resources") as answer:  # noqa: S310 -- loopback
        found: list[dict[str, Any]] = json.load(answer)
    return found


def kinds(account: Account) -> list[str]:
    return sorted(it["type"] for it in resources(account))


@pytest.mark.parametrize(
    ("fault", "code"),
    [("throttle", "RequestLimitExceeded"), ("error", "Unavailable"), ("capacity", "InsufficientInstanceCapacity")],
)
def test_a_refused_launch_leaves_nothing(account: Account, fault: str, code: str) -> None:
    arm(account, operation="RunInstances", fault=fault)
    with pytest.raises(ClientError) as refusal:
        account.client("ec2").run_instances(**LAUNCH)
    assert refusal.value.response["Error"]["Code"] == code
    assert resources(account) == []


def test_a_lost_reply_leaves_the_instance_and_its_token_finds_it_again(account: Account) -> None:
    ec2 = account.client("ec2")
    arm(account, operation="RunInstances", fault="lost")
    with pytest.raises(ConnectionClosedError):
        ec2.run_instances(**LAUNCH, ClientToken="t")
    ec2.run_instances(**LAUNCH, ClientToken="t")
    assert kinds(account) == ["instance", "network-interface", "volume"]


def test_a_late_launch_takes_effect_after_the_caller_gave_up(account: Account) -> None:
    arm(account, operation="RunInstances", fault="late", delay=30)
    with pytest.raises(ConnectionClosedError):
        account.client("ec2").run_instances(**LAUNCH)
    account.clock.advance(29)
    assert resources(account) == []
    account.clock.advance(2)
    assert "instance" in kinds(account)


def test_a_launch_that_fails_afterwards_ends_terminated_with_a_reason(account: Account) -> None:
    ec2 = account.client("ec2")
    arm(account, operation="RunInstances", fault="fail", delay=5)
    instance_id = ec2.run_instances(**LAUNCH)["Instances"][0]["InstanceId"]
    account.clock.advance(4)
    assert described(ec2, instance_id)["State"]["Name"] == "pending"
    account.clock.advance(2)
    assert described(ec2, instance_id)["StateReason"]["Code"] == "Server.InternalError"
    assert resources(account) == []


def test_a_stale_read_does_not_know_a_young_instance(account: Account) -> None:
    ec2 = account.client("ec2")
    instance_id = ec2.run_instances(**LAUNCH)["Instances"][0]["InstanceId"]
    account.clock.advance(3)
    arm(account, operation="DescribeInstances", fault="stale", delay=60)
    with pytest.raises(ClientError, match=r"InvalidInstanceID\.NotFound"):
        described(ec2, instance_id)
    assert described(ec2, instance_id)["State"]["Name"] == "running"


def test_a_volume_that_fails_afterwards_ends_in_error_and_can_be_deleted(account: Account) -> None:
    ec2 = account.client("ec2")
    arm(account, operation="CreateVolume", fault="fail", delay=1)
    volume_id = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
    account.clock.advance(2)
    assert ec2.describe_volumes(VolumeIds=[volume_id])["Volumes"][0]["State"] == "error"
    ec2.delete_volume(VolumeId=volume_id)
    account.clock.advance(2)
    assert resources(account) == []


def described(ec2: Any, instance_id: str) -> Any:
    return ec2.describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]
