"""An instance's life, as the EC2 client sees it."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.unit.local_aws.conftest import Account

REGION = "eu-west-1"
LAUNCH: dict[str, Any] = {
    "ImageId": "ami-0abc1234567890def",
    "InstanceType": "t3.micro",
    "MinCount": 1,
    "MaxCount": 1,
}


@pytest.fixture
def ec2(account: Account) -> Any:
    return account.client("ec2", REGION)


def refused(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**parameters)
    return str(error.value.response["Error"]["Code"])


def state(ec2: Any, instance_id: str) -> str:
    return str(instance(ec2, instance_id)["State"]["Name"])


def instance(ec2: Any, instance_id: str) -> Any:
    return ec2.describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]


def started(ec2: Any, account: Account, **parameters: Any) -> str:
    instance_id = str(ec2.run_instances(**LAUNCH, **parameters)["Instances"][0]["InstanceId"])
    account.clock.advance(5)
    return instance_id


def test_is_not_found_at_first_then_pending_then_running(ec2: Any, account: Account) -> None:
    instance_id = ec2.run_instances(**LAUNCH)["Instances"][0]["InstanceId"]
    assert refused(ec2.describe_instances, InstanceIds=[instance_id]) == "InvalidInstanceID.NotFound"
    assert refused(ec2.terminate_instances, InstanceIds=[instance_id]) == "InvalidInstanceID.NotFound"
    assert ec2.describe_instances()["Reservations"] == []
    account.clock.advance(1)
    assert state(ec2, instance_id) == "pending"
    account.clock.advance(1)
    assert state(ec2, instance_id) == "running"


def test_passes_its_status_checks_once_it_runs(ec2: Any, account: Account) -> None:
    instance_id = started(ec2, account)
    (status,) = ec2.describe_instance_status(InstanceIds=[instance_id])["InstanceStatuses"]
    assert (status["InstanceStatus"]["Status"], status["SystemStatus"]["Status"]) == ("ok", "ok")


def test_shuts_down_before_it_is_terminated(ec2: Any, account: Account) -> None:
    instance_id = started(ec2, account)
    answer = ec2.terminate_instances(InstanceIds=[instance_id])["TerminatingInstances"][0]
    assert (answer["PreviousState"]["Name"], answer["CurrentState"]["Name"]) == ("running", "shutting-down")
    assert state(ec2, instance_id) == "shutting-down"
    account.clock.advance(2)
    assert state(ec2, instance_id) == "terminated"


def test_terminated_while_pending_never_runs(ec2: Any, account: Account) -> None:
    instance_id = ec2.run_instances(**LAUNCH)["Instances"][0]["InstanceId"]
    account.clock.advance(1)
    ec2.terminate_instances(InstanceIds=[instance_id])
    account.clock.advance(1.5)
    assert state(ec2, instance_id) == "shutting-down"
    account.clock.advance(1)
    assert state(ec2, instance_id) == "terminated"


def test_terminating_again_is_no_error_and_changes_nothing(ec2: Any, account: Account) -> None:
    instance_id = started(ec2, account)
    for _ in range(2):
        ec2.terminate_instances(InstanceIds=[instance_id])
    account.clock.advance(2)
    again = ec2.terminate_instances(InstanceIds=[instance_id])["TerminatingInstances"][0]
    assert again["CurrentState"]["Name"] == "terminated"


def test_is_forgotten_an_hour_after_it_was_terminated(ec2: Any, account: Account) -> None:
    instance_id = started(ec2, account)
    ec2.terminate_instances(InstanceIds=[instance_id])
    account.clock.advance(3700)
    assert refused(ec2.describe_instances, InstanceIds=[instance_id]) == "InvalidInstanceID.NotFound"


def test_stops_and_starts_again(ec2: Any, account: Account) -> None:
    instance_id = started(ec2, account)
    ec2.stop_instances(InstanceIds=[instance_id])
    assert state(ec2, instance_id) == "stopping"
    assert refused(ec2.start_instances, InstanceIds=[instance_id]) == "IncorrectInstanceState"
    account.clock.advance(2)
    assert state(ec2, instance_id) == "stopped"
    ec2.start_instances(InstanceIds=[instance_id])
    account.clock.advance(2)
    assert state(ec2, instance_id) == "running"


def test_max_count_is_how_many_are_started(ec2: Any) -> None:
    assert len(ec2.run_instances(**{**LAUNCH, "MaxCount": 3})["Instances"]) == 3


def test_its_root_volume_and_interface_go_with_it(ec2: Any, account: Account) -> None:
    instance_id = started(ec2, account)
    assert len(ec2.describe_volumes()["Volumes"]) == 1
    ec2.terminate_instances(InstanceIds=[instance_id])
    account.clock.advance(1)
    assert len(ec2.describe_volumes()["Volumes"]) == 1, "nothing goes before the instance has"
    account.clock.advance(1)
    assert ec2.describe_volumes()["Volumes"] == []
    assert ec2.describe_network_interfaces()["NetworkInterfaces"] == []


def test_leaves_behind_what_was_not_to_be_deleted(ec2: Any, account: Account) -> None:
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    interface = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    instance_id = started(
        ec2,
        account,
        NetworkInterfaces=[{"DeviceIndex": 0, "NetworkInterfaceId": interface}],
        BlockDeviceMappings=[
            {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 5, "DeleteOnTermination": False}},
        ],
    )
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    ec2.associate_address(AllocationId=address, InstanceId=instance_id)
    ec2.terminate_instances(InstanceIds=[instance_id])
    account.clock.advance(2)
    assert [(v["Size"], v["State"]) for v in ec2.describe_volumes()["Volumes"]] == [(5, "available")]
    (left,) = ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert (left["NetworkInterfaceId"], left["Status"]) == (interface, "available")
    (free,) = ec2.describe_addresses()["Addresses"]
    assert "AssociationId" not in free
    ec2.release_address(AllocationId=address)
    ec2.delete_network_interface(NetworkInterfaceId=interface)


def test_tags_reach_instance_volumes_and_interfaces(ec2: Any, account: Account) -> None:
    tags = [{"Key": "skysaga-saga", "Value": "s1"}]
    kinds = ("instance", "volume", "network-interface")
    started(ec2, account, TagSpecifications=[{"ResourceType": kind, "Tags": tags} for kind in kinds])
    marked = [{"Name": "tag:skysaga-saga", "Values": ["s1"]}]
    assert len(ec2.describe_instances(Filters=marked)["Reservations"]) == 1
    assert len(ec2.describe_volumes(Filters=marked)["Volumes"]) == 1
    assert len(ec2.describe_network_interfaces(Filters=marked)["NetworkInterfaces"]) == 1


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"InstanceType": "t99.gigantic"}, "InvalidParameterValue"),
        ({"SubnetId": "subnet-00000000"}, "InvalidSubnetID.NotFound"),
        ({"ImageId": "debian-12"}, "InvalidAMIID.Malformed"),
        ({"DryRun": True}, "DryRunOperation"),
        ({"ClientToken": "x" * 65}, "InvalidParameterValue"),
    ],
)
def test_a_refused_launch_starts_nothing(ec2: Any, account: Account, wrong: dict[str, Any], code: str) -> None:
    assert refused(ec2.run_instances, **{**LAUNCH, **wrong}) == code
    account.clock.advance(5)
    assert ec2.describe_instances()["Reservations"] == []


def test_a_dry_run_does_not_use_up_the_token(ec2: Any) -> None:
    assert refused(ec2.run_instances, **LAUNCH, ClientToken="t", DryRun=True) == "DryRunOperation"
    assert ec2.run_instances(**LAUNCH, ClientToken="t")["Instances"]


def test_an_hour_of_waiting_happens_in_order(ec2: Any, account: Account) -> None:
    instance_id = started(ec2, account)
    ec2.stop_instances(InstanceIds=[instance_id])
    account.clock.advance(3600)
    assert state(ec2, instance_id) == "stopped"
