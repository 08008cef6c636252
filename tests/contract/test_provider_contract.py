"""What every provider must keep to, on every cloud, over its real protocol, whatever goes wrong.

The saga's steps are played by `Driver`: create what is due, look, and after an error simply do the same again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest

from lambdas.core.errors import CapacityError, RetryableError, StepError
from lambdas.core.model import MARK_RESOURCE, MARK_SAGA, AttachedDisk, Intent
from local.simulators.faults import Fault, FaultKind
from tests.contract.cloud import CloudUnderTest

UNKNOWN_OUTCOME = [FaultKind.REFUSE, FaultKind.THROTTLE, FaultKind.ERROR, FaultKind.LOST]
PATIENCE = 200

T = TypeVar("T")


class Driver:
    """Plays the state machine for one intent, remembering operations as the ledger would."""

    def __init__(self, cloud: CloudUnderTest, intent: Intent) -> None:
        self.cloud = cloud
        self.intent = intent
        self.retries = 0

    def provision(self) -> str | None:
        """Create and look until ready; returns the cloud's id."""
        cloud_id = None
        for part in self.cloud.provider.parts(self.intent):
            self.begin(part)
            cloud_id = self.await_ready(part)
        return cloud_id

    def begin(self, part: str) -> None:
        handle = self._retrying(lambda: self.cloud.provider.create(self.intent, part))
        self.intent = self.intent.model_copy(update={"operations": {**self.intent.operations, part: handle}})

    def await_ready(self, part: str) -> str | None:
        for _ in range(PATIENCE):
            seen = self._retrying(lambda: self.cloud.provider.observe(self.intent, part))
            if seen.ready:
                return seen.cloud_id
            self.cloud.clock.advance(1)
        raise AssertionError(f"{part} never became ready")

    def release(self) -> None:
        """Delete and look until nothing has been there for the settling window; what shows itself in it stays."""
        absent_since = None
        settling = self.cloud.provider.settling_seconds
        for _ in range(PATIENCE):
            now = self.cloud.clock.now()
            if self._retrying(lambda: self.cloud.provider.find(self.intent)):
                absent_since = None
                self._retrying(lambda: self.cloud.provider.delete(self.intent))
            elif absent_since is None:
                absent_since = now
            elif now - absent_since >= settling:
                return
            self.cloud.clock.advance(5 if absent_since is None else max(5, settling / 3))
        raise AssertionError(f"never gone: {self.cloud.inventory()}")

    def _retrying(self, call: Callable[[], T]) -> T:
        for _ in range(20):
            try:
                return call()
            except RetryableError:
                self.retries += 1
                self.cloud.clock.advance(10)
                self._wait_out_a_create_of_unknown_fate()
        return call()

    def _wait_out_a_create_of_unknown_fate(self) -> None:
        """As the step does where the cloud does not recognise a repeated request."""
        if self.cloud.provider.repeat_seconds and not self._seen():
            self.cloud.clock.advance(self.cloud.provider.repeat_seconds)

    def _seen(self) -> bool:
        try:
            return bool(self.cloud.provider.find(self.intent))
        except RetryableError:
            return False


@pytest.fixture
def instance(cloud: CloudUnderTest) -> Driver:
    return Driver(cloud, cloud.intent("instance", public_address=True))


@pytest.fixture
def disk(cloud: CloudUnderTest) -> Driver:
    return Driver(cloud, cloud.intent("disk", "data"))


def machines(cloud: CloudUnderTest) -> list[str]:
    return [it["id"] for it in cloud.inventory() if it["type"] in ("instance", "machine", "virtualMachines")]


@pytest.mark.parametrize("kind", ["instance", "disk"])
def test_a_resource_becomes_ready_marked_and_then_absent(cloud: CloudUnderTest, kind: str) -> None:
    driver = Driver(cloud, cloud.intent(kind))
    assert driver.provision()
    assert cloud.inventory()
    for found in cloud.inventory():
        assert found["marks"][MARK_SAGA] == driver.intent.saga_id, found
        assert found["marks"][MARK_RESOURCE] == driver.intent.resource_id, found
        assert found["marks"]["team"] == "payments", found
    driver.release()
    assert cloud.inventory() == []


def test_every_part_that_exists_is_found_while_it_is_made_and_when_it_is_ready(
    cloud: CloudUnderTest, instance: Driver
) -> None:
    for part in cloud.provider.parts(instance.intent):
        instance.begin(part)
        # The parts of a private cloud's machine are steps to one thing; a public cloud's are things of their own.
        made = 1 if cloud.cluster else len(instance.intent.operations)
        assert len(cloud.provider.find(instance.intent)) >= made
        instance.await_ready(part)
    assert len(cloud.provider.find(instance.intent)) == len(cloud.inventory())


@pytest.mark.parametrize("kind", ["instance", "disk"])
def test_creating_again_creates_nothing_more(cloud: CloudUnderTest, kind: str) -> None:
    driver = Driver(cloud, cloud.intent(kind))
    for part in cloud.provider.parts(driver.intent):
        driver.begin(part)
        driver.begin(part)
        driver.await_ready(part)
        driver.begin(part)
        driver.await_ready(part)
    once = Driver(cloud, cloud.intent(kind, "other"))
    before = len(cloud.inventory())
    once.provision()
    assert len(cloud.inventory()) == 2 * before


