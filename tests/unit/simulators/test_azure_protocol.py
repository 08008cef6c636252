"""What every call to the simulated Resource Manager has in common: who may ask, how it fails, what it lists."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any, cast
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError, ServiceResponseError

from local.simulators.faults import FaultKind
from tests.unit.azure.simulated import (
    GROUP,
    GROUP_ID,
    SUBNET_ID,
    SUBSCRIPTION,
    TAGS,
    SimulatedAzure,
    disk_body,
    machine_body,
    simulated_azure,
)

DISK_PATH = f"{GROUP_ID}/providers/Microsoft.Compute/disks/data"


@pytest.fixture
def azure() -> Iterator[SimulatedAzure]:
    with simulated_azure() as running:
        yield running


def get(url: str, **headers: str) -> tuple[int, str, dict[str, object]]:
    """Status, code and body of a plain GET."""
    try:
        with urlopen(Request(url, headers=headers), timeout=5) as response:  # noqa: S310 -- a loopback address
            return response.status, "", json.load(response)
    except HTTPError as error:
        return error.code, json.load(error)["error"]["code"], {}


def begin_disk(azure: SimulatedAzure) -> None:
    azure.compute.disks.begin_create_or_update(GROUP, "data", disk_body(), polling=False)


def test_a_call_without_a_token_is_turned_away(azure: SimulatedAzure) -> None:
    assert get(f"{azure.url}{DISK_PATH}?api-version=1")[:2] == (401, "AuthenticationFailed")


def test_a_call_without_an_api_version_is_refused(azure: SimulatedAzure) -> None:
    assert get(f"{azure.url}{DISK_PATH}", Authorization="Bearer x")[:2] == (400, "MissingApiVersionParameter")


def test_an_unknown_resource_type_is_refused(azure: SimulatedAzure) -> None:
    url = f"{azure.url}{GROUP_ID}/providers/Microsoft.Web/sites/x?api-version=1"
    assert get(url, Authorization="Bearer x")[:2] == (404, "InvalidResourceType")


def test_the_identity_endpoint_gives_a_token_that_is_good_for_a_day_of_wall_time(azure: SimulatedAzure) -> None:
    url = f"{azure.url}/_identity/token?api-version=2019-08-01&resource=https://management.azure.com"
    status, _, token = get(url, **{"X-IDENTITY-HEADER": "local"})
    assert (status, token["token_type"]) == (200, "Bearer")
    assert int(str(token["expires_on"])) > time.time() + 3600


def test_the_identity_endpoint_wants_its_header(azure: SimulatedAzure) -> None:
    assert get(f"{azure.url}/_identity/token?resource=x")[:2] == (401, "Unauthorized")


def test_an_unknown_resource_group_is_not_found(azure: SimulatedAzure) -> None:
    for call in (
        lambda: azure.compute.disks.get("none", "data"),
        lambda: azure.compute.disks.begin_create_or_update("none", "data", disk_body(), polling=False),
    ):
        with pytest.raises(ResourceNotFoundError, match="ResourceGroupNotFound"):
            call()


def test_the_networks_can_be_looked_at(azure: SimulatedAzure) -> None:
    assert [network.name for network in azure.network.virtual_networks.list(GROUP)] == ["default"]
    assert azure.network.virtual_networks.get(GROUP, "default").id == SUBNET_ID.removesuffix("/subnets/default")
    assert [subnet.name for subnet in azure.network.subnets.list(GROUP, "default")] == ["default"]
    assert azure.network.subnets.get(GROUP, "default", "default").id == SUBNET_ID


@pytest.mark.parametrize(("network", "subnet"), [("none", "default"), ("default", "none")])
def test_an_unknown_network_or_subnet_is_not_found(azure: SimulatedAzure, network: str, subnet: str) -> None:
    with pytest.raises(ResourceNotFoundError, match="ResourceNotFound"):
        azure.network.subnets.get(GROUP, network, subnet)


def test_the_resource_groups_can_be_looked_at(azure: SimulatedAzure) -> None:
    groups = f"{azure.url}/subscriptions/{SUBSCRIPTION}/resourcegroups"
    status, _, listed = get(f"{groups}?api-version=1", Authorization="Bearer x")
    assert (status, [group["name"] for group in cast("list[dict[str, Any]]", listed["value"])]) == (200, ["shop"])
    assert get(f"{groups}/shop?api-version=1", Authorization="Bearer x")[2]["id"] == GROUP_ID
    assert get(f"{groups}/none?api-version=1", Authorization="Bearer x")[:2] == (404, "ResourceGroupNotFound")


def test_ids_do_not_tell_case_apart(azure: SimulatedAzure) -> None:
    azure.put_disk()
    assert azure.compute.disks.get(GROUP.upper(), "DATA").name == "data"


def test_lists_are_of_a_group_or_of_the_subscription(azure: SimulatedAzure) -> None:
    azure.put_disk()
    assert [disk.name for disk in azure.compute.disks.list_by_resource_group(GROUP)] == ["data"]
    assert [disk.name for disk in azure.compute.disks.list()] == ["data"]
    assert list(azure.network.public_ip_addresses.list_all()) == []


def test_the_inventory_tells_every_part(azure: SimulatedAzure) -> None:
    azure.put_machine(interface_id=azure.put_interface(address_id=azure.put_address()))
    found = {it["type"]: it for it in azure.simulator.inventory()}
    assert set(found) == {"publicIPAddresses", "networkInterfaces", "virtualMachines", "disks"}
    assert all(it["marks"] == TAGS and it["status"] == "Succeeded" for it in found.values())
    assert all(it["location"] == "westeurope" and it["id"].startswith("/subscriptions/") for it in found.values())
    assert found["disks"]["created_at"] == found["virtualMachines"]["created_at"]


def test_what_was_created_lately_cannot_be_seen_by_a_stale_read(azure: SimulatedAzure) -> None:
    azure.put_disk()
    azure.arm("Disks_*", FaultKind.STALE, delay=60, times=2)
    with pytest.raises(ResourceNotFoundError):
        azure.compute.disks.get(GROUP, "data")
    assert list(azure.compute.disks.list()) == []
    assert azure.compute.disks.get(GROUP, "data").name == "data"


def test_a_stale_read_shows_what_is_older(azure: SimulatedAzure) -> None:
    azure.put_disk()
    azure.clock.advance(60)
    azure.arm("Disks_Get", FaultKind.STALE, delay=60)
    assert azure.compute.disks.get(GROUP, "data").name == "data"


@pytest.mark.parametrize(("fault", "exists"), [(FaultKind.REFUSE, False), (FaultKind.LOST, True)])
def test_a_dropped_connection_may_or_may_not_have_had_an_effect(
    azure: SimulatedAzure, fault: FaultKind, exists: bool
) -> None:
    azure.arm("Disks_CreateOrUpdate", fault)
    with pytest.raises(ServiceResponseError):
        begin_disk(azure)
    assert azure.names() == ({"data"} if exists else set())


def test_a_late_put_takes_effect_in_time(azure: SimulatedAzure) -> None:
    azure.arm("Disks_CreateOrUpdate", FaultKind.LATE, delay=30)
    with pytest.raises(ServiceResponseError):
        begin_disk(azure)
    azure.clock.advance(29)
    assert azure.names() == set()
    azure.clock.advance(1)
    assert azure.names() == {"data"}


def test_a_late_put_whose_ground_is_gone_has_no_effect(azure: SimulatedAzure) -> None:
    interface_id = azure.put_interface()
    azure.arm("VirtualMachines_CreateOrUpdate", FaultKind.LATE, delay=30)
    with pytest.raises(ServiceResponseError):
        azure.compute.virtual_machines.begin_create_or_update(GROUP, "web", machine_body(interface_id), polling=False)
    azure.network.network_interfaces.begin_delete(GROUP, "web-nic", polling=False)
    azure.clock.advance(60)
    assert azure.names() == set()


def test_a_put_that_is_delivered_twice_creates_one(azure: SimulatedAzure) -> None:
    azure.arm("Disks_CreateOrUpdate", FaultKind.TWICE)
    begin_disk(azure)
    assert len(azure.simulator.inventory()) == 1


def test_compute_and_resource_manager_throttle_in_their_own_words(azure: SimulatedAzure) -> None:
    azure.arm("*", FaultKind.THROTTLE, times=None)
    for call, code in (
        (lambda: azure.compute.disks.get(GROUP, "data"), "OperationNotAllowed"),
        (lambda: azure.network.network_interfaces.get(GROUP, "nic"), "SubscriptionRequestsThrottled"),
    ):
        with pytest.raises(HttpResponseError, match=code) as raised:
            call()
        assert raised.value.status_code == 429
        response: Any = raised.value.response
        assert int(response.headers["Retry-After"]) > 0


def test_an_unavailable_service_says_so(azure: SimulatedAzure) -> None:
    azure.arm("Disks_Get", FaultKind.ERROR)
    with pytest.raises(HttpResponseError, match="ServiceUnavailable"):
        azure.compute.disks.get(GROUP, "data")


def test_the_log_names_operations_as_azures_specifications_do(azure: SimulatedAzure) -> None:
    azure.put_machine()
    azure.compute.virtual_machines.instance_view(GROUP, "web")
    azure.compute.virtual_machines.begin_delete(GROUP, "web", polling=False)
    assert [call.operation for call in azure.simulator.log] == [
        "NetworkInterfaces_CreateOrUpdate",
        "VirtualMachines_CreateOrUpdate",
        "VirtualMachines_InstanceView",
        "VirtualMachines_Delete",
    ]


def test_two_runs_of_the_same_calls_are_the_same() -> None:
    def run() -> object:
        with simulated_azure() as azure:
            azure.put_machine(interface_id=azure.put_interface(address_id=azure.put_address()))
            machine = azure.compute.virtual_machines.get(GROUP, "web")
            return machine.as_dict(), azure.simulator.inventory()

    assert run() == run()


def test_another_subscriptions_resources_are_its_own(azure: SimulatedAzure) -> None:
    azure.put_disk()
    other = DISK_PATH.replace(SUBSCRIPTION, "00000000-0000-0000-0000-000000000002")
    assert get(f"{azure.url}{other}?api-version=1", Authorization="Bearer x")[:2] == (404, "ResourceNotFound")
