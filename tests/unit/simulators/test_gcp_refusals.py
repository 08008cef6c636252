"""What the simulated Compute Engine refuses, and in which words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from google.api_core.exceptions import Forbidden, GoogleAPICallError, PreconditionFailed
from google.auth.transport.requests import Request
from google.cloud import compute_v1
from google.oauth2.service_account import Credentials

from local.simulators.faults import Fault, FaultKind
from local.simulators.gcp import GcpTiming, write_service_account
from tests.unit.gcp.compute_engine import DEBIAN, SCOPE, ZONE, ComputeEngine, compute_engine


@pytest.fixture
def cloud() -> Iterator[ComputeEngine]:
    with compute_engine(GcpTiming(instances_per_region=2)) as cloud:
        yield cloud


ELSEWHERE = compute_v1.AttachedDisk(source="projects/shop/zones/us-east1-b/disks/data")


def boot_from(image: str, **params: Any) -> list[compute_v1.AttachedDisk]:
    params = {"source_image": image, **params}
    return [compute_v1.AttachedDisk(boot=True, initialize_params=compute_v1.AttachedDiskInitializeParams(**params))]


def network(**fields: str) -> list[compute_v1.NetworkInterface]:
    return [compute_v1.NetworkInterface(**fields)]


@pytest.mark.parametrize(
    ("fields", "status", "reason", "words"),
    [
        ({"name": "Web"}, 400, "invalid", "resource.name"),
        ({"labels": {"team": "Payments"}}, 400, "invalid", "resource.labels"),
        ({"labels": {"1": "x"}}, 400, "invalid", "resource.labels"),
        ({"machine_type": f"zones/{ZONE}/machineTypes/e2-giant"}, 400, "invalid", "e2-giant"),
        ({"machine_type": "zones/us-east1-b/machineTypes/e2-small"}, 400, "invalid", "resource.machineType"),
        ({"disks": []}, 400, "invalid", "resource.disks"),
        ({"disks": boot_from("projects/debian-cloud/global/images/family/debian-1")}, 404, "notFound", "debian-1"),
        ({"disks": boot_from(DEBIAN, disk_size_gb=5)}, 400, "invalid", "10 GB"),
        ({"disks": boot_from(DEBIAN, disk_type=f"zones/{ZONE}/diskTypes/floppy")}, 400, "invalid", "disk type"),
        ({"disks": [*boot_from(DEBIAN), ELSEWHERE]}, 400, "invalid", "must be in the instance's zone"),
        ({"network_interfaces": []}, 400, "invalid", "networkInterfaces"),
        ({"network_interfaces": network(network="global/networks/other")}, 400, "invalid", "referenced network"),
        (
            {"network_interfaces": network(subnetwork="regions/us-east1/subnetworks/default")},
            400,
            "invalid",
            "referenced subnetwork",
        ),
    ],
)
def test_an_instance_that_cannot_be_is_refused_and_leaves_nothing(
    cloud: ComputeEngine, fields: dict[str, Any], status: int, reason: str, words: str
) -> None:
    with pytest.raises(GoogleAPICallError) as refusal:
        cloud.insert_instance(**fields)
    assert (refusal.value.code, refusal.value.errors[0]["reason"]) == (status, reason)
    assert words in str(refusal.value)
    assert cloud.names() == []


def test_an_unknown_zone_is_refused(cloud: ComputeEngine) -> None:
    with pytest.raises(GoogleAPICallError, match="Unknown zone"):
        cloud.instances.get(instance="web", project="shop", zone="europe-west1-x")


def test_a_full_quota_is_refused_per_region(cloud: ComputeEngine) -> None:
    for name in ("one", "two"):
        cloud.insert_instance(name=name)
    with pytest.raises(Forbidden, match="Quota 'INSTANCES' exceeded") as refusal:
        cloud.insert_instance(name="three")
    assert refusal.value.errors[0]["reason"] == "quotaExceeded"


def test_labels_are_replaced_only_by_who_knows_them(cloud: ComputeEngine) -> None:
    cloud.insert_disk()
    fingerprint = cloud.disks.get(disk="data", **SCOPE).label_fingerprint

    def set_labels(**labels: str) -> None:
        body = compute_v1.ZoneSetLabelsRequest(label_fingerprint=fingerprint, labels=labels)
        cloud.disks.set_labels_unary(resource="data", zone_set_labels_request_resource=body, **SCOPE)

    set_labels(team="payments")
    with pytest.raises(PreconditionFailed):
        set_labels(team="search")
    assert cloud.disks.get(disk="data", **SCOPE).labels == {"team": "payments"}


def test_a_call_without_a_token_is_refused(cloud: ComputeEngine) -> None:
    url = f"{cloud.url}/compute/v1/projects/shop/zones/{ZONE}/instances"
    assert requests.get(url, timeout=5).status_code == 401
    assert requests.get(url, timeout=5, headers={"Authorization": "Bearer any"}).status_code == 200


def test_an_unknown_path_and_a_broken_body_are_refused_in_the_form_of_the_api(cloud: ComputeEngine) -> None:
    headers = {"Authorization": "Bearer any"}
    url = f"{cloud.url}/compute/v1/projects/shop/zones/{ZONE}"
    unknown = requests.get(f"{url}/machines", timeout=5, headers=headers)
    broken = requests.post(f"{url}/disks", timeout=5, headers=headers, data="{")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, 404)
    assert (broken.status_code, broken.json()["error"]["errors"][0]["reason"]) == (400, "parseError")


def test_too_many_requests_say_when_to_come_back(cloud: ComputeEngine) -> None:
    faults = [Fault(operation="*", fault=kind) for kind in (FaultKind.THROTTLE, FaultKind.ERROR)]
    cloud.simulator.faults.arm(faults)
    url = f"{cloud.url}/compute/v1/projects/shop/zones/{ZONE}/instances"
    throttled, failed = requests.get(url, timeout=5), requests.get(url, timeout=5)
    assert (throttled.status_code, throttled.headers["Retry-After"]) == (429, "1")
    assert throttled.json()["error"]["errors"][0]["reason"] == "rateLimitExceeded"
    assert (failed.status_code, failed.json()["error"]["errors"][0]["reason"]) == (503, "backendError")


def test_a_service_account_written_for_the_simulator_gets_its_token_there(cloud: ComputeEngine, tmp_path: Path) -> None:
    key_file = tmp_path / "key.json"
    write_service_account(key_file, f"{cloud.url}/_token")
    credentials = Credentials.from_service_account_file(str(key_file), scopes=["compute"])  # type: ignore[no-untyped-call]
    credentials.refresh(Request())
    assert credentials.valid
    assert credentials.project_id == "local"
    assert key_file.stat().st_mode & 0o077 == 0


def test_the_administration_answers_over_http(cloud: ComputeEngine) -> None:
    cloud.insert_disk()
    resources = requests.get(f"{cloud.url}/_simulator/resources", timeout=5).json()
    assert [resource["name"] for resource in resources] == ["data"]
