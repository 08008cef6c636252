"""What Compute Engine is asked to create."""

from __future__ import annotations

from typing import Any

from google.cloud.compute_v1 import Disk, Instance

from lambdas.core.model import AttachedDisk, Intent
from lambdas.gcp import bodies
from tests.contract.gcp_cloud import ZONE, gcp_definition

SAGA = "s0test0000000001"
DATA_DISK = AttachedDisk("data", f"{SAGA}-data", f"projects/shop/zones/{ZONE}/disks/{SAGA}-data")


def instance(disks: tuple[AttachedDisk, ...] = (), **spec: Any) -> Instance:
    definition = gcp_definition("instance", "web", **spec)
    assert definition.kind == "instance"
    intent = Intent(saga_id=SAGA, definition=definition, labels={"team": "payments"}, disks=disks)
    return bodies.instance(intent, definition, "shop")


def test_an_instance_and_its_boot_disk_have_deterministic_names_and_every_mark() -> None:
    body = instance()
    params = body.disks[0].initialize_params
    marks = {
        "team": "payments",
        "skysaga-saga": SAGA,
        "skysaga-resource": "web",
        "skysaga-version": "1",
    }
    assert (body.name, params.disk_name) == (f"{SAGA}-web", f"{SAGA}-web-boot")
    assert dict(body.labels) == dict(params.labels) == marks


def test_the_boot_disk_goes_with_the_instance_and_has_the_images_size_unless_one_is_asked_for() -> None:
    own, asked = instance().disks[0], instance(disk_gb=40).disks[0]
    assert own.boot
    assert own.auto_delete
    assert "disk_size_gb" not in own.initialize_params
    assert asked.initialize_params.disk_size_gb == 40


def test_a_disk_of_the_request_is_attached_and_outlives_the_instance() -> None:
    _, data = instance(disks=(DATA_DISK,)).disks
    assert (data.source, data.device_name) == (DATA_DISK.cloud_id, "data")
    assert (data.boot, data.auto_delete) == (False, False)
    assert "auto_delete" in data


def test_the_machine_type_is_the_zones() -> None:
    assert instance(size="n2-standard-4").machine_type == f"zones/{ZONE}/machineTypes/n2-standard-4"


def test_a_public_address_is_ephemeral_and_only_on_request() -> None:
    assert not instance().network_interfaces[0].access_configs
    (access,) = instance(public_address=True).network_interfaces[0].access_configs
    assert (access.type_, "nat_i_p" in access) == ("ONE_TO_ONE_NAT", False)


def test_the_network_is_the_projects_and_the_subnetwork_the_regions() -> None:
    plain = instance().network_interfaces[0]
    custom = instance(network="office", subnet="floor-1").network_interfaces[0]
    assert (plain.network, plain.subnetwork) == ("projects/shop/global/networks/default", "")
    assert custom.network == "projects/shop/global/networks/office"
    assert custom.subnetwork == "projects/shop/regions/europe-west1/subnetworks/floor-1"


def test_a_disk_has_its_name_its_marks_its_size_and_its_type() -> None:
    definition = gcp_definition("disk", "data", size_gb=100, type="pd-ssd")
    assert definition.kind == "disk"
    body: Disk = bodies.disk(Intent(saga_id=SAGA, definition=definition), definition)
    assert (body.name, body.size_gb) == (f"{SAGA}-data", 100)
    assert body.type_ == f"zones/{ZONE}/diskTypes/pd-ssd"
    assert body.labels["skysaga-resource"] == "data"
