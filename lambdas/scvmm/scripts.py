"""Every script that is run on a VMM server. They are fixed: what a call is about comes as values of their parameters.

A parameter is a string, a number or a truth value, which PowerShell binds and never reads as code. What a script has to
say are flat objects with a `Kind`, since VMM's own objects arrive with their properties turned into text. What may be
$null is filtered before it is piped on, because PowerShell would go round once for it. The cmdlets
and their parameters: https://learn.microsoft.com/powershell/module/virtualmachinemanager.
"""

from __future__ import annotations

from typing import Final

_BEGIN: Final = """
$ErrorActionPreference = 'Stop'
$vmm = Get-SCVMMServer -ComputerName 'localhost'
"""

_MACHINES: Final = """
$machines | ForEach-Object {
    $drive = $_.VirtualDiskDrives | Where-Object { $_.Bus -eq 0 -and $_.LUN -eq 0 } | Select-Object -First 1
    $adapter = $_.VirtualNetworkAdapters | Select-Object -First 1
    [pscustomobject]@{
        Kind = 'machine'
        Id = [string]$_.ID
        Name = $_.Name
        Status = [string]$_.Status
        Description = $_.Description
        BootDiskBytes = $drive.VirtualHardDisk.MaximumSize
        Network = $adapter.VMNetwork.Name
        Task = [string]$_.MostRecentTaskID
        TaskStatus = [string]$_.MostRecentTask.Status
    }
}
"""

_JOBS: Final = """
$jobs | ForEach-Object {
    [pscustomobject]@{
        Kind = 'job'
        Id = [string]$_.ID
        Status = [string]$_.Status
        Cmdlet = $_.CmdletName
        About = $_.ResultName
        Code = [string]$_.ErrorInfo.DisplayableErrorCode
        Problem = $_.ErrorInfo.Problem
    }
}
"""

_NAMED: Final = """
$machines = @(Get-SCVirtualMachine -VMMServer $vmm -Name $Name)
$jobs = @(Get-SCJob -VMMServer $vmm -Running | Where-Object { $_.ResultName -eq $Name })
"""

_HOSTS_AND_VOLUMES: Final = """
$hosts = @()
$cluster = Get-SCVMHostCluster -VMMServer $vmm -Name $ClusterName
if ($cluster) {
    [pscustomobject]@{ Kind = 'cluster'; Name = $cluster.Name }
    $hosts = @(Get-SCVMHost -VMHostCluster $cluster)
    $hosts | ForEach-Object {
        [pscustomobject]@{
            Kind = 'host'
            Name = $_.Name
            Processors = $_.LogicalProcessorCount
            CpuPercent = $_.CpuUtilization
            MemoryBytes = $_.TotalMemory
            AvailableMemoryMb = $_.AvailableMemory
            State = [string]$_.OverallState
            Communication = [string]$_.CommunicationState
            ForPlacement = $_.AvailableForPlacement
        }
    }
    $cluster.SharedVolumes | Where-Object { $_ } | ForEach-Object {
        [pscustomobject]@{
            Kind = 'volume'
            Name = $_.Name
            CapacityBytes = $_.Capacity
            FreeBytes = $_.FreeSpace
            ForPlacement = $_.IsAvailableForPlacement
        }
    }
}
"""

_TEMPLATES: Final = """
$templates | ForEach-Object {
    $drive = $_.VirtualDiskDrives | Where-Object { $_.Bus -eq 0 -and $_.LUN -eq 0 } | Select-Object -First 1
    [pscustomobject]@{ Kind = 'template'; Name = $_.Name; BootDiskBytes = $drive.VirtualHardDisk.MaximumSize }
}
"""

_NETWORKS: Final = """
$networks | ForEach-Object { [pscustomobject]@{ Kind = 'network'; Name = $_.Name } }
"""

_BY_ID: Final = """
$machine = Get-SCVirtualMachine -VMMServer $vmm -ID $Id | Where-Object { $_.Description -like $Pattern }
"""
"""Nothing is done to a machine that does not carry the mark, whatever was seen before."""

_ITS_JOB: Final = "$jobs = @($job)\n" + _JOBS

LOOK: Final = (
    "param($Name, $Pattern, $Thorough)"
    + _BEGIN
    + _NAMED
    + """
if ($Thorough -or $machines.Count -eq 0) {
    $machines = @(
        Get-SCVirtualMachine -VMMServer $vmm | Where-Object { $_.Name -eq $Name -or $_.Description -like $Pattern }
    )
}
"""
    + _MACHINES
    + _JOBS
)
"""The machines of a name or with a mark, and the running jobs about that name. Without `Thorough` the mark is looked
for only where the name finds nothing, since it takes a look at every machine that VMM has."""

JOB: Final = "param($Id)" + _BEGIN + "$jobs = @(Get-SCJob -VMMServer $vmm -ID $Id)\n" + _JOBS
"""One job."""

