"""What the simulated VMM server does to machines, and what it refuses, driven by scripts over pypsrp."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lambdas.core.errors import StepError
from tests.unit.scvmm.vmm_server import VmmServer, vmm_server

NEW = """
param($Name, $Path, $HostName)
$ErrorActionPreference = 'Stop'
$template = Get-SCVMTemplate -Name 'ubuntu-24.04'
$vmHost = Get-SCVMHost -ComputerName $HostName
New-SCVirtualMachine -Name $Name -VMTemplate $template -VMHost $vmHost -Path $Path -CPUCount 2 -MemoryMB 4096 `
    -RunAsynchronously -JobVariable 'job' | Out-Null
[pscustomobject]@{ Id = [string]$job.ID; Status = [string]$job.Status }
"""
LIST = "Get-SCVirtualMachine -Name 'web' | ForEach-Object { [pscustomobject]@{ Status = [string]$_.Status } }"
JOB = """
param($Id)
Get-SCJob -ID $Id | ForEach-Object {
    [pscustomobject]@{ Status = $_.Status; Code = $_.ErrorInfo.DisplayableErrorCode; Problem = $_.ErrorInfo.Problem }
}
"""
VOLUME = r"C:\ClusterStorage\Volume1"


@pytest.fixture
def vmm() -> Iterator[VmmServer]:
    with vmm_server() as vmm:
        yield vmm


def create(vmm: VmmServer, name: str = "web", path: str = VOLUME, host: str = "hv01") -> str:
    """Begin creating a machine; the job's id."""
    (job,) = vmm.shells.run(NEW, Name=name, Path=path, HostName=host)
    assert job["Status"] == "Running"
    return str(job["Id"])


def on(vmm: VmmServer, command: str) -> list[Any]:
    """Run one command on the machine `web`."""
    script = "$ErrorActionPreference = 'Stop'\n$m = Get-SCVirtualMachine -Name 'web' | Select-Object -First 1\n"
    return [dict(it) for it in vmm.shells.run(script + command)]


def listed(vmm: VmmServer) -> list[str]:
    return [it["Status"] for it in vmm.shells.run(LIST)]


def code(vmm: VmmServer, command: str) -> str:
    """The number of the error that a command on the machine `web` is refused with."""
    with pytest.raises(StepError) as refusal:
        on(vmm, command)
    return refusal.value.code


def test_a_machine_is_a_job_then_listed_then_off(vmm: VmmServer) -> None:
    job = create(vmm)
    assert listed(vmm) == []
    vmm.clock.advance(1)
    assert listed(vmm) == ["UnderCreation"]
    vmm.clock.advance(3)
    assert listed(vmm) == ["PowerOff"]
    (done,) = vmm.shells.run(JOB, Id=job)
    assert (done["Status"], done["Code"], done["Problem"]) == ("Completed", 0, "")


def test_two_machines_may_have_the_same_name(vmm: VmmServer) -> None:
    create(vmm)
    create(vmm)
    vmm.clock.advance(10)
    assert listed(vmm) == ["PowerOff", "PowerOff"]


def test_a_machine_goes_through_its_states_and_is_gone(vmm: VmmServer) -> None:
    create(vmm)
    seen = []
    for command in (
        "Start-SCVirtualMachine -VM $m",
        "Stop-SCVirtualMachine -VM $m -Force",
        "Remove-SCVirtualMachine -VM $m",
    ):
        vmm.clock.advance(10)
        on(vmm, command + " | Out-Null")
        seen += listed(vmm)
    vmm.clock.advance(10)
    assert (seen, listed(vmm)) == (["Starting", "PoweringOff", "Deleting"], [])


@pytest.mark.parametrize(
    "command",
    ["Start-SCVirtualMachine -VM $m", "Stop-SCVirtualMachine -VM $m -Force", "Remove-SCVirtualMachine -VM $m"],
)
def test_a_machine_that_a_job_is_about_is_locked(vmm: VmmServer, command: str) -> None:
    create(vmm)
    vmm.clock.advance(1)
    assert code(vmm, command) == "2602"


def test_a_machine_that_runs_is_not_removed_and_one_that_is_off_not_stopped(vmm: VmmServer) -> None:
    create(vmm)
    vmm.clock.advance(10)
    assert code(vmm, "Stop-SCVirtualMachine -VM $m -Force") == "809"
    on(vmm, "Start-SCVirtualMachine -VM $m | Out-Null")
    vmm.clock.advance(10)
    assert code(vmm, "Remove-SCVirtualMachine -VM $m") == "809"
    assert code(vmm, "Start-SCVirtualMachine -VM $m") == "809"


GROUP = "11111111-2222-3333-4444-555555555555"
GROW = f"Expand-SCVirtualDiskDrive -VirtualDiskDrive $d -VirtualHardDiskSizeGB 50 -JobGroup '{GROUP}' | Out-Null\n"
DRIVE = "$d = $m.VirtualDiskDrives | Select-Object -First 1\n"
COMMIT = f"Set-SCVirtualMachine -VM $m -JobGroup '{GROUP}' | Out-Null\n"
SIZE = "[pscustomobject]@{ Bytes = $d.VirtualHardDisk.MaximumSize }"


def test_a_job_group_is_carried_out_with_its_last_command(vmm: VmmServer) -> None:
    create(vmm)
    vmm.clock.advance(10)
    on(vmm, DRIVE + GROW)
    vmm.clock.advance(10)
    assert on(vmm, DRIVE + SIZE) == [{"Bytes": 20 * 2**30}]
    on(vmm, COMMIT)
    vmm.clock.advance(10)
    assert on(vmm, DRIVE + SIZE) == [{"Bytes": 50 * 2**30}]


def test_the_disk_of_a_machine_that_runs_cannot_be_grown(vmm: VmmServer) -> None:
    create(vmm)
    vmm.clock.advance(10)
    on(vmm, "Start-SCVirtualMachine -VM $m | Out-Null")
    vmm.clock.advance(10)
    assert code(vmm, DRIVE + GROW) == "640"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"path": r"C:\Local"}, "2409"),
        ({"path": ""}, "2409"),
        ({"host": "hv13"}, "10434"),
        ({"host": "hv99"}, "ParameterArgumentValidationErrorNullNotAllowed"),
    ],
)
def test_a_machine_that_cannot_be_there_is_refused(vmm: VmmServer, values: dict[str, str], expected: str) -> None:
    with pytest.raises(StepError) as refusal:
        create(vmm, **values)
    assert refusal.value.code == expected
    assert vmm.status("web") == []


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("Get-SCVirtualMachine -Nam 'x'", "NamedParameterNotFound"),
        ("Get-SCVirtualMachine 'x'", "PositionalParameterNotFound"),
        ("Get-SCVirtualMachine -ID 'x'", "CannotConvertArgumentNoMessage"),
        ("Get-SCVirtualMachine -ID '11111111-2222-3333-4444-555555555555'", "801"),
        ("Get-SCJob -ID '11111111-2222-3333-4444-555555555555'", "801"),
        ("Start-SCVirtualMachine -VM $null", "ParameterArgumentValidationErrorNullNotAllowed"),
        ("Start-SCVirtualMachine -VM 'web'", "CannotConvertArgumentNoMessage"),
        ("Start-SCVirtualMachine", "MissingMandatoryParameter"),
        ("Get-SCVMHostCluster | Get-SCVMHost", "InputObjectNotBound"),
        ("Get-Process", "CommandNotFoundException"),
        ("$x = [int]1", "ParserError"),
    ],
)
def test_what_a_cmdlet_does_not_take_is_refused_as_powershell_does(vmm: VmmServer, script: str, expected: str) -> None:
    with pytest.raises(StepError) as refusal:
        vmm.shells.run(script)
    assert refusal.value.code == expected


def test_vmms_own_objects_arrive_with_their_properties_as_text(vmm: VmmServer) -> None:
    (cluster,) = vmm.shells.run("Get-SCVMHostCluster -Name 'HVCL02'")
    assert dict(cluster) == {"Name": "HVCL02", "SharedVolumes": [VOLUME]}
