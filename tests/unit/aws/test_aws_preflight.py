"""What EC2 would refuse: what a dry run finds, and the arithmetic of standard vCPUs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lambdas.aws.preflight import MOST_LAUNCHES
from lambdas.core.model import AttachedDisk, Intent
from lambdas.core.preflight import Shortage
from lambdas.core.targets import AwsTarget
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


def asked(ec2: PublicCloud) -> list[str]:
    return [call.operation for call in ec2.calls()]


def test_thousands_of_launches_of_a_few_kinds_are_a_few_questions(
    ec2: PublicCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quotas, "STANDARD_VCPUS", 9_999.0)
    odd, small = ec2.intent(subnet="subnet-0missing"), ec2.intent(size="t3.small")
    many = [named(odd if place % 2 else small, f"web-{place}") for place in range(10_000)]

    [missing, vcpus] = ec2.provider.shortages(many)

    assert missing.code == "InvalidSubnetID.NotFound"
    assert missing.resources == tuple(f"web-{place}" for place in range(1, 10_000, 2))
    assert vcpus.resources == tuple(f"web-{place}" for place in range(0, 10_000, 2))
    assert vcpus.needed == 10_000
    assert asked(ec2).count("RunInstances") == 2
    assert len(asked(ec2)) == 5


def named(intent: Intent, resource_id: str) -> Intent:
    definition = intent.definition.model_copy(update={"id": resource_id})
    return intent.model_copy(update={"definition": definition})


def test_launches_with_disks_of_their_own_are_alike_where_these_are_in_the_same_zone(ec2: PublicCloud) -> None:
    zones = ["eu-west-1a", "eu-west-1a", "eu-west-1b"]
    disks = [AttachedDisk(f"data-{place}", f"disk-{place}", "", zone) for place, zone in enumerate(zones)]
    intents = [ec2.intent(resource_id=f"web-{place}", disks=[disk.resource_id]) for place, disk in enumerate(disks)]

    ec2.provider.shortages([it.model_copy(update={"disks": (disk,)}) for it, disk in zip(intents, disks, strict=True)])

    assert asked(ec2).count("RunInstances") == 2


def test_of_too_many_kinds_of_launches_the_first_are_asked_for_and_the_others_not_refused(ec2: PublicCloud) -> None:
    many = [ec2.intent(resource_id=f"web-{place}", size=f"m5.{place}xxxlarge") for place in range(3 * MOST_LAUNCHES)]

    refusals = ec2.provider.shortages(many)

    assert [it.resources for it in refusals] == [(f"web-{place}",) for place in range(MOST_LAUNCHES)]
    assert asked(ec2).count("RunInstances") == MOST_LAUNCHES


def test_what_was_not_asked_for_counts_against_the_quota_where_its_size_is_known(
    ec2: PublicCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quotas, "STANDARD_VCPUS", 2.0)
    many = [ec2.intent(resource_id=f"web-{gb}", disk_gb=gb) for gb in range(10, 10 + 2 * MOST_LAUNCHES)]

    [shortage] = ec2.provider.shortages([*many, ec2.intent(resource_id="odd", size="m5.9999xlarge")])

    assert (shortage.code, len(shortage.resources)) == ("QuotaExceeded", 2 * MOST_LAUNCHES)


def test_the_more_targets_there_are_the_fewer_launches_are_asked_for_in_each(ec2: PublicCloud) -> None:
    many = [
        ec2.intent(resource_id=f"web-{place}", disk_gb=10 + place).model_copy(
            update={"target": AwsTarget(name=f"account-{place % 2}")}
        )
        for place in range(3 * MOST_LAUNCHES)
    ]

    ec2.provider.shortages(many)

    assert asked(ec2).count("RunInstances") == MOST_LAUNCHES
