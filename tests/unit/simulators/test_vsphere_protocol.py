"""The simulated vCenter as the unmodified pyvmomi meets it: sessions, properties, pages, faults."""

from __future__ import annotations

from collections.abc import Iterator
from http.client import HTTPException
from typing import Any

import pytest
import requests
from pyVim.connect import Disconnect, SmartConnect
from pyVmomi import vim, vmodl

from local.simulators.faults import Fault, FaultKind
from local.simulators.vsphere import SAMPLE
from local.simulators.vsphere.building import SINGLETONS
from local.simulators.vsphere.inventory import Thing
from local.simulators.vsphere.properties import properties_of
from tests.unit.simulators.vsphere_client import PC, Client, signed_in


@pytest.fixture
def vcenter() -> Iterator[Client]:
    with signed_in() as client:
        yield client


def test_pyvmomis_own_connect_finds_out_what_is_spoken_and_signs_in(vcenter: Client) -> None:
    host, port = vcenter.url.removeprefix("http://").split(":")
    service: Any = SmartConnect(protocol="http", host=host, port=int(port), user="skysaga@vsphere.local", pwd="local")
    assert service.content.about.apiVersion == "7.0.0.0"
    assert service.CurrentTime().timestamp() == vcenter.clock.now()
    Disconnect(service)


def test_a_wrong_password_is_refused_by_type(vcenter: Client) -> None:
    with pytest.raises(vim.fault.InvalidLogin, match="incorrect user name or password"):
        vcenter.sign_in(password="wrong")


def test_both_passwords_are_accepted_while_one_is_rotated(vcenter: Client) -> None:
    vcenter.simulator.sessions.passwords["skysaga@vsphere.local"] = ("old", "new")
    assert vcenter.sign_in(password="old").userName == "VSPHERE.LOCAL\\skysaga"
    assert vcenter.sign_in(password="new").userName == "VSPHERE.LOCAL\\skysaga"


def test_nobody_reads_without_a_session(vcenter: Client) -> None:
    vcenter.content.sessionManager.Logout()
    with pytest.raises(vim.fault.NotAuthenticated):
        vcenter.cluster("CL01")


def test_a_session_expires_when_nothing_is_heard_of_it(vcenter: Client) -> None:
    for _ in range(3):
        vcenter.clock.advance(SAMPLE.session_idle - 1)
        assert vcenter.machine("ci-0").name == "ci-0"
    vcenter.clock.advance(SAMPLE.session_idle + 1)
    with pytest.raises(vim.fault.NotAuthenticated):
        _ = vcenter.machine("ci-0").name


def test_a_container_view_lists_what_is_in_a_container(vcenter: Client) -> None:
    assert sorted(it.name for it in vcenter.everything(vim.ClusterComputeResource)) == ["CL01", "CL02", "CL03"]
    assert len(vcenter.everything(vim.HostSystem)) == 9
    assert len(vcenter.everything(vim.VirtualMachine)) == 2 + 8 + 4 + 1


def test_properties_of_one_thing_are_read_as_attributes(vcenter: Client) -> None:
    machine = vcenter.machine("erp-0")
    assert (machine.config.hardware.numCPU, machine.config.hardware.memoryMB) == (16, 96 * 1024)
    assert machine.runtime.powerState == "poweredOn"
    assert machine.summary.config.name == machine.name == "erp-0"
    host = machine.runtime.host
    assert (host.name, host.summary.hardware.numCpuThreads) == ("esx-11", 64)
    assert host.summary.quickStats.overallMemoryUsage > 96 * 1024 * 0.4
    assert machine in host.vm
    assert vcenter.cluster("CL01").configurationEx.drsConfig.enabled
    assert not vcenter.cluster("CL02").configurationEx.drsConfig.enabled


def test_quick_stats_move_with_what_is_switched_on_and_with_time(vcenter: Client) -> None:
    host = vcenter.machine("ci-0").runtime.host
    before = host.summary.quickStats
    vcenter.clock.advance(200)
    later = host.summary.quickStats
    vcenter.end(vcenter.machine("ci-0").PowerOffVM_Task())
    after = host.summary.quickStats
    assert before.overallCpuUsage != later.overallCpuUsage
    assert after.overallCpuUsage < later.overallCpuUsage
    assert after.overallMemoryUsage < later.overallMemoryUsage


def _names(vcenter: Client, size: int | None = None) -> tuple[list[str], int]:
    """The names of all hosts by traversals from the root, and in how many pages they came."""
    select = [PC.SelectionSpec(name="folders"), PC.SelectionSpec(name="hosts"), PC.SelectionSpec(name="cluster")]
    steps = [
        PC.TraversalSpec(name="folders", type=vim.Folder, path="childEntity", skip=False, selectSet=select),
        PC.TraversalSpec(name="hosts", type=vim.Datacenter, path="hostFolder", skip=False, selectSet=select),
        PC.TraversalSpec(name="cluster", type=vim.ComputeResource, path="host", skip=False),
    ]
    spec = PC.FilterSpec(
        objectSet=[PC.ObjectSpec(obj=vcenter.content.rootFolder, skip=False, selectSet=steps)],
        propSet=[PC.PropertySpec(type=vim.HostSystem, pathSet=["name"])],
    )
    collector = vcenter.content.propertyCollector
    page = collector.RetrievePropertiesEx([spec], PC.RetrieveOptions(maxObjects=size))
    names, pages = [], 0
    while page:
        pages += 1
        names += [it.propSet[0].val for it in page.objects]
        page = collector.ContinueRetrievePropertiesEx(page.token) if page.token else None
    return names, pages


