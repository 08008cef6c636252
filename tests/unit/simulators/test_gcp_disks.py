"""Persistent disks of the simulated Compute Engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.api_core.exceptions import BadRequest, Conflict, NotFound

from local.simulators.faults import Fault, FaultKind
from tests.unit.gcp.compute_engine import SCOPE, ZONE, ComputeEngine, compute_engine


@pytest.fixture
def cloud() -> Iterator[ComputeEngine]:
    with compute_engine() as cloud:
        yield cloud


def reason_of(error: pytest.ExceptionInfo[BadRequest]) -> str:
    return str(error.value.errors[0]["reason"])


def test_a_disk_is_creating_then_ready_then_deleting_then_gone(cloud: ComputeEngine) -> None:
    cloud.insert_disk(type_=f"zones/{ZONE}/diskTypes/pd-ssd")
    assert cloud.disks.get(disk="data", **SCOPE).status == "CREATING"
    cloud.clock.advance(2)
    assert cloud.disks.get(disk="data", **SCOPE).status == "READY"
    cloud.disks.delete_unary(disk="data", **SCOPE)
    assert cloud.disks.get(disk="data", **SCOPE).status == "DELETING"
    cloud.clock.advance(2)
    with pytest.raises(NotFound):
        cloud.disks.get(disk="data", **SCOPE)


def test_a_disk_in_use_cannot_be_deleted_and_names_its_user(cloud: ComputeEngine) -> None:
    cloud.insert_disk()
    cloud.clock.advance(2)
    cloud.insert_instance(data_disks=("data",))
    assert cloud.disks.get(disk="data", **SCOPE).users[0].endswith("/instances/web")
    with pytest.raises(BadRequest, match="already being used by") as refusal:
        cloud.disks.delete_unary(disk="data", **SCOPE)
    assert reason_of(refusal) == "resourceInUseByAnotherResource"


def test_a_disk_in_use_cannot_be_attached_to_a_second_instance(cloud: ComputeEngine) -> None:
    cloud.insert_disk()
    cloud.clock.advance(2)
    cloud.insert_instance(data_disks=("data",))
    with pytest.raises(BadRequest) as refusal:
        cloud.insert_instance(name="other", data_disks=("data",))
    assert reason_of(refusal) == "resourceInUseByAnotherResource"
    assert cloud.names() == ["data", "web", "web-boot"]


def test_a_disk_that_is_missing_or_not_ready_cannot_be_attached(cloud: ComputeEngine) -> None:
    with pytest.raises(NotFound):
        cloud.insert_instance(data_disks=("data",))
    cloud.insert_disk()
    with pytest.raises(BadRequest) as refusal:
        cloud.insert_instance(data_disks=("data",))
    assert reason_of(refusal) == "resourceNotReady"
    assert cloud.names() == ["data"]


def test_a_taken_name_is_a_conflict(cloud: ComputeEngine) -> None:
    cloud.insert_disk("web-boot")
    with pytest.raises(Conflict):
        cloud.insert_disk("web-boot")
    with pytest.raises(Conflict, match="disks/web-boot"):
        cloud.insert_instance()
    assert cloud.names() == ["web-boot"]


def test_a_disk_that_fails_for_want_of_capacity_is_gone_again(cloud: ComputeEngine) -> None:
    cloud.simulator.faults.arm([Fault(operation="disks.insert", fault=FaultKind.CAPACITY, delay=1)])
    operation = cloud.insert_disk()
    assert cloud.names() == ["data"]
    cloud.clock.advance(1)
    assert cloud.operation(operation).error.errors[0].code == "ZONE_RESOURCE_POOL_EXHAUSTED"
    assert cloud.names() == []


def test_deleting_while_it_is_being_created_waits_for_that(cloud: ComputeEngine) -> None:
    cloud.insert_disk()
    cloud.disks.delete_unary(disk="data", **SCOPE)
    cloud.clock.advance(2)
    assert cloud.names() == ["data"]
    cloud.clock.advance(1)
    assert cloud.names() == []