PLACES: Final = (
    "param($ClusterName, $TemplateName, $NetworkName)"
    + _BEGIN
    + _HOSTS_AND_VOLUMES
    + "$templates = @(Get-SCVMTemplate -VMMServer $vmm -Name $TemplateName)\n"
    + _TEMPLATES
    + """
if ($NetworkName) {
    $networks = @(Get-SCVMNetwork -VMMServer $vmm -Name $NetworkName)
"""
    + _NETWORKS
    + "}\n"
)
"""Where a machine could go in a cluster, and whether there is what it is made from."""

CREATE: Final = (
    "param($Name, $TemplateName, $HostName, $Path, $Description, $CpuCount, $MemoryMb)"
    + _BEGIN
    + _NAMED
    + """
if ($machines.Count -eq 0 -and $jobs.Count -eq 0) {
    $template = Get-SCVMTemplate -VMMServer $vmm -Name $TemplateName | Select-Object -First 1
    $vmHost = Get-SCVMHost -VMMServer $vmm -ComputerName $HostName
    New-SCVirtualMachine -VMMServer $vmm -Name $Name -VMTemplate $template -VMHost $vmHost -Path $Path `
        -Description $Description -CPUCount $CpuCount -MemoryMB $MemoryMb -DynamicMemoryEnabled $false `
        -HighlyAvailable $true -RunAsynchronously -JobVariable 'job' | Out-Null
"""
    + _ITS_JOB
    + "}\n"
)
"""Begin creating a machine, unless there is something of its name: this looks at the moment it is carried out, so that
a request that arrives late finds what an earlier one has made. Says the job, or nothing."""

ADJUST: Final = (
    "param($Id, $Pattern, $JobGroup, $DiskGb, $NetworkName)"
    + _BEGIN
    + _BY_ID
    + """
if ($machine) {
    if ($NetworkName) {
        $adapter = $machine.VirtualNetworkAdapters | Select-Object -First 1
        $network = Get-SCVMNetwork -VMMServer $vmm -Name $NetworkName | Select-Object -First 1
        Set-SCVirtualNetworkAdapter -VirtualNetworkAdapter $adapter -VMNetwork $network -JobGroup $JobGroup | Out-Null
    }
    if ($DiskGb -gt 0) {
        $drive = $machine.VirtualDiskDrives | Where-Object { $_.Bus -eq 0 -and $_.LUN -eq 0 } | Select-Object -First 1
        Expand-SCVirtualDiskDrive -VirtualDiskDrive $drive -VirtualHardDiskSizeGB $DiskGb -JobGroup $JobGroup | Out-Null
    }
    Set-SCVirtualMachine -VM $machine -JobGroup $JobGroup -RunAsynchronously -JobVariable 'job' | Out-Null
"""
    + _ITS_JOB
    + "}\n"
)
"""Begin connecting a machine that is off to a network, and growing its boot disk; the last command runs the group."""

START: Final = (
    "param($Id, $Pattern)"
    + _BEGIN
    + _BY_ID
    + """
if ($machine.Status -eq 'PowerOff') {
    Start-SCVirtualMachine -VM $machine -RunAsynchronously -JobVariable 'job' | Out-Null
"""
    + _ITS_JOB
    + "}\n"
)
"""Begin starting a machine that is off."""

STOP: Final = (
    "param($Id, $Pattern)"
    + _BEGIN
    + _BY_ID
    + """
if ($machine) {
    Stop-SCVirtualMachine -VM $machine -Force -RunAsynchronously | Out-Null
}
"""
)
"""Begin turning a machine off, as with its switch: nothing of it is to be kept."""

REMOVE: Final = (
    "param($Id, $Pattern)"
    + _BEGIN
    + _BY_ID
    + """
if ($machine) {
    Remove-SCVirtualMachine -VM $machine -RunAsynchronously | Out-Null
}
"""
)
"""Begin removing a machine with its files. Not with -Force, which would make VMM forget it and leave it on its host."""

SURVEY: Final = (
    "param($ClusterName)"
    + _BEGIN
    + _HOSTS_AND_VOLUMES
    + """
$hosts | ForEach-Object { Get-SCVirtualMachine -VMHost $_ } | ForEach-Object {
    $occupant = $_
    [pscustomobject]@{
        Kind = 'occupant'
        Id = [string]$occupant.ID
        Description = $occupant.Description
        Processors = $occupant.CPUCount
        MemoryMb = $occupant.Memory
        CreatedAt = $occupant.CreationTime
    }
    $occupant.VirtualHardDisks | Where-Object { $_ } | ForEach-Object {
        [pscustomobject]@{ Kind = 'disk'; Occupant = [string]$occupant.ID; Bytes = $_.MaximumSize }
    }
}
$templates = @(Get-SCVMTemplate -VMMServer $vmm)
"""
    + _TEMPLATES
    + "$networks = @(Get-SCVMNetwork -VMMServer $vmm)\n"
    + _NETWORKS
)
"""Everything there is to know of a cluster."""
