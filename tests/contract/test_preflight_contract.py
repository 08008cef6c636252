"""What every provider can tell beforehand of what its cloud would refuse."""

from __future__ import annotations

from typing import Any, Final

import pytest

from lambdas.core.errors import RetryableError
from local.simulators.faults import Fault, FaultKind
from tests.contract.cloud import CloudUnderTest

LIMITS: Final = {"aws": "GetServiceQuota", "azure": "Usage_List", "gcp": "regions.get"}
HUGE: Final[dict[str, dict[str, Any]]] = {
    "aws": {"size": "m5.9999xlarge"},
    "azure": {"size": "Standard_Z99"},
    "gcp": {"size": "z9-huge"},
}


def name_of(cloud: CloudUnderTest) -> str:
    return cloud.definition("instance", "web").provider


def test_nothing_is_short_where_there_is_enough(cloud: CloudUnderTest) -> None:
    assert cloud.provider.shortages([cloud.intent(), cloud.intent("disk", "data")]) == []


def test_looking_creates_nothing(cloud: CloudUnderTest) -> None:
    before = cloud.inventory()

    cloud.provider.shortages([cloud.intent(public_address=True)])

    assert cloud.inventory() == before


def test_a_quota_that_is_used_up_is_short_for_all_who_need_it(cloud: CloudUnderTest) -> None:
    cloud.arm([Fault(operation=LIMITS[name_of(cloud)], fault=FaultKind.CAPACITY)])

    short = cloud.provider.shortages([cloud.intent(resource_id="one"), cloud.intent(resource_id="two")])

    assert short
    assert {it.code for it in short} == {"QuotaExceeded"}
    assert all(it.resources == ("one", "two") and it.available == 0 and it.needed for it in short)


def test_a_size_that_does_not_exist_is_named_with_its_resource(cloud: CloudUnderTest) -> None:
    odd = cloud.intent(resource_id="odd", **HUGE[name_of(cloud)])

    [shortage] = cloud.provider.shortages([cloud.intent(resource_id="fine"), odd])

    assert shortage.resources == ("odd",)
    assert HUGE[name_of(cloud)]["size"] in shortage.message


@pytest.mark.parametrize("fault", [FaultKind.THROTTLE, FaultKind.ERROR, FaultKind.REFUSE])
def test_a_look_that_is_not_answered_can_be_tried_again(cloud: CloudUnderTest, fault: FaultKind) -> None:
    cloud.arm([Fault(operation=LIMITS[name_of(cloud)], fault=fault)])
    with pytest.raises(RetryableError):
        cloud.provider.shortages([cloud.intent()])

    assert cloud.provider.shortages([cloud.intent()]) == []
