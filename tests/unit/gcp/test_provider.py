"""The Google Cloud provider where it differs from the others; what all clouds share is the provider contract's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.cloud import compute_v1

from lambdas.core.errors import CapacityError, RetryableError, TerminalError
from lambdas.core.model import AttachedDisk, Intent
from lambdas.core.ports.provider import Observation
from lambdas.core.specs import AwsDisk
from lambdas.gcp.provider import GcpProvider
from local.simulators.faults import Fault, FaultKind
from local.simulators.gcp import GcpTiming, write_service_account
from local.simulators.gcp.errors import OperationError
from tests.contract.gcp_cloud import ZONE, gcp_definition
from tests.unit.gcp.compute_engine import DEBIAN, SCOPE, ComputeEngine, compute_engine

SAGA = "s0test0000000001"
NAME = f"{SAGA}-web"
PATH = f"projects/shop/zones/{ZONE}"
MARKS = {"skysaga-saga": SAGA, "skysaga-resource": "web"}
STRANGER = {"skysaga-saga": "s0other000000001", "skysaga-resource": "web"}


@pytest.fixture
def cloud() -> Iterator[ComputeEngine]:
    with compute_engine(GcpTiming(operations_kept=60, request_ids_kept=60)) as cloud:
        yield cloud


@pytest.fixture
def provider(cloud: ComputeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GcpProvider:
    write_service_account(tmp_path / "key.json", f"{cloud.url}/_token")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
    return GcpProvider.from_environment({"GOOGLE_CLOUD_PROJECT": "shop", "GOOGLE_COMPUTE_ENDPOINT": cloud.url})


def intent(kind: str = "instance", handle: str | None = None, **spec: Any) -> Intent:
    part = "machine" if kind == "instance" else "disk"
    operations = {} if handle is None else {part: handle}
    return Intent(saga_id=SAGA, definition=gcp_definition(kind, "web", **spec), operations=operations)


def begun(provider: GcpProvider) -> Intent:
    return intent(handle=provider.create(intent(), "machine"))


def arm(cloud: ComputeEngine, operation: str, kind: FaultKind, delay: float = 0) -> None:
    cloud.simulator.faults.arm([Fault(operation=operation, fault=kind, delay=delay)])


def boot_disk(**fields: Any) -> compute_v1.AttachedDisk:
    params = compute_v1.AttachedDiskInitializeParams(source_image=DEBIAN, disk_name=f"{NAME}-boot", **fields)
    return compute_v1.AttachedDisk(boot=True, auto_delete=False, initialize_params=params)


def test_the_handle_is_the_operations_name_and_the_cloud_id_the_path(
    cloud: ComputeEngine, provider: GcpProvider
) -> None:
    machine = begun(provider)
    assert machine.operations["machine"].startswith("operation-")
    assert provider.observe(machine, "machine") == Observation(False, f"{PATH}/instances/{NAME}")
    cloud.clock.advance(3)
    assert provider.observe(machine, "machine") == Observation(True, f"{PATH}/instances/{NAME}")


def test_a_create_takes_one_call_and_a_look_at_what_is_under_way_another(
    cloud: ComputeEngine, provider: GcpProvider
) -> None:
    provider.observe(begun(provider), "machine")
    assert [call.operation for call in cloud.simulator.log] == ["instances.insert", "zoneOperations.get"]


def test_what_we_created_before_is_adopted_when_its_request_id_is_forgotten(
    cloud: ComputeEngine, provider: GcpProvider
) -> None:
    begun(provider)
    cloud.clock.advance(100)
    assert begun(provider).operations == {"machine": ""}
    assert cloud.names() == [NAME, f"{NAME}-boot"]
    assert provider.observe(intent(handle=""), "machine").ready


def test_a_lost_reply_is_answered_by_the_same_operation(cloud: ComputeEngine, provider: GcpProvider) -> None:
    arm(cloud, "instances.insert", FaultKind.LOST)
    with pytest.raises(RetryableError):
        provider.create(intent(), "machine")
    assert provider.observe(begun(provider), "machine").cloud_id
    assert len(provider.find(intent())) == 2


@pytest.mark.parametrize("kind", ["instance", "disk"])
def test_a_strangers_resource_of_our_name_is_reported_and_left_alone(
    cloud: ComputeEngine, provider: GcpProvider, kind: str
) -> None:
    if kind == "instance":
        cloud.insert_instance(name=NAME, labels=STRANGER)
    else:
        cloud.insert_disk(NAME, labels=STRANGER)
    cloud.clock.advance(10)
    part = provider.parts(intent(kind))[0]
    with pytest.raises(TerminalError, match="alreadyExists"):
        provider.create(intent(kind), part)
    with pytest.raises(TerminalError, match="somebody else's"):
        provider.observe(intent(kind, handle=""), part)
    provider.delete(intent(kind))
    assert provider.find(intent(kind)) == []
    assert not [call for call in cloud.simulator.log if call.method == "DELETE"]


def test_a_strangers_disk_under_our_boot_disks_name_is_reported(cloud: ComputeEngine, provider: GcpProvider) -> None:
    cloud.insert_disk(f"{NAME}-boot", labels=STRANGER)
    with pytest.raises(TerminalError, match=f"{NAME}-boot"):
        provider.create(intent(), "machine")


def test_a_name_that_is_taken_by_what_cannot_be_seen_yet_is_asked_about_again(
    cloud: ComputeEngine, provider: GcpProvider
) -> None:
    cloud.insert_instance(name=NAME, labels=MARKS, disks=[boot_disk(labels=MARKS)])
    arm(cloud, "instances.get", FaultKind.STALE, delay=10)
    with pytest.raises(RetryableError, match="alreadyExists"):
        provider.create(intent(), "machine")
    assert provider.create(intent(), "machine") == ""


def test_an_operation_that_failed_raises_what_the_cloud_says(cloud: ComputeEngine, provider: GcpProvider) -> None:
    arm(cloud, "instances.insert", FaultKind.CAPACITY, delay=2)
    machine = begun(provider)
    assert not provider.observe(machine, "machine").ready
    cloud.clock.advance(2)
    with pytest.raises(CapacityError, match="ZONE_RESOURCE_POOL_EXHAUSTED"):
        provider.observe(machine, "machine")


@pytest.mark.parametrize(("labels", "expected"), [(MARKS, "ready"), (STRANGER, "alreadyExists")])
def test_an_operation_that_failed_because_the_name_was_taken_is_no_failure_if_we_took_it(
    cloud: ComputeEngine,
    provider: GcpProvider,
    monkeypatch: pytest.MonkeyPatch,
    labels: dict[str, str],
    expected: str,
) -> None:
    taken = OperationError("RESOURCE_ALREADY_EXISTS", "it already exists", 409, "CONFLICT")
    monkeypatch.setattr("local.simulators.gcp.simulator.internal", lambda: taken)
    arm(cloud, "disks.insert", FaultKind.FAIL)
    machine = intent(handle=cloud.insert_disk("elsewhere").name)
    cloud.insert_instance(name=NAME, labels=labels)
    cloud.clock.advance(3)
    if expected == "ready":
        assert provider.observe(machine, "machine").ready
    else:
        with pytest.raises(TerminalError, match=expected):
            provider.observe(machine, "machine")


def test_an_expired_operation_leaves_the_resource_to_be_looked_at(cloud: ComputeEngine, provider: GcpProvider) -> None:
    machine = begun(provider)
    cloud.clock.advance(100)
    assert provider.observe(machine, "machine") == Observation(True, f"{PATH}/instances/{NAME}")


def test_an_instance_that_did_not_stay_is_a_failure(cloud: ComputeEngine, provider: GcpProvider) -> None:
    machine = begun(provider)
    cloud.clock.advance(3)
    cloud.instances.delete_unary(instance=NAME, **SCOPE)
    with pytest.raises(TerminalError, match="STOPPING"):
        provider.observe(machine, "machine")


def test_a_boot_disk_left_behind_is_found_and_deleted(cloud: ComputeEngine, provider: GcpProvider) -> None:
    cloud.insert_instance(name=NAME, labels=MARKS, disks=[boot_disk(labels=MARKS)])
    cloud.clock.advance(3)
    for _ in range(2):
        provider.delete(intent())
        cloud.clock.advance(3)
    assert provider.find(intent()) == []
    assert cloud.names() == []


@pytest.mark.parametrize("stale", ["instances.list", "instances.get"])
def test_neither_a_list_nor_a_look_that_lags_behind_hides_an_instance(
    cloud: ComputeEngine, provider: GcpProvider, stale: str
) -> None:
    begun(provider)
    arm(cloud, stale, FaultKind.STALE, delay=10)
    assert f"{PATH}/instances/{NAME}" in provider.find(intent())
    arm(cloud, stale, FaultKind.STALE, delay=10)
    provider.delete(intent())
    cloud.clock.advance(10)
    assert cloud.names() == []


def test_what_an_operation_is_about_to_create_counts_as_existing_even_unseen(
    cloud: ComputeEngine, provider: GcpProvider
) -> None:
    machine = begun(provider)
    for read in ("instances.list", "instances.get", "disks.list", "disks.get"):
        arm(cloud, read, FaultKind.STALE, delay=10)
    assert provider.find(machine) == [f"{PATH}/instances/{NAME}"]


def test_deleting_again_after_a_deletion_failed_deletes_again(cloud: ComputeEngine, provider: GcpProvider) -> None:
    begun(provider)
    cloud.clock.advance(3)
    arm(cloud, "instances.delete", FaultKind.FAIL)
    provider.delete(intent())
    provider.delete(intent())
    cloud.clock.advance(3)
    assert cloud.names() == []


def test_an_attached_disk_is_deleted_only_once_its_instance_is_gone(
    cloud: ComputeEngine, provider: GcpProvider
) -> None:
    data = Intent(saga_id=SAGA, definition=gcp_definition("disk", "data"))
    provider.create(data, "disk")
    cloud.clock.advance(2)
    attached = AttachedDisk("data", data.name, f"{PATH}/disks/{data.name}")
    machine = intent().model_copy(update={"disks": (attached,)})
    provider.create(machine, "machine")
    provider.delete(data)
    provider.delete(machine)
    provider.delete(data)
    assert provider.find(data) == [f"{PATH}/disks/{data.name}"]
    cloud.clock.advance(10)
    provider.delete(data)
    cloud.clock.advance(10)
    assert cloud.names() == []


def test_a_disk_that_another_deletion_or_attachment_holds_is_left_for_next_time(
    cloud: ComputeEngine, provider: GcpProvider
) -> None:
    provider.create(intent("disk"), "disk")
    arm(cloud, "disks.delete", FaultKind.TWICE)
    provider.delete(intent("disk"))
    cloud.clock.advance(3)
    assert provider.find(intent("disk")) == []


def test_another_clouds_resource_is_refused(provider: GcpProvider) -> None:
    spec = {"size_gb": 1, "zone": "eu-west-1a"}
    definition = AwsDisk.model_validate(
        {"id": "web", "provider": "aws", "kind": "disk", "region": "eu-west-1", "spec": spec}
    )
    with pytest.raises(TerminalError, match="WrongProvider"):
        provider.create(Intent(saga_id=SAGA, definition=definition), "disk")


def test_the_settling_window_is_the_settings(provider: GcpProvider) -> None:
    assert provider.settling_seconds == 120
