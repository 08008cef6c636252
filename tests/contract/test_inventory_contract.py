"""What every provider's inventory must show: everything that carries a saga's mark, and nothing else."""

from __future__ import annotations

import pytest

from lambdas.core.errors import RetryableError
from local.simulators.faults import Fault, FaultKind
from tests.contract.cloud import CloudUnderTest
from tests.contract.test_provider_contract import Driver


def shown(cloud: CloudUnderTest) -> set[tuple[str, str]]:
    return {(it.saga_id, it.resource_id) for it in cloud.provider.inventory()}


def test_an_empty_cloud_has_none(cloud: CloudUnderTest) -> None:
    assert list(cloud.provider.inventory()) == []


def test_everything_that_an_instance_and_a_disk_are_made_of_is_there_by_its_cloud_id(cloud: CloudUnderTest) -> None:
    Driver(cloud, cloud.intent("instance", "web", public_address=True)).provision()
    Driver(cloud, cloud.intent("disk", "data")).provision()
    listed = list(cloud.provider.inventory())
    assert shown(cloud) == {("s0test0000000001", "web"), ("s0test0000000001", "data")}
    assert len({it.cloud_id for it in listed}) == len(listed) == len(cloud.inventory())


def test_what_is_of_other_sagas_is_there_under_their_names(cloud: CloudUnderTest) -> None:
    other = cloud.intent("disk", "data").model_copy(update={"saga_id": "s0test0000000002"})
    Driver(cloud, cloud.intent("disk", "data")).provision()
    Driver(cloud, other).provision()
    assert shown(cloud) == {("s0test0000000001", "data"), ("s0test0000000002", "data")}


def test_a_disk_says_since_when_it_exists(cloud: CloudUnderTest) -> None:
    before = cloud.clock.now()
    Driver(cloud, cloud.intent("disk", "data")).provision()
    (disk,) = cloud.provider.inventory()
    assert disk.created_at is not None
    assert before - 1 <= disk.created_at.timestamp() <= cloud.clock.now()


def test_what_was_released_is_gone_from_it(cloud: CloudUnderTest) -> None:
    driver = Driver(cloud, cloud.intent("instance", "web", public_address=True))
    driver.provision()
    driver.release()
    assert list(cloud.provider.inventory()) == []


def test_it_changes_nothing(cloud: CloudUnderTest) -> None:
    Driver(cloud, cloud.intent("instance", "web")).provision()
    before, calls = cloud.inventory(), len(cloud.calls())
    list(cloud.provider.inventory())
    assert cloud.inventory() == before
    made = {call.operation for call in cloud.calls()[calls:]}
    assert not made & {*cloud.creates, *cloud.deletes}


@pytest.mark.parametrize("fault", [FaultKind.REFUSE, FaultKind.THROTTLE, FaultKind.ERROR])
def test_a_cloud_that_does_not_answer_is_never_an_empty_one(cloud: CloudUnderTest, fault: FaultKind) -> None:
    cloud.arm([Fault(operation="*", fault=fault, times=None)])
    with pytest.raises(RetryableError):
        list(cloud.provider.inventory())
