"""A volume's life, as the EC2 client sees it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.local_aws.conftest import Account
from tests.unit.local_aws.test_ec2_instances import REGION, refused, started


@pytest.fixture
def ec2(account: Account) -> Any:
    return account.client("ec2", REGION)


def created(ec2: Any, account: Account, zone: str = "eu-west-1a") -> str:
    volume_id = str(ec2.create_volume(AvailabilityZone=zone, Size=10)["VolumeId"])
    account.clock.advance(1)
    return volume_id


def volume(ec2: Any, volume_id: str) -> Any:
    return ec2.describe_volumes(VolumeIds=[volume_id])["Volumes"][0]


def test_is_creating_then_available(ec2: Any, account: Account) -> None:
    answer = ec2.create_volume(AvailabilityZone="eu-west-1a", Size=10)
    assert answer["State"] == "creating"
    assert volume(ec2, answer["VolumeId"])["State"] == "creating"
    account.clock.advance(1)
    assert volume(ec2, answer["VolumeId"])["State"] == "available"


def test_is_attaching_then_attached(ec2: Any, account: Account) -> None:
    instance_id, volume_id = started(ec2, account), created(ec2, account)
    ec2.attach_volume(VolumeId=volume_id, InstanceId=instance_id, Device="/dev/sdf")
    assert volume(ec2, volume_id)["Attachments"][0]["State"] == "attaching"
    account.clock.advance(1)
    seen = volume(ec2, volume_id)
    assert (seen["State"], seen["Attachments"][0]["State"]) == ("in-use", "attached")


def test_is_refused_while_creating_in_use_or_in_another_zone(ec2: Any, account: Account) -> None:
    instance_id = started(ec2, account)
    attach = {"InstanceId": instance_id, "Device": "/dev/sdf"}
    early = ec2.create_volume(AvailabilityZone="eu-west-1a", Size=10)["VolumeId"]
    assert refused(ec2.attach_volume, VolumeId=early, **attach) == "IncorrectState"
    elsewhere = created(ec2, account, "eu-west-1b")
    assert refused(ec2.attach_volume, VolumeId=elsewhere, **attach) == "InvalidVolume.ZoneMismatch"
    ec2.attach_volume(VolumeId=early, **attach)
    assert refused(ec2.attach_volume, VolumeId=early, **attach) == "VolumeInUse"
    another = created(ec2, account)
    assert refused(ec2.attach_volume, VolumeId=another, **attach) == "InvalidParameterValue"


def test_is_not_attached_to_an_instance_that_does_not_run_yet(ec2: Any, account: Account) -> None:
    volume_id = created(ec2, account)
    launched = ec2.run_instances(ImageId="ami-1", InstanceType="t3.micro", MinCount=1, MaxCount=1)
    account.clock.advance(1)
    instance_id = launched["Instances"][0]["InstanceId"]
    attach = {"VolumeId": volume_id, "InstanceId": instance_id, "Device": "/dev/sdf"}
    assert refused(ec2.attach_volume, **attach) == "IncorrectState"


def test_detaches_after_a_while(ec2: Any, account: Account) -> None:
    instance_id, volume_id = started(ec2, account), created(ec2, account)
    ec2.attach_volume(VolumeId=volume_id, InstanceId=instance_id, Device="/dev/sdf")
    account.clock.advance(1)
    assert ec2.detach_volume(VolumeId=volume_id)["State"] == "detaching"
    assert refused(ec2.delete_volume, VolumeId=volume_id) == "VolumeInUse"
    account.clock.advance(1)
    assert volume(ec2, volume_id)["State"] == "available"


def test_the_root_volume_of_a_running_instance_stays(ec2: Any, account: Account) -> None:
    started(ec2, account)
    root = ec2.describe_volumes()["Volumes"][0]["VolumeId"]
    assert refused(ec2.detach_volume, VolumeId=root) == "OperationNotPermitted"


def test_is_deleting_then_gone(ec2: Any, account: Account) -> None:
    volume_id = created(ec2, account)
    ec2.delete_volume(VolumeId=volume_id)
    assert volume(ec2, volume_id)["State"] == "deleting"
    assert refused(ec2.delete_volume, VolumeId=volume_id) == "InvalidVolume.NotFound"
    account.clock.advance(1)
    assert refused(ec2.describe_volumes, VolumeIds=[volume_id]) == "InvalidVolume.NotFound"


def test_can_be_deleted_only_when_its_instance_has_gone(ec2: Any, account: Account) -> None:
    instance_id, volume_id = started(ec2, account), created(ec2, account)
    ec2.attach_volume(VolumeId=volume_id, InstanceId=instance_id, Device="/dev/sdf")
    ec2.terminate_instances(InstanceIds=[instance_id])
    assert refused(ec2.delete_volume, VolumeId=volume_id) == "VolumeInUse"
    account.clock.advance(3)
    ec2.delete_volume(VolumeId=volume_id)
    account.clock.advance(1)
    assert ec2.describe_volumes()["Volumes"] == []


def test_is_found_by_the_state_it_is_in(ec2: Any, account: Account) -> None:
    created(ec2, account)
    creating = ec2.create_volume(AvailabilityZone="eu-west-1a", Size=1)["VolumeId"]
    found = ec2.describe_volumes(Filters=[{"Name": "status", "Values": ["creating"]}])["Volumes"]
    assert [v["VolumeId"] for v in found] == [creating]
