"""VMM's objects as a script sees them: of the properties that they really have, those that we know somebody reads."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from local.simulators.scvmm.estate import Cluster, Host, Template
from local.simulators.scvmm.powershell import Thing
from local.simulators.scvmm.state import Job, Machine, State

_GIB: Final = 2**30
_MIB: Final = 2**20
_TYPES: Final = "Microsoft.SystemCenter.VirtualMachineManager."


def _thing(type_name: str, subject: object, text: str, **properties: object) -> Thing:
    return Thing(_TYPES + type_name, properties, text, subject)


def server_thing() -> Thing:
    """The connection to the VMM server."""
    return _thing("Remoting.ServerConnection", None, "localhost", Name="localhost")


def cluster_thing(state: State, cluster: Cluster) -> Thing:
    """A host cluster with its shared volumes."""
    volumes = [
        _thing(
            "ClusterSharedVolume",
            volume,
            volume.path,
            Name=volume.path,
            Capacity=volume.capacity_gb * _GIB,
            FreeSpace=state.free_gb(cluster, volume) * _GIB,
            IsAvailableForPlacement=True,
        )
        for volume in cluster.volumes
    ]
    return _thing("HostCluster", cluster, cluster.name, Name=cluster.name, SharedVolumes=volumes)


def host_thing(state: State, cluster: Cluster, host: Host) -> Thing:
    """A host; its memory is in bytes, and what of it is available in MiB."""
    overall = "MaintenanceMode" if host.maintenance else "OK"
    return _thing(
        "Host",
        host,
        host.name,
        Name=host.name,
        LogicalProcessorCount=host.processors,
        CpuUtilization=state.busy_percent(host),
        TotalMemory=host.memory_mb * _MIB,
        AvailableMemory=state.free_memory_mb(host),
        OverallState=overall if host.responding else "NotResponding",
        CommunicationState="Responding" if host.responding else "NotResponding",
        AvailableForPlacement=not host.maintenance,
        HostCluster=_thing("HostCluster", cluster, cluster.name, Name=cluster.name),
    )


def template_thing(template: Template) -> Thing:
    """A template with its boot disk."""
    return _thing(
        "Template",
        template,
        template.name,
        Name=template.name,
        VirtualDiskDrives=[_drive(template, template.name, template.boot_disk_gb)],
    )


def network_thing(name: str) -> Thing:
    """A VM network."""
    return _thing("VMNetwork", name, name, Name=name)


def machine_thing(machine: Machine) -> Thing:
    """A virtual machine with its disk and its network adapter."""
    drive = _drive(machine, machine.name, machine.boot_disk_gb)
    network = network_thing(machine.network)
    return _thing(
        "VM",
        machine,
        machine.name,
        ID=machine.id,
        Name=machine.name,
        Status=machine.status,
        Description=machine.description,
        VMHost=_thing("Host", machine.host, machine.host, Name=machine.host),
        CPUCount=machine.processors,
        Memory=machine.memory_mb,
        CreationTime=datetime.fromtimestamp(machine.created_at, UTC),
        VirtualDiskDrives=[drive],
        VirtualHardDisks=[drive.get("VirtualHardDisk")],
        VirtualNetworkAdapters=[_thing("VirtualNetworkAdapter", machine, machine.name, VMNetwork=network)],
        MostRecentTaskID=machine.job.id if machine.job else None,
        MostRecentTask=job_thing(machine.job) if machine.job else None,
    )


def job_thing(job: Job) -> Thing:
    """A job, and what was wrong with it."""
    problem = job.problem if job.done else None
    error = _thing(
        "ErrorInfo",
        None,
        f"{problem.text if problem else 'Success'} ({problem.code if problem else 0})",
        DisplayableErrorCode=int(problem.code) if problem else 0,
        Problem=problem.text if problem else "",
    )
    return _thing(
        "Task",
        job,
        job.cmdlet,
        ID=job.id,
        Name=job.cmdlet,
        CmdletName=job.cmdlet,
        Status=job.status,
        ResultName=job.machine.name,
        ErrorInfo=error,
    )


def _drive(subject: object, name: str, size_gb: int) -> Thing:
    disk = _thing("VirtualHardDisk", subject, name, Name=name, MaximumSize=size_gb * _GIB)
    return _thing("VirtualDiskDrive", subject, name, Bus=0, LUN=0, VirtualHardDisk=disk)
