"""VMM's refusals and failures, with the numbers and words that VMM gives them.

Sources: https://learn.microsoft.com/troubleshoot/system-center/vmm, VMM's engineering blog on object locking, and the
error 640 as the HPE Morpheus plug-in's tests quote it. What is marked so is from memory; nothing here rests on it.
"""

from __future__ import annotations

from typing import NamedTuple

from local.simulators.scvmm.powershell import CmdletError


class Problem(NamedTuple):
    """Why a job failed."""

    code: str
    text: str


def refusal(code: int, text: str, cmdlet: str) -> CmdletError:
    """What a cmdlet writes to the error stream."""
    error_id = f"{code},Microsoft.SystemCenter.VirtualMachineManager.Cmdlets.{cmdlet.replace('-SC', '')}Cmdlet"
    return CmdletError(error_id, f"{text} (Error ID: {code}, Detailed Error: )")


def not_found(kind: str, which: str, cmdlet: str) -> CmdletError:
    """There is no such object."""
    return refusal(801, f"VMM cannot find {kind} object {which}.", cmdlet)


def locked(cmdlet: str) -> CmdletError:
    """A job about the object is running."""
    text = "Unable to perform the job because one or more of the selected objects are locked by another job."
    return refusal(2602, text, cmdlet)


def not_off(cmdlet: str) -> CmdletError:
    """The hardware of a machine that is not off cannot be changed."""
    text = "The virtual machine must be in either the Poweroff or Stored state before VMM can change its hardware."
    return refusal(640, text, cmdlet)


def wrong_state(name: str, status: str, cmdlet: str) -> CmdletError:
    """A machine is in no state for what is asked of it; the number is from memory."""
    return refusal(809, f"VMM cannot complete the operation on {name} while its status is {status}.", cmdlet)


def bad_path(path: str, host: str, cmdlet: str) -> CmdletError:
    """The path is on no volume that the cluster shares."""
    return refusal(2409, f"The specified path {path} is not a valid folder path on {host}.", cmdlet)


def no_suitable_host(cmdlet: str) -> CmdletError:
    """The host takes no machines."""
    return refusal(10434, "No suitable host is available.", cmdlet)


def host_unreachable(host: str, cmdlet: str) -> CmdletError:
    """The host's agent does not answer."""
    text = f"An internal error has occurred trying to contact an agent on the {host} server."
    return refusal(2912, text, cmdlet)


def no_memory(host: str, name: str) -> Problem:
    """A host has not the memory to start a machine."""
    reason = (
        f"'{name}' could not initialize memory: Not enough memory resources are available to complete this operation."
    )
    return _host_operation(host, f"{reason} (0x8007000E)")


def no_space(host: str, path: str) -> Problem:
    """A volume has not the space for a disk."""
    return _host_operation(host, f"{path}: There is not enough space on the disk. (0x80070070)")


def internal(host: str) -> Problem:
    """Something went wrong on a host."""
    return _host_operation(host, "The operation failed. Unspecified error (0x80004005)")


def _host_operation(host: str, reason: str) -> Problem:
    return Problem(
        "12700", f"VMM cannot complete the host operation on the {host} server because of the error: {reason}"
    )
