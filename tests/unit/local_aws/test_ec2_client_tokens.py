"""EC2's idempotency, which moto ignores."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.local_aws.conftest import Account
from tests.unit.local_aws.test_ec2_instances import LAUNCH, REGION, refused, started


@pytest.fixture
def ec2(account: Account) -> Any:
    return account.client("ec2", REGION)


def subnet_in(ec2: Any, zone: str) -> str:
    (subnet,) = ec2.describe_subnets(Filters=[{"Name": "availability-zone", "Values": [zone]}])["Subnets"]
    return str(subnet["SubnetId"])


def ids(reservation: Any) -> tuple[str, list[str]]:
    return reservation["ReservationId"], [i["InstanceId"] for i in reservation["Instances"]]


def test_a_repeated_launch_is_the_same_reservation(ec2: Any, account: Account) -> None:
    first = ec2.run_instances(**LAUNCH, ClientToken="t")
    again = ec2.run_instances(**LAUNCH, ClientToken="t")
    account.clock.advance(1)
    assert ids(first) == ids(again)
    assert len(ec2.describe_instances()["Reservations"]) == 1


def test_the_repetition_tells_the_present_state(ec2: Any, account: Account) -> None:
    started(ec2, account, ClientToken="t")
    assert ec2.run_instances(**LAUNCH, ClientToken="t")["Instances"][0]["State"]["Name"] == "running"


def test_after_termination_the_token_gives_the_old_result(ec2: Any, account: Account) -> None:
    instance_id = started(ec2, account, ClientToken="t")
    ec2.terminate_instances(InstanceIds=[instance_id])
    account.clock.advance(5)
    again = ec2.run_instances(**LAUNCH, ClientToken="t")["Instances"]
    assert [(i["InstanceId"], i["State"]["Name"]) for i in again] == [(instance_id, "terminated")]


def test_other_parameters_under_one_token_are_a_mismatch(ec2: Any) -> None:
    ec2.run_instances(**LAUNCH, ClientToken="t")
    other = {**LAUNCH, "InstanceType": "t3.small"}
    assert refused(ec2.run_instances, **other, ClientToken="t") == "IdempotentParameterMismatch"


def test_a_token_is_zonal_where_a_subnet_is_given(ec2: Any) -> None:
    launches = [
        ec2.run_instances(**LAUNCH, ClientToken="t", SubnetId=subnet_in(ec2, zone))
        for zone in ("eu-west-1a", "eu-west-1b")
    ]
    assert ids(launches[0]) != ids(launches[1])


def test_a_token_is_regional_where_no_zone_is_given(ec2: Any, account: Account) -> None:
    elsewhere = account.client("ec2", "us-east-1")
    assert ids(ec2.run_instances(**LAUNCH, ClientToken="t")) != ids(elsewhere.run_instances(**LAUNCH, ClientToken="t"))


def test_an_instance_is_found_by_its_token(ec2: Any, account: Account) -> None:
    instance_id = started(ec2, account, ClientToken="mine")
    started(ec2, account, ClientToken="other")
    found = ec2.describe_instances(Filters=[{"Name": "client-token", "Values": ["mine"]}])["Reservations"]
    assert [i["InstanceId"] for r in found for i in r["Instances"]] == [instance_id]


def test_a_refused_launch_does_not_use_up_its_token(ec2: Any) -> None:
    wrong = {**LAUNCH, "SubnetId": "subnet-00000000"}
    refused(ec2.run_instances, **wrong, ClientToken="t")
    assert ec2.run_instances(**LAUNCH, ClientToken="t")["Instances"]


def test_a_repeated_volume_is_the_same_volume(ec2: Any) -> None:
    volume = {"AvailabilityZone": "eu-west-1a", "Size": 10, "ClientToken": "v"}
    assert ec2.create_volume(**volume)["VolumeId"] == ec2.create_volume(**volume)["VolumeId"]
    assert refused(ec2.create_volume, **{**volume, "Size": 11}) == "IdempotentParameterMismatch"


def test_a_repeated_interface_is_the_same_interface(ec2: Any) -> None:
    wanted = {"SubnetId": subnet_in(ec2, "eu-west-1a"), "ClientToken": "n"}
    made = [ec2.create_network_interface(**wanted)["NetworkInterface"]["NetworkInterfaceId"] for _ in range(2)]
    assert made[0] == made[1]
