"""Virtual machines in the simulated Azure, driven by the unmodified SDK."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError

from local.simulators.azure import AzureSimulatorSettings
from local.simulators.faults import FaultKind
from tests.unit.azure.simulated import GROUP, GROUP_ID, SimulatedAzure, machine_body, simulated_azure


@pytest.fixture
def azure() -> Iterator[SimulatedAzure]:
    with simulated_azure() as running:
        yield running


def state(azure: SimulatedAzure) -> str:
    return str(azure.compute.virtual_machines.get(GROUP, "web")["properties"]["provisioningState"])


def refusal(azure: SimulatedAzure, name: str = "web", interface: str = "web-nic", **changes: Any) -> tuple[int, str]:
    with pytest.raises(HttpResponseError) as raised:
        azure.begin_machine(name, f"{GROUP_ID}/providers/Microsoft.Network/networkInterfaces/{interface}", **changes)
    return told(raised.value)


def told(error: HttpResponseError) -> tuple[int, str]:
    assert error.error is not None
    return (error.status_code or 0, str(error.error.code))


def test_a_machine_is_creating_for_as_long_as_that_takes(azure: SimulatedAzure) -> None:
    azure.begin_machine("web", azure.put_interface())
    azure.clock.advance(azure.simulator.settings.machine_create - 0.1)
    assert state(azure) == "Creating"
    azure.clock.advance(0.1)
    assert state(azure) == "Succeeded"


def test_the_sdks_own_poller_sees_it_through() -> None:
    quick = AzureSimulatorSettings(machine_create=0)
    with simulated_azure(quick) as azure:
        body = machine_body(azure.put_interface())
        poller = azure.compute.virtual_machines.begin_create_or_update(GROUP, "web", body, polling_interval=0)
        assert poller.result(timeout=10)["properties"]["provisioningState"] == "Succeeded"


def test_its_os_disk_comes_along_with_its_tags(azure: SimulatedAzure) -> None:
    azure.put_machine()
    disk = azure.compute.disks.get(GROUP, "web-os")
    assert disk.tags == azure.compute.virtual_machines.get(GROUP, "web").tags
    assert disk["managedBy"].endswith("/virtualMachines/web")


def test_the_instance_view_says_that_it_runs(azure: SimulatedAzure) -> None:
    azure.put_machine()
    view = azure.compute.virtual_machines.instance_view(GROUP, "web")
    assert [status["code"] for status in view["statuses"]] == ["ProvisioningState/succeeded", "PowerState/running"]


def test_a_conditional_put_is_refused_once_it_exists(azure: SimulatedAzure) -> None:
    interface_id = azure.put_interface()
    body = machine_body(interface_id)
    for expected in (None, 412):
        try:
            azure.compute.virtual_machines.begin_create_or_update(
                GROUP, "web", body, etag="*", match_condition=MatchConditions.IfMissing, polling=False
            )
            status = None
        except HttpResponseError as error:
            status = error.status_code
        assert status == expected


def test_putting_the_same_again_while_it_is_created_changes_nothing(azure: SimulatedAzure) -> None:
    interface_id = azure.put_interface()
    azure.begin_machine("web", interface_id)
    azure.begin_machine("web", interface_id)
    assert azure.names() == {"web", "web-os", "web-nic"}


def test_putting_something_else_while_it_is_created_conflicts(azure: SimulatedAzure) -> None:
    azure.begin_machine("web", azure.put_interface())
    assert refusal(azure, size="Standard_B2s") == (409, "Conflict")


def test_what_is_for_ever_cannot_be_changed(azure: SimulatedAzure) -> None:
    azure.put_machine()
    assert refusal(azure, user="other") == (409, "PropertyChangeNotAllowed")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"size": "Standard_X1"}, (400, "InvalidParameter")),
        ({"image": "a:b:c:latest"}, (404, "PlatformImageNotFound")),
        ({"user": "root"}, (400, "InvalidParameter")),
        ({"disk_ids": (f"{GROUP_ID}/providers/Microsoft.Compute/disks/none",)}, (404, "ResourceNotFound")),
        ({"interface": "none"}, (404, "ResourceNotFound")),
    ],
)
def test_what_it_refers_to_has_to_be_there(
    azure: SimulatedAzure, changes: dict[str, Any], expected: tuple[int, str]
) -> None:
    azure.put_interface()
    assert refusal(azure, **changes) == expected
    assert azure.names() == {"web-nic"}


def test_an_os_disk_of_a_name_that_is_taken_is_refused(azure: SimulatedAzure) -> None:
    azure.put_machine()
    assert refusal(azure, name="other") == (409, "ConflictingUserInput")


def test_an_interface_of_another_machine_is_refused(azure: SimulatedAzure) -> None:
    azure.put_machine()
    assert refusal(azure, name="other", os_disk="other-os") == (400, "NicInUse")


def test_a_disk_of_another_machine_is_refused(azure: SimulatedAzure) -> None:
    disk_id = azure.put_disk()
    azure.put_machine(disk_ids=(disk_id,))
    azure.put_interface("other-nic")
    told = refusal(azure, name="other", interface="other-nic", os_disk="other-os", disk_ids=(disk_id,))
    assert told == (409, "ConflictingUserInput")


def test_the_quota_of_a_region_is_kept() -> None:
    with simulated_azure(AzureSimulatorSettings(regional_cores=1)) as azure:
        azure.put_interface()
        assert refusal(azure, size="Standard_B2s") == (409, "OperationNotAllowed")
        azure.begin_machine("web", f"{GROUP_ID}/providers/Microsoft.Network/networkInterfaces/web-nic")


def test_what_is_marked_to_go_along_goes(azure: SimulatedAzure) -> None:
    azure.put_machine(interface_id=azure.put_interface(address_id=azure.put_address()), disk_ids=(azure.put_disk(),))
    azure.compute.virtual_machines.begin_delete(GROUP, "web", polling=False)
    azure.clock.advance(20)
    assert azure.names() == {"data"}


def test_what_is_not_marked_is_left_behind(azure: SimulatedAzure) -> None:
    azure.put_machine(interface_id=azure.put_interface(address_id=azure.put_address()), goes_along=False)
    azure.compute.virtual_machines.begin_delete(GROUP, "web", polling=False)
    azure.clock.advance(20)
    assert azure.names() == {"web-nic", "web-ip", "web-os"}


def test_deleting_takes_its_time_and_what_goes_along_goes_afterwards(azure: SimulatedAzure) -> None:
    azure.put_machine()
    settings = azure.simulator.settings
    azure.compute.virtual_machines.begin_delete(GROUP, "web", polling=False)
    assert state(azure) == "Deleting"
    azure.clock.advance(settings.machine_delete)
    assert azure.names() == {"web-nic", "web-os"}
    azure.clock.advance(max(settings.interface_delete, settings.disk_delete))
    assert azure.names() == set()


def test_a_put_on_one_that_is_being_deleted_is_not_allowed(azure: SimulatedAzure) -> None:
    azure.put_machine()
    azure.compute.virtual_machines.begin_delete(GROUP, "web", polling=False)
    assert refusal(azure) == (409, "OperationNotAllowed")


def test_a_delete_preempts_the_create(azure: SimulatedAzure) -> None:
    azure.begin_machine("web", azure.put_interface())
    azure.compute.virtual_machines.begin_delete(GROUP, "web", polling=False)
    assert state(azure) == "Deleting"
    azure.clock.advance(20)
    assert azure.names() == set()


def test_a_stockout_leaves_a_failed_machine_without_an_os_disk(azure: SimulatedAzure) -> None:
    interface_id = azure.put_interface()
    azure.arm("VirtualMachines_CreateOrUpdate", FaultKind.CAPACITY, delay=3)
    azure.begin_machine("web", interface_id)
    azure.clock.advance(2.9)
    assert state(azure) == "Creating"
    azure.clock.advance(0.1)
    assert state(azure) == "Failed"
    view = azure.compute.virtual_machines.instance_view(GROUP, "web")
    assert view["statuses"][0]["code"] == "ProvisioningState/failed/AllocationFailed"
    assert azure.names() == {"web", "web-nic"}


def test_an_internal_error_leaves_a_failed_machine_with_its_os_disk(azure: SimulatedAzure) -> None:
    interface_id = azure.put_interface()
    azure.arm("VirtualMachines_CreateOrUpdate", FaultKind.FAIL, delay=3)
    azure.begin_machine("web", interface_id)
    azure.clock.advance(3)
    assert state(azure) == "Failed"
    assert azure.names() == {"web", "web-nic", "web-os"}


def test_a_failed_machine_can_be_put_again(azure: SimulatedAzure) -> None:
    interface_id = azure.put_interface()
    azure.arm("VirtualMachines_CreateOrUpdate", FaultKind.CAPACITY)
    azure.begin_machine("web", interface_id)
    azure.put_machine(interface_id=interface_id)
    assert state(azure) == "Succeeded"
    assert azure.names() == {"web", "web-nic", "web-os"}


def test_the_interface_of_a_failed_machine_stays_reserved_for_it(azure: SimulatedAzure) -> None:
    interface_id = azure.put_interface()
    azure.arm("VirtualMachines_CreateOrUpdate", FaultKind.CAPACITY)
    azure.begin_machine("web", interface_id)
    azure.compute.virtual_machines.begin_delete(GROUP, "web", polling=False)
    azure.clock.advance(azure.simulator.settings.machine_delete)
    assert azure.names() == {"web-nic"}
    with pytest.raises(HttpResponseError) as raised:
        azure.network.network_interfaces.begin_delete(GROUP, "web-nic", polling=False)
    assert told(raised.value) == (400, "NicReservedForAnotherVm")
    azure.clock.advance(azure.simulator.settings.nic_reservation)
    azure.network.network_interfaces.begin_delete(GROUP, "web-nic", polling=False)


def test_no_secret_is_told_again(azure: SimulatedAzure) -> None:
    body = machine_body(azure.put_interface())
    body["properties"]["osProfile"]["customData"] = "c2VjcmV0"
    azure.compute.virtual_machines.begin_create_or_update(GROUP, "web", body, polling=False)
    assert "customData" not in azure.compute.virtual_machines.get(GROUP, "web")["properties"]["osProfile"]
