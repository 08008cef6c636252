"""What a cluster is reported to have, and what of ours is on it."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pytest

from lambdas.core.clusters import Amounts
from lambdas.core.errors import TerminalError
from lambdas.core.ports.provider import Marked
from lambdas.scvmm.clients import Record
from lambdas.scvmm.survey import survey
from local.simulators.scvmm import SAMPLE
from local.simulators.scvmm.estate import Host
from tests.unit.scvmm.vmm_server import CLUSTER, VmmServer, intent, vmm_server


def test_a_report_says_what_the_cluster_has_and_when_that_was_true(vmm: VmmServer) -> None:
    report = vmm.provider.survey(CLUSTER).report
    assert report.at == datetime.fromtimestamp(vmm.clock.now(), UTC)
    assert [(it.name, it.cpu, it.memory_mb, it.usable) for it in report.hosts] == [
        (name, 32, 131_072, True) for name in ("hv01", "hv02", "hv03")
    ]
    assert [(it.name, it.capacity_gb, it.free_gb, it.usable) for it in report.datastores] == [
        (r"C:\ClusterStorage\Volume1", 2048, 2048 - 200 - 120 - 500, True),
        (r"C:\ClusterStorage\Volume2", 2048, 2048 - 100, True),
    ]
    assert report.images == ("ubuntu-24.04", "windows-2022")
    assert report.networks == ("Backend", "VM Network")
    assert report.local_images == ()


def test_what_is_used_moves_with_what_runs(vmm: VmmServer) -> None:
    def used() -> list[tuple[float, int]]:
        return [(it.cpu_used, it.memory_used_mb) for it in vmm.provider.survey(CLUSTER).report.hosts]

    before = used()
    vmm.provision(intent(cpu=16, memory_gb=32))
    assert used()[:2] == before[:2]
    assert used()[2][0] > before[2][0]
    assert used()[2][1] == before[2][1] + 32 * 1024


def test_others_are_what_machines_without_our_mark_are_configured_with(vmm: VmmServer) -> None:
    vmm.provision(intent(cpu=8, memory_gb=8, disk_gb=100))
    assert vmm.provider.survey(CLUSTER).report.others == Amounts(cpu=12, memory_mb=40_960, disk_gb=620)


def test_what_is_ours_is_said_with_its_mark_and_since_when_it_exists(vmm: VmmServer) -> None:
    began = datetime.fromtimestamp(vmm.clock.now(), UTC)
    vmm.provision(intent())
    (ours,) = vmm.provider.survey(CLUSTER).machines
    machine = next(it for it in vmm.simulator.state.machines.values() if it.name.startswith("s0"))
    assert ours == Marked("s0test0000000001", "web", machine.id, began)


def test_each_cluster_of_a_server_is_a_report_of_its_own(vmm: VmmServer) -> None:
    vmm.provision(intent())
    other = vmm.provider.survey("hyperv-two")
    assert other.machines == ()
    assert [it.name for it in other.report.hosts] == ["hv11", "hv12", "hv13"]
    assert [it.maintenance for it in other.report.hosts] == [False, False, True]


def test_a_host_that_does_not_respond_is_reported_so() -> None:
    first, *others = SAMPLE.clusters
    silent = dataclasses.replace(first, hosts=(Host("hv01", 8, 8192, responding=False),), foreign=())
    with vmm_server(dataclasses.replace(SAMPLE, clusters=(silent, *others))) as vmm:
        (host,) = vmm.provider.survey(CLUSTER).report.hosts
        assert (host.connected, host.usable) == (False, False)


def test_a_cluster_that_the_server_does_not_have_is_terminal(vmm: VmmServer) -> None:
    with pytest.raises(TerminalError, match="NoCluster"):
        vmm.provider.survey("hyperv-none")


def test_a_survey_takes_one_script(vmm: VmmServer) -> None:
    vmm.provider.survey(CLUSTER)
    assert [call.operation for call in vmm.simulator.log] == [
        "Shell.Create",
        "Shell.Receive",
        "Get-SCVMHostCluster",
        "Shell.Receive",
        "Shell.Signal",
    ]


def test_a_moment_without_a_zone_is_not_known() -> None:
    occupant = {"Kind": "occupant", "Id": "1", "Description": "skysaga-saga=s1", "Processors": 1, "MemoryMb": 1024}
    records: list[Record] = [{"Kind": "cluster", "Name": "c"}, {**occupant, "CreatedAt": "2026-11-01T10:00:00"}]
    assert survey(records, "c", datetime.now(UTC)).machines == (Marked("s1", "", "1", None),)
