"""What the Azure provider does beyond the contract that it shares with the other clouds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lambdas.azure.provider import AzureProvider
from lambdas.core.errors import CapacityError, RetryableError, TerminalError
from lambdas.core.model import AttachedDisk, Intent
from local.simulators.faults import Fault, FaultKind
from tests.contract.azure_cloud import azure_cloud
from tests.contract.cloud import CloudUnderTest


@pytest.fixture
def cloud() -> Iterator[CloudUnderTest]:
    with azure_cloud() as under_test:
        yield under_test


def arm(cloud: CloudUnderTest, operation: str, fault: FaultKind, **details: Any) -> None:
    cloud.arm([Fault(operation=operation, fault=fault, **details)])


def create(cloud: CloudUnderTest, intent: Intent, part: str) -> Intent:
    handle = cloud.provider.create(intent, part)
    return intent.model_copy(update={"operations": {**intent.operations, part: handle}})


def provision(cloud: CloudUnderTest, intent: Intent) -> Intent:
    for part in cloud.provider.parts(intent):
        intent = create(cloud, intent, part)
        cloud.clock.advance(10)
        assert cloud.provider.observe(intent, part).ready
    return intent


def asked_since(cloud: CloudUnderTest, before: int) -> list[str]:
    return [call.operation for call in cloud.calls()[before:] if not call.operation.endswith("_Get")]


def names(cloud: CloudUnderTest) -> set[str]:
    return {it["name"].removeprefix("s0test0000000001-") for it in cloud.inventory()}


def test_the_settling_window_is_a_setting() -> None:
    environ = {"AZURE_SUBSCRIPTION_ID": "s", "AZURE_SETTLING_SECONDS": "7"}
    assert AzureProvider.from_environment(environ).settling_seconds == 7


def test_a_repeated_create_of_a_machine_is_refused_by_azure_and_adopted_by_us(cloud: CloudUnderTest) -> None:
    intent = create(cloud, cloud.intent(), "interface")
    cloud.clock.advance(10)
    intent = create(cloud, intent, "machine")
    assert cloud.provider.create(intent, "machine") == ""
    assert [call.status for call in cloud.calls() if call.operation == "VirtualMachines_CreateOrUpdate"] == [201, 412]


@pytest.mark.parametrize("part", ["interface", "disk"])
def test_a_repeated_create_of_anything_else_puts_nothing(cloud: CloudUnderTest, part: str) -> None:
    intent = cloud.intent("disk" if part == "disk" else "instance")
    intent = create(cloud, intent, part)
    before = len(cloud.calls())
    assert cloud.provider.create(intent, part) == ""
    assert asked_since(cloud, before) == []


@pytest.mark.parametrize("kind", ["instance", "disk"])
def test_what_is_somebody_elses_is_neither_adopted_nor_overwritten_nor_deleted(
    cloud: CloudUnderTest, kind: str
) -> None:
    theirs = cloud.intent(kind, "b-c").model_copy(update={"saga_id": "s-a"})
    provision(cloud, theirs)
    ours = cloud.intent(kind, "c").model_copy(update={"saga_id": "s-a-b"})
    assert ours.name == theirs.name
    before = len(cloud.calls())
    for part in cloud.provider.parts(ours):
        with pytest.raises(TerminalError, match="somebody else's"):
            cloud.provider.create(ours, part)
        with pytest.raises(TerminalError, match="somebody else's"):
            cloud.provider.observe(ours, part)
    cloud.provider.delete(ours)
    assert cloud.provider.find(ours) == []
    assert set(asked_since(cloud, before)) <= {"VirtualMachines_CreateOrUpdate"}
    assert {it["status"] for it in cloud.inventory()} == {"Succeeded"}


def test_a_name_that_is_still_being_deleted_is_waited_for(cloud: CloudUnderTest) -> None:
    intent = provision(cloud, cloud.intent("disk", "data"))
    cloud.provider.delete(intent)
    with pytest.raises(RetryableError, match="still being deleted"):
        cloud.provider.create(intent, "disk")


def test_a_machine_that_cannot_be_seen_yet_is_not_taken_for_somebody_elses(cloud: CloudUnderTest) -> None:
    intent = create(cloud, cloud.intent(), "interface")
    cloud.clock.advance(10)
    intent = create(cloud, intent, "machine")
    arm(cloud, "VirtualMachines_Get", FaultKind.STALE, delay=60)
    with pytest.raises(RetryableError, match="cannot be seen yet"):
        cloud.provider.create(intent, "machine")


def test_a_machine_without_a_handle_is_observed_by_itself(cloud: CloudUnderTest) -> None:
    intent = create(cloud, cloud.intent(), "interface")
    cloud.clock.advance(10)
    cloud.provider.create(intent, "machine")
    assert not cloud.provider.observe(intent, "machine").ready
    cloud.clock.advance(10)
    seen = cloud.provider.observe(intent, "machine")
    assert seen.ready
    assert seen.cloud_id == next(it["id"] for it in cloud.inventory() if it["type"] == "virtualMachines")


@pytest.mark.parametrize("with_handle", [True, False])
def test_a_machine_that_found_no_host_says_so_with_and_without_its_handle(
    cloud: CloudUnderTest, with_handle: bool
) -> None:
    intent = create(cloud, cloud.intent(), "interface")
    cloud.clock.advance(10)
    arm(cloud, "VirtualMachines_CreateOrUpdate", FaultKind.CAPACITY, delay=2)
    begun = create(cloud, intent, "machine")
    cloud.clock.advance(2)
    with pytest.raises(CapacityError, match="AllocationFailed"):
        cloud.provider.observe(begun if with_handle else intent, "machine")


@pytest.mark.parametrize(("kind", "part"), [("instance", "interface"), ("disk", "disk")])
def test_what_failed_without_saying_why_is_terminal(cloud: CloudUnderTest, kind: str, part: str) -> None:
    intent = cloud.intent(kind)
    arm(cloud, "*_CreateOrUpdate", FaultKind.FAIL, delay=2)
    cloud.provider.create(intent, part)
    cloud.clock.advance(2)
    with pytest.raises(TerminalError, match="ProvisioningFailed"):
        cloud.provider.observe(intent, part)


def test_a_part_is_not_ready_before_it_can_be_seen(cloud: CloudUnderTest) -> None:
    intent = create(cloud, cloud.intent("disk", "data"), "disk")
    cloud.clock.advance(10)
    arm(cloud, "Disks_Get", FaultKind.STALE, delay=60)
    assert not cloud.provider.observe(intent, "disk").ready
    assert cloud.provider.observe(intent, "disk").ready


def test_deleting_a_machine_takes_everything_along(cloud: CloudUnderTest) -> None:
    intent = provision(cloud, cloud.intent(public_address=True))
    before = len(cloud.calls())
    cloud.provider.delete(intent)
    assert asked_since(cloud, before) == ["VirtualMachines_Delete"]
    cloud.clock.advance(20)
    assert names(cloud) == set()


def test_what_is_being_deleted_is_not_deleted_again(cloud: CloudUnderTest) -> None:
    intent = provision(cloud, cloud.intent())
    cloud.provider.delete(intent)
    before = len(cloud.calls())
    cloud.provider.delete(intent)
    assert asked_since(cloud, before) == []


def test_parts_without_their_machine_are_deleted_by_name_in_order(cloud: CloudUnderTest) -> None:
    intent = create(cloud, cloud.intent(public_address=True), "address")
    cloud.clock.advance(10)
    intent = create(cloud, intent, "interface")
    cloud.clock.advance(10)
    before = len(cloud.calls())
    cloud.provider.delete(intent)
    assert asked_since(cloud, before) == ["NetworkInterfaces_Delete"]


def test_an_interface_that_is_reserved_for_a_failed_machine_is_left_for_next_time(cloud: CloudUnderTest) -> None:
    intent = create(cloud, cloud.intent(), "interface")
    cloud.clock.advance(10)
    arm(cloud, "VirtualMachines_CreateOrUpdate", FaultKind.CAPACITY, delay=2)
    intent = create(cloud, intent, "machine")
    cloud.clock.advance(2)
    cloud.provider.delete(intent)
    cloud.clock.advance(3)
    assert names(cloud) == {"web-nic"}
    before = len(cloud.calls())
    cloud.provider.delete(intent)
    assert [call.status for call in cloud.calls()[before:] if call.operation == "NetworkInterfaces_Delete"] == [400]
    assert cloud.provider.find(intent)
    cloud.clock.advance(10)
    cloud.provider.delete(intent)
    cloud.clock.advance(10)
    assert cloud.provider.find(intent) == []


def test_an_os_disk_that_a_failed_machine_left_is_found_and_deleted(cloud: CloudUnderTest) -> None:
    intent = create(cloud, cloud.intent(), "interface")
    cloud.clock.advance(10)
    arm(cloud, "VirtualMachines_CreateOrUpdate", FaultKind.FAIL, delay=2)
    intent = create(cloud, intent, "machine")
    assert len(cloud.provider.find(intent)) == 3
    for _ in range(6):
        cloud.clock.advance(5)
        cloud.provider.delete(intent)
    assert names(cloud) == set()


def test_a_disk_that_is_still_attached_is_left_for_next_time(cloud: CloudUnderTest) -> None:
    disk = provision(cloud, cloud.intent("disk", "data"))
    attached = AttachedDisk("data", disk.name, cloud.provider.find(disk)[0])
    machine = provision(cloud, cloud.intent(disks=["data"]).model_copy(update={"disks": (attached,)}))
    cloud.provider.delete(disk)
    assert "data" in names(cloud)
    cloud.provider.delete(machine)
    cloud.clock.advance(10)
    assert names(cloud) == {"data"}
    cloud.provider.delete(disk)
    cloud.clock.advance(10)
    assert names(cloud) == set()


def test_a_machine_that_is_still_being_created_can_be_deleted(cloud: CloudUnderTest) -> None:
    intent = create(cloud, cloud.intent(), "interface")
    cloud.clock.advance(10)
    intent = create(cloud, intent, "machine")
    cloud.provider.delete(intent)
    cloud.clock.advance(10)
    assert names(cloud) == set()


def test_a_subscription_that_cannot_be_read_is_not_an_empty_one(cloud: CloudUnderTest) -> None:
    provision(cloud, cloud.intent("disk", "data"))
    arm(cloud, "Disks_Get", FaultKind.ERROR)
    with pytest.raises(RetryableError):
        cloud.provider.find(cloud.intent("disk", "data"))


def test_a_resource_group_that_does_not_exist_holds_nothing(cloud: CloudUnderTest) -> None:
    elsewhere = cloud.intent(resource_group="nowhere")
    assert cloud.provider.find(elsewhere) == []
    cloud.provider.delete(elsewhere)
    with pytest.raises(TerminalError, match="ResourceGroupNotFound"):
        cloud.provider.create(elsewhere, "interface")
