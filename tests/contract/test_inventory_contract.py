"""What every provider's inventory must show: everything that carries a saga's mark, and nothing else."""

from __future__ import annotations

import pytest

from lambdas.core.errors import RetryableError
from local.simulators.faults import Fault, FaultKind
from tests.contract.cloud import PublicCloud
from tests.contract.test_provider_contract import Driver


def shown(public_cloud: PublicCloud) -> set[tuple[str, str]]:
    return {(it.saga_id, it.resource_id) for it in public_cloud.provider.inventory()}


def test_an_empty_cloud_has_none(public_cloud: PublicCloud) -> None:
    assert list(public_cloud.provider.inventory()) == []


def test_everything_that_an_instance_and_a_disk_are_made_of_is_there_by_its_cloud_id(public_cloud: PublicCloud) -> None:
    Driver(public_cloud, public_cloud.intent("instance", "web", public_address=True)).provision()
    Driver(public_cloud, public_cloud.intent("disk", "data")).provision()
    listed = list(public_cloud.provider.inventory())
    assert shown(public_cloud) == {("s0test0000000001", "web"), ("s0test0000000001", "data")}
    assert len({it.cloud_id for it in listed}) == len(listed) == len(public_cloud.inventory())


def test_what_is_of_other_sagas_is_there_under_their_names(public_cloud: PublicCloud) -> None:
    other = public_cloud.intent("disk", "data").model_copy(update={"saga_id": "s0test0000000002"})
    Driver(public_cloud, public_cloud.intent("disk", "data")).provision()
    Driver(public_cloud, other).provision()
    assert shown(public_cloud) == {("s0test0000000001", "data"), ("s0test0000000002", "data")}


def test_a_disk_says_since_when_it_exists(public_cloud: PublicCloud) -> None:
    before = public_cloud.clock.now()
    Driver(public_cloud, public_cloud.intent("disk", "data")).provision()
    (disk,) = public_cloud.provider.inventory()
    assert disk.created_at is not None
    assert before - 1 <= disk.created_at.timestamp() <= public_cloud.clock.now()


def test_what_was_released_is_gone_from_it(public_cloud: PublicCloud) -> None:
    driver = Driver(public_cloud, public_cloud.intent("instance", "web", public_address=True))
    driver.provision()
    driver.release()
    assert list(public_cloud.provider.inventory()) == []


def test_it_changes_nothing(public_cloud: PublicCloud) -> None:
    Driver(public_cloud, public_cloud.intent("instance", "web")).provision()
    before, calls = public_cloud.inventory(), len(public_cloud.calls())
    list(public_cloud.provider.inventory())
    assert public_cloud.inventory() == before
    made = {call.operation for call in public_cloud.calls()[calls:]}
    assert not made & {*public_cloud.creates, *public_cloud.deletes}


@pytest.mark.parametrize("fault", [FaultKind.REFUSE, FaultKind.THROTTLE, FaultKind.ERROR])
def test_a_cloud_that_does_not_answer_is_never_an_empty_one(public_cloud: PublicCloud, fault: FaultKind) -> None:
    public_cloud.arm([Fault(operation="*", fault=fault, times=None)])
    with pytest.raises(RetryableError):
        list(public_cloud.provider.inventory())
