"""Instances of the simulated Compute Engine, and what becomes of their disks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.api_core.exceptions import BadRequest, Conflict, NotFound
from google.cloud import compute_v1

from local.simulators.faults import Fault, FaultKind
from tests.unit.gcp.compute_engine import SCOPE, ZONE, ComputeEngine, compute_engine


@pytest.fixture
def cloud() -> Iterator[ComputeEngine]:
    with compute_engine() as cloud:
        yield cloud


def status(cloud: ComputeEngine) -> str:
    return str(cloud.instances.get(instance="web", **SCOPE).status)


def delete(cloud: ComputeEngine) -> compute_v1.Operation:
    return cloud.instances.delete_unary(instance="web", **SCOPE)


def test_an_instance_is_there_as_soon_as_it_was_accepted_and_runs_a_while_later(cloud: ComputeEngine) -> None:
    operation = cloud.insert_instance(labels={"team": "payments"})
    seen = [status(cloud)]
    for _ in range(3):
        cloud.clock.advance(1)
        seen.append(status(cloud))
    assert seen == ["PROVISIONING", "PROVISIONING", "STAGING", "RUNNING"]
    assert cloud.operation(operation).status == compute_v1.Operation.Status.DONE
    assert cloud.instances.get(instance="web", **SCOPE).labels == {"team": "payments"}


def test_an_instance_has_a_public_address_only_where_one_was_asked_for(cloud: ComputeEngine) -> None:
    public = compute_v1.NetworkInterface(
        network="global/networks/default",
        access_configs=[compute_v1.AccessConfig(type_="ONE_TO_ONE_NAT", name="External NAT")],
    )
    cloud.insert_instance(name="inside")
    cloud.insert_instance(name="outside", network_interfaces=[public])
    inside, outside = (
        cloud.instances.get(instance=name, **SCOPE).network_interfaces[0] for name in ("inside", "outside")
    )
    assert not inside.access_configs
    assert outside.access_configs[0].nat_i_p
    assert inside.network_i_p != outside.network_i_p


def test_the_boot_disk_goes_with_its_instance_and_a_data_disk_stays(cloud: ComputeEngine) -> None:
    cloud.insert_disk()
    cloud.clock.advance(2)
    cloud.insert_instance(data_disks=("data",))
    cloud.clock.advance(3)
    delete(cloud)
    assert status(cloud) == "STOPPING"
    assert cloud.names() == ["data", "web", "web-boot"]
    cloud.clock.advance(3)
    assert cloud.names() == ["data"]
    assert not cloud.disks.get(disk="data", **SCOPE).users


def test_a_boot_disk_without_auto_delete_is_left_behind(cloud: ComputeEngine) -> None:
    params = compute_v1.AttachedDiskInitializeParams(
        source_image="projects/ubuntu-os-cloud/global/images/family/ubuntu-2404-lts-amd64", disk_size_gb=30
    )
    cloud.insert_instance(disks=[compute_v1.AttachedDisk(boot=True, auto_delete=False, initialize_params=params)])
    delete(cloud)
    cloud.clock.advance(10)
    assert cloud.names() == ["web"]
    assert cloud.disks.get(disk="web", **SCOPE).size_gb == 30


def test_a_taken_name_is_a_conflict_even_while_it_is_being_deleted(cloud: ComputeEngine) -> None:
    cloud.insert_instance()
    delete(cloud)
    with pytest.raises(Conflict) as refusal:
        cloud.insert_instance()
    assert refusal.value.errors[0]["reason"] == "alreadyExists"


def test_deleting_what_is_being_deleted_is_refused_and_what_is_not_there_not_found(cloud: ComputeEngine) -> None:
    with pytest.raises(NotFound):
        delete(cloud)
    cloud.insert_instance()
    delete(cloud)
    with pytest.raises(BadRequest) as refusal:
        delete(cloud)
    assert refusal.value.errors[0]["reason"] == "resourceNotReady"


def test_the_same_name_in_another_zone_or_project_is_another_instance(cloud: ComputeEngine) -> None:
    cloud.insert_instance()
    for project, zone in (("shop", "europe-west1-c"), ("bank", ZONE)):
        with pytest.raises(NotFound):
            cloud.instances.get(instance="web", project=project, zone=zone)


@pytest.mark.parametrize(
    ("kind", "code", "left"),
    [
        (FaultKind.CAPACITY, "ZONE_RESOURCE_POOL_EXHAUSTED", []),
        (FaultKind.FAIL, "INTERNAL_ERROR", ["web-boot"]),
    ],
)
def test_a_failed_insert_is_accepted_first_and_takes_its_instance_with_it(
    cloud: ComputeEngine, kind: FaultKind, code: str, left: list[str]
) -> None:
    cloud.simulator.faults.arm([Fault(operation="instances.insert", fault=kind, delay=9)])
    operation = cloud.insert_instance()
    cloud.clock.advance(8)
    assert cloud.operation(operation).status == compute_v1.Operation.Status.RUNNING
    assert status(cloud) == "STAGING"
    cloud.clock.advance(1)
    failed = cloud.operation(operation)
    assert failed.status == compute_v1.Operation.Status.DONE
    assert [error.code for error in failed.error.errors] == [code]
    assert cloud.names() == left


def test_a_failed_deletion_leaves_the_instance_running(cloud: ComputeEngine) -> None:
    cloud.insert_instance()
    cloud.clock.advance(3)
    cloud.simulator.faults.arm([Fault(operation="instances.delete", fault=FaultKind.FAIL, delay=1)])
    operation = delete(cloud)
    cloud.clock.advance(1)
    assert cloud.operation(operation).error.errors[0].code == "INTERNAL_ERROR"
    assert status(cloud) == "RUNNING"


def test_the_inventory_lists_instances_and_disks_with_their_marks(cloud: ComputeEngine) -> None:
    cloud.insert_instance(labels={"team": "payments"})
    instance, disk = sorted(cloud.simulator.inventory(), key=lambda resource: str(resource["name"]))
    assert instance == {
        "id": f"projects/shop/zones/{ZONE}/instances/web",
        "type": "instance",
        "name": "web",
        "location": ZONE,
        "status": "PROVISIONING",
        "marks": {"team": "payments"},
        "created_at": cloud.clock.now(),
    }
    assert (disk["type"], disk["status"], disk["marks"]) == ("disk", "CREATING", {})
