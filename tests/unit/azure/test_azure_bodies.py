"""The documents that Azure is given."""

from __future__ import annotations

from typing import Any

import pytest

from lambdas.azure.bodies import body_of
from lambdas.azure.parts import ADDRESS, DISK, INTERFACE, MACHINE, Part, all_parts, created_parts
from lambdas.core.errors import TerminalError
from lambdas.core.model import AttachedDisk, Intent
from lambdas.core.specs import AwsDisk
from tests.contract.azure_cloud import SUBSCRIPTION, azure_definition

GROUP_ID = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/shop/providers"


def intent(
    kind: str = "instance", resource_id: str = "web", disks: tuple[AttachedDisk, ...] = (), **spec: Any
) -> Intent:
    return Intent(
        saga_id="s1", definition=azure_definition(kind, resource_id, **spec), labels={"team": "payments"}, disks=disks
    )


def body(part: Part, of: Intent) -> Any:
    return body_of(part, of, SUBSCRIPTION)


@pytest.mark.parametrize("part", [ADDRESS, INTERFACE, MACHINE])
def test_every_part_carries_the_marks_and_the_region(part: Part) -> None:
    document = body(part, intent(public_address=True))
    assert document["location"] == "westeurope"
    assert document["tags"] == {
        "team": "payments",
        "skysaga-saga": "s1",
        "skysaga-resource": "web",
        "skysaga-version": "1",
    }


def test_names_follow_from_the_intent_and_tell_the_parts_apart() -> None:
    it = intent(public_address=True)
    assert [part.resource_name(it) for part in all_parts(it)] == ["s1-web", "s1-web-nic", "s1-web-ip", "s1-web-os"]


def test_an_address_is_made_only_on_request() -> None:
    assert created_parts(intent(public_address=True)) == (ADDRESS, INTERFACE, MACHINE)
    assert created_parts(intent()) == (INTERFACE, MACHINE)
    assert ADDRESS not in all_parts(intent())


def test_the_machine_takes_its_interface_and_os_disk_along_when_it_goes() -> None:
    properties = body(MACHINE, intent())["properties"]
    assert properties["networkProfile"]["networkInterfaces"] == [
        {
            "id": f"{GROUP_ID}/Microsoft.Network/networkInterfaces/s1-web-nic",
            "properties": {"primary": True, "deleteOption": "Delete"},
        }
    ]
    os_disk = {"name": "s1-web-os", "createOption": "FromImage", "deleteOption": "Delete"}
    assert properties["storageProfile"]["osDisk"] == os_disk


def test_the_boot_disk_has_the_size_that_was_asked_for() -> None:
    assert body(MACHINE, intent(disk_gb=64))["properties"]["storageProfile"]["osDisk"]["diskSizeGB"] == 64


def test_attached_disks_stay_when_the_machine_goes() -> None:
    disks = tuple(AttachedDisk(name, f"s1-{name}", f"/id/of/{name}") for name in ("data", "logs"))
    attached = body(MACHINE, intent(disks=disks))["properties"]["storageProfile"]["dataDisks"]
    assert [(it["lun"], it["managedDisk"]["id"]) for it in attached] == [(0, "/id/of/data"), (1, "/id/of/logs")]
    assert {(it["createOption"], it["deleteOption"]) for it in attached} == {("Attach", "Detach")}


def test_the_image_and_the_user_are_as_requested() -> None:
    properties = body(MACHINE, intent(image="Debian:debian-12:12-gen2:latest", admin_username="me"))["properties"]
    expected = {"publisher": "Debian", "offer": "debian-12", "sku": "12-gen2", "version": "latest"}
    assert properties["storageProfile"]["imageReference"] == expected
    linux = properties["osProfile"]["linuxConfiguration"]
    assert linux["disablePasswordAuthentication"] is True
    assert linux["ssh"]["publicKeys"][0]["path"] == "/home/me/.ssh/authorized_keys"


def test_the_interface_is_in_the_subnet_that_was_asked_for_with_the_address() -> None:
    configuration = body(INTERFACE, intent(network="core", subnet="web", public_address=True))["properties"]
    properties = configuration["ipConfigurations"][0]["properties"]
    assert properties["subnet"]["id"] == f"{GROUP_ID}/Microsoft.Network/virtualNetworks/core/subnets/web"
    assert properties["publicIPAddress"] == {
        "id": f"{GROUP_ID}/Microsoft.Network/publicIPAddresses/s1-web-ip",
        "properties": {"deleteOption": "Delete"},
    }


def test_a_disk_is_empty_and_of_the_type_that_was_asked_for() -> None:
    document = body(DISK, intent("disk", "data", size_gb=32, type="Premium_LRS"))
    assert document["sku"] == {"name": "Premium_LRS"}
    assert document["properties"] == {"creationData": {"createOption": "Empty"}, "diskSizeGB": 32}


def test_another_clouds_resource_is_refused() -> None:
    definition = AwsDisk.model_validate(
        {
            "id": "data",
            "provider": "aws",
            "kind": "disk",
            "region": "eu-west-1",
            "spec": {"size_gb": 8, "zone": "eu-west-1a"},
        }
    )
    with pytest.raises(TerminalError, match="WrongProvider"):
        created_parts(Intent(saga_id="s1", definition=definition))
