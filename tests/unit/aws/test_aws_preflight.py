"""What EC2 would refuse: what a dry run finds, and the arithmetic of standard vCPUs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lambdas.core.preflight import Shortage
from local.aws.ec2 import quotas
from tests.contract.aws_cloud import aws_cloud
from tests.contract.cloud import PublicCloud


@pytest.fixture
def ec2() -> Iterator[PublicCloud]:
    with aws_cloud() as cloud:
        yield cloud


def sizes(ec2: PublicCloud, *names: str) -> list[Shortage]:
    intents = [ec2.intent(resource_id=f"web-{place}", size=name) for place, name in enumerate(names)]
    return ec2.provider.shortages(intents)


def test_what_runs_already_counts_against_the_quota(ec2: PublicCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quotas, "STANDARD_VCPUS", 4.0)
    assert sizes(ec2, "t3.micro", "t3.micro") == []  # two vCPUs each

    ec2.provider.create(ec2.intent(resource_id="running"), "instance")
    ec2.clock.advance(60)

    [shortage] = sizes(ec2, "t3.micro", "t3.micro")
    assert shortage.resources == ("web-0", "web-1")
    assert (shortage.needed, shortage.available) == (4, 2)
    assert "L-1216C47A" in shortage.message


def test_a_terminated_instance_no_longer_counts(ec2: PublicCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quotas, "STANDARD_VCPUS", 2.0)
    gone = ec2.intent(resource_id="gone")
    ec2.provider.create(gone, "instance")
    ec2.clock.advance(60)
    ec2.provider.delete(gone)
    ec2.clock.advance(60)

    assert sizes(ec2, "t3.micro") == []


def test_a_family_with_a_quota_of_its_own_is_left_to_ec2(ec2: PublicCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quotas, "STANDARD_VCPUS", 0.0)

    assert sizes(ec2, "g4dn.xlarge", "inf1.xlarge") == []


def test_a_dry_run_names_what_is_wrong_with_the_launch(ec2: PublicCloud) -> None:
    [shortage] = ec2.provider.shortages([ec2.intent(subnet="subnet-0missing")])

    assert shortage.code == "InvalidSubnetID.NotFound"
    assert (shortage.resources, shortage.location) == (("web",), "eu-west-1")
    assert (shortage.needed, shortage.available) == (None, None)


def test_disks_are_left_to_ebs(ec2: PublicCloud) -> None:
    before = len(ec2.calls())

    assert ec2.provider.shortages([ec2.intent("disk", "data")]) == []
    assert len(ec2.calls()) == before