def test_traversals_lead_to_everything_once(vcenter: Client) -> None:
    names, pages = _names(vcenter)
    assert (len(names), len(set(names)), pages) == (9, 9, 1)


def test_many_objects_come_page_by_page(vcenter: Client) -> None:
    names, pages = _names(vcenter, size=2)
    assert (sorted(names), pages) == (sorted(_names(vcenter)[0]), 5)


def test_a_token_fetches_its_page_once(vcenter: Client) -> None:
    collector = vcenter.content.propertyCollector
    with pytest.raises(vmodl.fault.InvalidArgument, match="token"):
        collector.ContinueRetrievePropertiesEx("made up")


def test_what_is_unset_is_left_out_and_what_cannot_be_is_refused(vcenter: Client) -> None:
    def read(*paths: str) -> list[Any]:
        spec = PC.FilterSpec(
            objectSet=[PC.ObjectSpec(obj=vcenter.machine("ci-0"))],
            propSet=[PC.PropertySpec(type=vim.VirtualMachine, pathSet=list(paths))],
        )
        return list(vcenter.content.propertyCollector.RetrievePropertiesEx([spec], PC.RetrieveOptions()).objects)

    assert [it.name for it in read("name", "guestHeartbeatStatus", "config.extraConfig")[0].propSet] == ["name"]
    with pytest.raises(vmodl.query.InvalidProperty):
        read("colour")
    with pytest.raises(vmodl.query.InvalidProperty):
        read("config.colour")


def test_what_is_not_there_is_a_fault(vcenter: Client) -> None:
    gone = vcenter.ref(vim.VirtualMachine, "vm-9999")
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        _ = gone.name
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        gone.Destroy_Task()


def test_things_are_found_by_name_and_by_uuid(vcenter: Client) -> None:
    index, machine = vcenter.content.searchIndex, vcenter.machine("ci-0")
    assert index.FindChild(vcenter.folder(), "ci-0") == machine
    assert index.FindByUuid(None, machine.config.instanceUuid, True, True) == machine
    assert index.FindChild(vcenter.folder(), "nobody") is None
    assert index.FindByUuid(None, "50000000-0000-0000-0000-000000000000", True, True) is None


def test_a_method_that_is_not_simulated_says_so(vcenter: Client) -> None:
    with pytest.raises(vmodl.fault.NotSupported, match="ResetVM_Task is not simulated"):
        vcenter.machine("ci-0").ResetVM_Task()


@pytest.mark.parametrize("body", ["", "hello", "<Envelope><Body></Body></Envelope>"])
def test_what_is_no_call_is_an_invalid_request(vcenter: Client, body: str) -> None:
    answer = requests.post(f"{vcenter.url}/sdk", data=body, timeout=5)
    assert answer.status_code == 500
    assert "InvalidRequestFault" in answer.text


def arm(vcenter: Client, kind: FaultKind, operation: str = "FindChild") -> None:
    vcenter.simulator.faults.arm([Fault(operation=operation, fault=kind, delay=5)])


def test_faults_of_the_connection_and_the_proxy_are_played(vcenter: Client) -> None:
    def find() -> Any:
        return vcenter.content.searchIndex.FindChild(vcenter.folder(), "ci-0")

    arm(vcenter, FaultKind.THROTTLE)
    with pytest.raises(HTTPException, match="429"):
        find()
    arm(vcenter, FaultKind.ERROR)
    with pytest.raises(HTTPException, match="503"):
        find()
    arm(vcenter, FaultKind.REFUSE)
    with pytest.raises(ConnectionError):
        find()
    arm(vcenter, FaultKind.QUOTE)
    with pytest.raises(vmodl.fault.InvalidRequest, match="ci-0"):
        find()
    assert find() is not None


def test_operations_are_named_as_the_apis_methods(vcenter: Client) -> None:
    vcenter.content.searchIndex.FindChild(vcenter.folder(), "ci-0")
    log = requests.get(f"{vcenter.url}/_simulator/log", timeout=5).json()
    assert [it["operation"] for it in log] == ["RetrieveServiceContent", "Login", "FindChild"]


def test_every_property_that_is_served_can_be_read_whole(vcenter: Client) -> None:
    vcenter.clone("web")
    estate = vcenter.simulator.estate
    seen = set()
    for thing in estate.all(Thing):
        for name in properties_of(estate, thing):
            if (thing.kind, name) not in seen and thing.kind not in SINGLETONS.values():
                seen.add((thing.kind, name))
                getattr(vcenter.ref(thing.kind, thing.id), name)
    assert len(seen) > 40
    assert {call.status for call in vcenter.simulator.log} == {200}
