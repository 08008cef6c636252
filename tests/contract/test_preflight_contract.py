"""What every provider can tell beforehand of what its cloud would refuse."""

from __future__ import annotations

import pytest

from lambdas.core.errors import RetryableError
from local.simulators.faults import Fault, FaultKind
from tests.contract.cloud import PublicCloud


def test_nothing_is_short_where_there_is_enough(public_cloud: PublicCloud) -> None:
    wanted = [public_cloud.intent(kind, kind) for kind in public_cloud.kinds]

    assert public_cloud.provider.shortages(wanted) == []


def test_looking_creates_nothing(public_cloud: PublicCloud) -> None:
    before = public_cloud.inventory()

    public_cloud.provider.shortages([public_cloud.intent(public_address=True)])

    assert public_cloud.inventory() == before


def test_a_quota_that_is_used_up_is_short_for_all_who_need_it(public_cloud: PublicCloud) -> None:
    public_cloud.arm([Fault(operation=public_cloud.limits, fault=FaultKind.CAPACITY)])

    short = public_cloud.provider.shortages(
        [public_cloud.intent(resource_id="one"), public_cloud.intent(resource_id="two")]
    )

    assert short
    assert {it.code for it in short} == {"QuotaExceeded"}
    assert all(it.resources == ("one", "two") and it.available == 0 and it.needed for it in short)


def test_a_size_that_does_not_exist_is_named_with_its_resource(public_cloud: PublicCloud) -> None:
    odd = public_cloud.intent(resource_id="odd", size=public_cloud.unknown_size)

    [shortage] = public_cloud.provider.shortages([public_cloud.intent(resource_id="fine"), odd])

    assert shortage.resources == ("odd",)
    assert public_cloud.unknown_size in shortage.message


@pytest.mark.parametrize("fault", [FaultKind.THROTTLE, FaultKind.ERROR, FaultKind.REFUSE])
def test_a_look_that_is_not_answered_can_be_tried_again(public_cloud: PublicCloud, fault: FaultKind) -> None:
    public_cloud.arm([Fault(operation=public_cloud.limits, fault=fault)])
    with pytest.raises(RetryableError):
        public_cloud.provider.shortages([public_cloud.intent()])

    assert public_cloud.provider.shortages([public_cloud.intent()]) == []
