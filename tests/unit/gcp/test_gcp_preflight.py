"""What Compute Engine would refuse: which quota each thing counts against, and what a zone does not have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lambdas.core.locations import GCP_ZONES
from lambdas.gcp.preflight import MOST_ASKED
from local.simulators.faults import Fault, FaultKind
from tests.contract.cloud import PublicCloud
from tests.contract.gcp_cloud import gcp_cloud


@pytest.fixture
def gcp() -> Iterator[PublicCloud]:
    with gcp_cloud() as cloud:
        yield cloud


def counted(gcp: PublicCloud, kind: str, **spec: Any) -> dict[str, float | None]:
    """What one resource takes of each quota."""
    gcp.arm([Fault(operation="regions.get", fault=FaultKind.CAPACITY)])
    short = gcp.provider.shortages([gcp.intent(kind, **spec)])
    return {it.message.split()[1]: it.needed for it in short}


def test_a_shared_core_counts_as_an_instance_and_its_vcpus(gcp: PublicCloud) -> None:
    assert counted(gcp, "instance") == {"INSTANCES": 1, "CPUS": 2}


def test_a_series_with_a_quota_of_its_own_counts_against_that(gcp: PublicCloud) -> None:
    assert counted(gcp, "instance", size="n2-standard-4") == {"INSTANCES": 1, "N2_CPUS": 4}


def test_an_address_and_a_boot_disk_of_a_size_of_its_own_count_too(gcp: PublicCloud) -> None:
    taken = counted(gcp, "instance", public_address=True, disk_gb=30)

    assert taken == {"INSTANCES": 1, "CPUS": 2, "IN_USE_ADDRESSES": 1, "DISKS_TOTAL_GB": 30}


@pytest.mark.parametrize(
    ("type_", "quota"), [("pd-standard", "DISKS_TOTAL_GB"), ("pd-balanced", "SSD_TOTAL_GB"), ("pd-ssd", "SSD_TOTAL_GB")]
)
def test_a_disk_counts_by_its_type(gcp: PublicCloud, type_: str, quota: str) -> None:
    assert counted(gcp, "disk", type=type_, size_gb=40) == {quota: 40}


def test_each_zone_region_and_machine_type_is_asked_for_once(gcp: PublicCloud) -> None:
    gcp.provider.shortages([gcp.intent(resource_id=f"web-{number}") for number in range(5)])

    asked = sorted(call.operation for call in gcp.calls() if call.operation != "oauth2.token")
    assert asked == ["machineTypes.get", "regions.get", "zones.get"]


def asked(gcp: PublicCloud, operation: str) -> int:
    return sum(call.operation == operation for call in gcp.calls())


def test_a_machine_type_that_a_zone_does_not_have_is_one_refusal_for_all_who_ask_for_it(gcp: PublicCloud) -> None:
    gcp.arm([Fault(operation="regions.get", fault=FaultKind.CAPACITY)])
    sizes = ["e2-small", "x9-none"]
    many = [gcp.intent(resource_id=f"web-{place}", size=sizes[place % 2]) for place in range(2_000)]

    refusal, *quotas = gcp.provider.shortages(many)

    assert refusal.message.endswith("has no machine type x9-none")
    assert refusal.resources == tuple(f"web-{place}" for place in range(1, 2_000, 2))
    assert {it.resources for it in quotas} == {tuple(f"web-{place}" for place in range(0, 2_000, 2))}
    assert asked(gcp, "machineTypes.get") == 2


def test_of_too_many_machine_types_the_first_are_asked_for_and_the_others_not_refused(gcp: PublicCloud) -> None:
    many = [gcp.intent(resource_id=f"web-{place}", size=f"x9-{place}") for place in range(MOST_ASKED + 20)]

    refusals = gcp.provider.shortages(many)

    assert [it.resources for it in refusals] == [(f"web-{place}",) for place in range(MOST_ASKED)]
    assert asked(gcp, "machineTypes.get") == MOST_ASKED


def test_no_more_zones_are_asked_for_than_there_is_time_for(gcp: PublicCloud) -> None:
    disk = gcp.intent("disk", "data")
    zones = sorted(GCP_ZONES)
    assert len(zones) > MOST_ASKED
    definitions = [disk.definition.model_copy(update={"zone": zone}) for zone in zones]

    gcp.provider.shortages([disk.model_copy(update={"definition": it}) for it in definitions])

    assert asked(gcp, "zones.get") == MOST_ASKED
