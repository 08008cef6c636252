"""Zonal operations of the simulated Compute Engine: replayed, listed, expiring."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
import requests
from google.api_core.exceptions import BadRequest, Conflict, NotFound
from google.cloud.compute_v1 import ListZoneOperationsRequest, Operation

from local.simulators.faults import Fault, FaultKind
from local.simulators.gcp import GcpTiming
from tests.unit.gcp.compute_engine import SCOPE, ComputeEngine, compute_engine

REQUEST_ID = str(uuid.UUID(int=7))


@pytest.fixture
def cloud() -> Iterator[ComputeEngine]:
    with compute_engine(GcpTiming(operations_kept=60, request_ids_kept=600)) as cloud:
        yield cloud


def test_an_operation_is_pending_then_running_then_done(cloud: ComputeEngine) -> None:
    operation = cloud.insert_instance()
    statuses = [operation.status]
    for _ in range(2):
        cloud.clock.advance(1.5)
        statuses.append(cloud.operation(operation).status)
    assert statuses == [Operation.Status.PENDING, Operation.Status.RUNNING, Operation.Status.DONE]
    done = cloud.operation(operation)
    assert (done.progress, done.operation_type, len(done.error.errors)) == (100, "insert", 0)
    assert done.target_link.endswith("/instances/web")


def test_the_same_request_id_replays_its_operation(cloud: ComputeEngine) -> None:
    first = cloud.insert_instance(REQUEST_ID)
    cloud.clock.advance(5)
    assert cloud.insert_instance(REQUEST_ID).name == first.name
    assert cloud.names() == ["web", "web-boot"]


def test_a_request_id_is_forgotten_after_a_while(cloud: ComputeEngine) -> None:
    cloud.insert_instance(REQUEST_ID)
    cloud.clock.advance(600)
    with pytest.raises(Conflict):
        cloud.insert_instance(REQUEST_ID)


def test_a_failed_operation_is_replayed_as_failed(cloud: ComputeEngine) -> None:
    cloud.simulator.faults.arm([Fault(operation="instances.insert", fault=FaultKind.CAPACITY)])
    cloud.insert_instance(REQUEST_ID)
    assert cloud.insert_instance(REQUEST_ID).error.errors[0].code == "ZONE_RESOURCE_POOL_EXHAUSTED"


@pytest.mark.parametrize("request_id", ["seven", "00000000-0000-0000-0000-000000000000"])
def test_a_request_id_that_is_no_uuid_is_refused(cloud: ComputeEngine, request_id: str) -> None:
    with pytest.raises(BadRequest, match="requestId"):
        cloud.insert_instance(request_id)


def test_a_finished_operation_expires(cloud: ComputeEngine) -> None:
    operation = cloud.insert_instance()
    cloud.clock.advance(3 + 60)
    with pytest.raises(NotFound):
        cloud.operation(operation)


def test_operations_are_listed_by_what_they_are_about(cloud: ComputeEngine) -> None:
    operation = cloud.insert_instance(REQUEST_ID)
    cloud.insert_disk()
    request = ListZoneOperationsRequest(filter=f'clientOperationId = "{REQUEST_ID}" AND status != DONE', **SCOPE)
    assert [listed.name for listed in cloud.operations.list(request)] == [operation.name]


def test_a_request_delivered_twice_happens_once(cloud: ComputeEngine) -> None:
    cloud.simulator.faults.arm([Fault(operation="instances.insert", fault=FaultKind.TWICE)])
    cloud.insert_instance(REQUEST_ID)
    assert cloud.names() == ["web", "web-boot"]


def test_a_late_request_takes_effect_when_it_arrives(cloud: ComputeEngine) -> None:
    cloud.simulator.faults.arm([Fault(operation="instances.insert", fault=FaultKind.LATE, delay=30)])
    with pytest.raises(requests.ConnectionError):
        cloud.insert_instance(REQUEST_ID)
    cloud.clock.advance(29)
    assert cloud.names() == []
    cloud.clock.advance(1)
    assert cloud.names() == ["web", "web-boot"]
