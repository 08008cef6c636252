"""Disks, network interfaces and public addresses in the simulated Azure, driven by the unmodified SDK."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from local.simulators.azure.settings import AzureSimulatorSettings
from local.simulators.faults import FaultKind
from tests.unit.azure.simulated import (
    GROUP,
    GROUP_ID,
    SUBNET_ID,
    SimulatedAzure,
    address_body,
    disk_body,
    interface_body,
    simulated_azure,
)


@pytest.fixture
def azure() -> Iterator[SimulatedAzure]:
    with simulated_azure() as running:
        yield running


def collection(azure: SimulatedAzure, kind: str) -> Any:
    return {
        "disk": azure.compute.disks,
        "interface": azure.network.network_interfaces,
        "address": azure.network.public_ip_addresses,
    }[kind]


BODIES = {"disk": disk_body(), "interface": interface_body(), "address": address_body()}


def put(azure: SimulatedAzure, kind: str, body: Any = None) -> None:
    collection(azure, kind).begin_create_or_update(GROUP, "it", body or BODIES[kind], polling=False)


def delete(azure: SimulatedAzure, kind: str, name: str = "it") -> None:
    collection(azure, kind).begin_delete(GROUP, name, polling=False)


def state(azure: SimulatedAzure, kind: str) -> str:
    return str(collection(azure, kind).get(GROUP, "it")["properties"]["provisioningState"])


def told(raised: pytest.ExceptionInfo[HttpResponseError]) -> tuple[int, str]:
    assert raised.value.error is not None
    return (raised.value.status_code or 0, str(raised.value.error.code))


@pytest.mark.parametrize("kind", list(BODIES))
def test_it_is_created_and_deleted_in_time(azure: SimulatedAzure, kind: str) -> None:
    put(azure, kind)
    created = state(azure, kind)
    azure.clock.advance(1.5)
    assert (created, state(azure, kind)) == ("Creating", "Succeeded")
    delete(azure, kind)
    assert state(azure, kind) == "Deleting"
    azure.clock.advance(1.5)
    assert azure.names() == set()


def test_what_takes_no_time_is_there_in_the_answer_to_the_put() -> None:
    with simulated_azure(AzureSimulatorSettings(interface_create=0)) as azure:
        answered = collection(azure, "interface").begin_create_or_update(
            GROUP, "it", BODIES["interface"], polling=False, cls=lambda answer, body, _: (answer.http_response, body)
        )
        response, body = answered.result()
        assert response.status_code == 201
        assert "Azure-AsyncOperation" in response.headers
        assert body["properties"]["provisioningState"] == state(azure, "interface") == "Succeeded"


@pytest.mark.parametrize("kind", list(BODIES))
def test_putting_it_again_replaces_it(azure: SimulatedAzure, kind: str) -> None:
    for owner in ("one", "other"):
        put(azure, kind, {**BODIES[kind], "tags": {"owner": owner}})
        azure.clock.advance(5)
    assert collection(azure, kind).get(GROUP, "it").tags == {"owner": "other"}
    assert len(azure.simulator.inventory()) == 1


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("disk", "Conflict"),
        ("interface", "AnotherOperationInProgress"),
        ("address", "AnotherOperationInProgress"),
    ],
)
def test_a_write_while_another_is_under_way_conflicts(azure: SimulatedAzure, kind: str, code: str) -> None:
    put(azure, kind)
    with pytest.raises(HttpResponseError) as raised:
        put(azure, kind, {**BODIES[kind], "tags": {}})
    assert told(raised) == (409, code)
    with pytest.raises(HttpResponseError) as raised:
        delete(azure, kind)
    assert told(raised) == (409, code)


@pytest.mark.parametrize("kind", list(BODIES))
def test_the_same_name_in_another_region_conflicts(azure: SimulatedAzure, kind: str) -> None:
    put(azure, kind)
    azure.clock.advance(5)
    with pytest.raises(HttpResponseError) as raised:
        put(azure, kind, {**BODIES[kind], "location": "northeurope"})
    assert told(raised) == (409, "InvalidResourceLocation")


@pytest.mark.parametrize("kind", list(BODIES))
def test_an_unknown_region_is_refused(azure: SimulatedAzure, kind: str) -> None:
    with pytest.raises(HttpResponseError) as raised:
        put(azure, kind, {**BODIES[kind], "location": "atlantis"})
    assert told(raised) == (400, "LocationNotAvailableForResourceType")


@pytest.mark.parametrize(
    ("kind", "code"),
    [("disk", "SkuNotAvailable"), ("interface", "SubnetIsFull"), ("address", "PublicIPCountLimitReached")],
)
def test_want_of_capacity_shows_after_it_was_accepted(azure: SimulatedAzure, kind: str, code: str) -> None:
    azure.arm("*_CreateOrUpdate", FaultKind.CAPACITY, delay=2)
    poller = collection(azure, kind).begin_create_or_update(GROUP, "it", BODIES[kind], polling_interval=0.01)
    azure.clock.advance(2)
    with pytest.raises(HttpResponseError, match=code):
        poller.result(timeout=10)
    assert state(azure, kind) == "Failed"


@pytest.mark.parametrize("kind", list(BODIES))
def test_a_delete_can_fail_and_be_repeated(azure: SimulatedAzure, kind: str) -> None:
    put(azure, kind)
    azure.clock.advance(5)
    azure.arm("*_Delete", FaultKind.FAIL)
    delete(azure, kind)
    azure.clock.advance(5)
    assert state(azure, kind) == "Failed"
    delete(azure, kind)
    azure.clock.advance(5)
    assert azure.names() == set()


@pytest.mark.parametrize("kind", list(BODIES))
def test_deleting_what_is_not_there_is_fine(azure: SimulatedAzure, kind: str) -> None:
    delete(azure, kind)
    assert azure.simulator.log[-1].status == 204


@pytest.mark.parametrize(
    "body", [disk_body(size_gb=0), disk_body(size_gb=40_000), disk_body(sku="Magnetic")], ids=["empty", "huge", "sku"]
)
def test_a_disk_that_cannot_be_is_refused(azure: SimulatedAzure, body: Any) -> None:
    with pytest.raises(HttpResponseError) as raised:
        put(azure, "disk", body)
    assert told(raised) == (400, "InvalidParameter")


def test_an_attached_disk_cannot_be_deleted(azure: SimulatedAzure) -> None:
    azure.put_machine(disk_ids=(azure.put_disk(),))
    for name in ("data", "web-os"):
        with pytest.raises(HttpResponseError, match="is attached to VM") as raised:
            delete(azure, "disk", name)
        assert told(raised) == (409, "OperationNotAllowed")


def test_an_interface_that_belongs_to_a_machine_cannot_be_deleted(azure: SimulatedAzure) -> None:
    azure.put_machine()
    with pytest.raises(HttpResponseError) as raised:
        delete(azure, "interface", "web-nic")
    assert told(raised) == (400, "NicInUse")


def test_an_address_that_an_interface_has_cannot_be_deleted(azure: SimulatedAzure) -> None:
    azure.put_interface(address_id=azure.put_address())
    with pytest.raises(HttpResponseError) as raised:
        delete(azure, "address", "web-ip")
    assert told(raised) == (400, "PublicIPAddressCannotBeDeleted")


def test_an_address_goes_along_with_its_interface(azure: SimulatedAzure) -> None:
    azure.put_interface(address_id=azure.put_address())
    delete(azure, "interface", "web-nic")
    azure.clock.advance(10)
    assert azure.names() == set()


@pytest.mark.parametrize(
    "body",
    [
        interface_body(subnet_id=SUBNET_ID.replace("subnets/default", "subnets/none")),
        interface_body(subnet_id=SUBNET_ID.replace("virtualNetworks/default", "virtualNetworks/none")),
        interface_body(address_id=f"{GROUP_ID}/providers/Microsoft.Network/publicIPAddresses/none"),
    ],
    ids=["subnet", "network", "address"],
)
def test_an_interface_refers_to_what_exists(azure: SimulatedAzure, body: Any) -> None:
    with pytest.raises(HttpResponseError) as raised:
        put(azure, "interface", body)
    assert told(raised) == (400, "InvalidResourceReference")


def test_an_interface_waits_for_its_address_to_be_there(azure: SimulatedAzure) -> None:
    azure.network.public_ip_addresses.begin_create_or_update(GROUP, "web-ip", address_body(), polling=False)
    with pytest.raises(HttpResponseError) as raised:
        put(azure, "interface", interface_body(f"{GROUP_ID}/providers/Microsoft.Network/publicIPAddresses/web-ip"))
    assert told(raised) == (409, "ReferencedResourceNotProvisioned")


def test_addresses_are_given_and_told(azure: SimulatedAzure) -> None:
    azure.put_interface(address_id=azure.put_address())
    interface = azure.network.network_interfaces.get(GROUP, "web-nic")
    address = azure.network.public_ip_addresses.get(GROUP, "web-ip")
    assert interface["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"].startswith("10.0.")
    assert address["properties"]["ipAddress"].startswith("203.0.")
    assert "/networkInterfaces/web-nic/" in address["properties"]["ipConfiguration"]["id"]