@pytest.mark.parametrize("kind", ["instance", "disk"])
@pytest.mark.parametrize("fault", [*UNKNOWN_OUTCOME, FaultKind.TWICE, FaultKind.SLOW])
@pytest.mark.parametrize("nth", [1, 2])
def test_a_fault_on_any_create_leaves_exactly_one_after_a_retry(
    cloud: CloudUnderTest, kind: str, fault: FaultKind, nth: int
) -> None:
    reference = Driver(cloud, cloud.intent(kind, "reference"))
    reference.provision()
    expected = len(cloud.inventory())
    cloud.arm([Fault(operation=operation, fault=fault, times=nth, delay=1) for operation in cloud.creates])
    driver = Driver(cloud, cloud.intent(kind))
    driver.provision()
    assert len(cloud.inventory()) == 2 * expected
    cloud.disarm()
    driver.release()
    assert len(cloud.inventory()) == expected


@pytest.mark.parametrize("kind", ["instance", "disk"])
@pytest.mark.parametrize("fault", [*UNKNOWN_OUTCOME, FaultKind.TWICE, FaultKind.LATE])
def test_a_fault_on_any_delete_leaves_none_after_a_retry(cloud: CloudUnderTest, kind: str, fault: FaultKind) -> None:
    driver = Driver(cloud, cloud.intent(kind))
    driver.provision()
    cloud.arm([Fault(operation=operation, fault=fault, times=2, delay=20) for operation in cloud.deletes])
    driver.release()
    assert cloud.inventory() == []


@pytest.mark.parametrize("kind", ["instance", "disk"])
@pytest.mark.parametrize("fault", UNKNOWN_OUTCOME)
def test_a_call_that_may_or_may_not_have_happened_is_retryable(
    cloud: CloudUnderTest, kind: str, fault: FaultKind
) -> None:
    driver = Driver(cloud, cloud.intent(kind))
    cloud.arm([Fault(operation=operation, fault=fault) for operation in cloud.creates])
    with pytest.raises(RetryableError):
        cloud.provider.create(driver.intent, cloud.provider.parts(driver.intent)[0])


@pytest.mark.parametrize("kind", ["instance", "disk"])
def test_what_takes_effect_after_the_release_began_is_found_and_removed(cloud: CloudUnderTest, kind: str) -> None:
    driver = Driver(cloud, cloud.intent(kind))
    cloud.arm([Fault(operation=operation, fault=FaultKind.LATE, delay=40) for operation in cloud.creates])
    with pytest.raises(RetryableError):
        cloud.provider.create(driver.intent, cloud.provider.parts(driver.intent)[0])
    assert cloud.provider.find(driver.intent) == []
    driver.release()
    cloud.clock.advance(300)
    assert cloud.inventory() == []


@pytest.mark.parametrize("kind", ["instance", "disk"])
def test_a_place_that_is_full_is_a_capacity_error_and_leaves_nothing(cloud: CloudUnderTest, kind: str) -> None:
    driver = Driver(cloud, cloud.intent(kind))
    cloud.arm(
        [Fault(operation=operation, fault=FaultKind.CAPACITY, delay=3, times=None) for operation in cloud.creates]
    )
    with pytest.raises(CapacityError):
        driver.provision()
    cloud.disarm()
    driver.release()
    assert cloud.inventory() == []


@pytest.mark.parametrize("kind", ["instance", "disk"])
def test_what_fails_after_it_was_accepted_raises_and_can_be_removed(cloud: CloudUnderTest, kind: str) -> None:
    driver = Driver(cloud, cloud.intent(kind))
    cloud.arm([Fault(operation=operation, fault=FaultKind.FAIL, delay=3, times=None) for operation in cloud.creates])
    with pytest.raises(StepError):
        driver.provision()
    cloud.disarm()
    driver.release()
    assert cloud.inventory() == []


@pytest.mark.parametrize("kind", ["instance", "disk"])
def test_releasing_what_never_existed_deletes_nothing(cloud: CloudUnderTest, kind: str) -> None:
    driver = Driver(cloud, cloud.intent(kind))
    cloud.provider.delete(driver.intent)
    assert cloud.provider.find(driver.intent) == []
    assert not [call for call in cloud.calls() if call.operation in cloud.deletes]


def test_another_sagas_resources_are_not_touched(cloud: CloudUnderTest, instance: Driver) -> None:
    instance.provision()
    before = cloud.inventory()
    stranger = instance.intent.model_copy(update={"saga_id": "s0test0000000002"})
    assert cloud.provider.find(stranger) == []
    cloud.provider.delete(stranger)
    cloud.clock.advance(60)
    assert len(cloud.inventory()) == len(before)


def test_a_disk_is_attached_to_its_instance_and_outlives_it_until_it_is_released(
    cloud: CloudUnderTest, disk: Driver
) -> None:
    disk_id = disk.provision()
    assert disk_id
    intent = cloud.intent("instance", "web", disks=["data"])
    attached = AttachedDisk("data", disk.intent.name, disk_id)
    instance = Driver(cloud, intent.model_copy(update={"disks": (attached,)}))
    instance.provision()
    instance.release()
    assert cloud.provider.find(disk.intent)
    disk.release()
    assert cloud.inventory() == []


def test_stale_reads_do_not_make_a_second_resource(cloud: CloudUnderTest) -> None:
    driver = Driver(cloud, cloud.intent("instance"))
    cloud.arm([Fault(operation="*", fault=FaultKind.STALE, delay=5, times=None)])
    driver.provision()
    cloud.disarm()
    assert len(machines(cloud)) <= 1
    driver.release()
    assert cloud.inventory() == []
