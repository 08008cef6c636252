"""What each of vSphere's faults means to a saga."""

from __future__ import annotations

import socket
import ssl
from http.client import BadStatusLine, HTTPException, IncompleteRead, RemoteDisconnected
from typing import Any
from xml.parsers.expat import ExpatError

import pytest
from pyVmomi import VmomiSupport, vim, vmodl

from lambdas.core.errors import CapacityError, Misconfigured, RetryableError, StepError, TerminalError
from lambdas.vsphere.errors import CAPACITY_CODES, RETRYABLE_CODES, code_of, failed_task, translate, translated


def fault(code: str, message: str | None = None) -> Any:
    """A fault by its own name."""
    for space in ("vim.fault", "vmodl.fault"):
        try:
            return VmomiSupport.GetVmodlType(f"{space}.{code}")(msg=message)
        except KeyError:
            continue
    raise AssertionError(f"vSphere has no fault {code}")


@pytest.mark.parametrize("code", sorted(RETRYABLE_CODES))
def test_what_passes_is_retried(code: str) -> None:
    error = translate(fault(code, "later"))
    assert type(error) is RetryableError
    assert str(error) == f"{code}: later"


@pytest.mark.parametrize("code", sorted(CAPACITY_CODES))
def test_what_is_full_is_a_lack_of_capacity(code: str) -> None:
    assert type(translate(fault(code))) is CapacityError
    assert type(failed_task(fault(code))) is CapacityError


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("InsufficientMemoryResourcesFault", CapacityError),
        ("InsufficientCpuResourcesFault", CapacityError),
        ("InsufficientHostMemoryCapacityFault", CapacityError),
        ("InsufficientStorageSpace", CapacityError),
        ("InsufficientFailoverResourcesFault", CapacityError),
        ("NumVirtualCpusExceedsLimit", CapacityError),
        ("HostNotConnected", RetryableError),
        ("HostNotReachable", RetryableError),
        ("InvalidVmState", RetryableError),
        ("InvalidHostConnectionState", RetryableError),
    ],
)
def test_a_fault_is_what_its_family_is(code: str, kind: type[StepError]) -> None:
    error = translate(fault(code))
    assert type(error) is kind
    assert error.code == code


@pytest.mark.parametrize(
    "code",
    [
        "CannotAccessNetwork",
        "CannotPowerOffVmInCluster",
        "DuplicateName",
        "EncryptionKeyRequired",
        "GenericVmConfigFault",
        "InvalidArgument",
        "InvalidDeviceSpec",
        "InvalidLogin",
        "InvalidName",
        "InvalidPowerState",
        "InvalidRequest",
        "NoPermission",
        "NotSupported",
        "QuestionPending",
        "VmPowerOnDisabled",
    ],
)
def test_what_lasts_is_terminal(code: str) -> None:
    assert type(translate(fault(code))) is TerminalError


@pytest.mark.parametrize("code", ["HostNotConnected", "InvalidHostState", "InaccessibleDatastore"])
def test_a_place_that_goes_away_during_a_task_is_none_for_this_machine(code: str) -> None:
    assert type(failed_task(fault(code))) is CapacityError


@pytest.mark.parametrize("code", ["SystemError", "TaskInProgress", "Timedout", "InvalidArgument"])
def test_a_task_that_failed_stays_failed(code: str) -> None:
    assert type(failed_task(fault(code))) is TerminalError


@pytest.mark.parametrize(
    "error",
    [
        TimeoutError("timed out"),
        ConnectionRefusedError(),
        ConnectionResetError(),
        RemoteDisconnected("closed"),
        BadStatusLine(""),
        IncompleteRead(b"x"),
        ExpatError("no element found"),
        socket.gaierror(-3, "Temporary failure in name resolution"),
        ssl.SSLEOFError(8, "EOF occurred in violation of protocol"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_call_that_was_not_answered_is_retried(error: Exception) -> None:
    assert type(translate(error)) is RetryableError
    assert "nobody knows" in str(translate(error))


@pytest.mark.parametrize("status", ["408 Request Timeout", "429 Too Many Requests", "502 Bad Gateway", "503 Busy"])
def test_a_status_that_passes_is_retried(status: str) -> None:
    error = translate(HTTPException(status))
    assert (type(error), error.code) == (RetryableError, f"HTTP{status[:3]}")


@pytest.mark.parametrize("status", ["401 Unauthorized", "404 Not Found", "301 Moved Permanently"])
def test_a_status_that_lasts_is_terminal(status: str) -> None:
    assert type(translate(HTTPException(status))) is TerminalError


def test_a_secret_that_cannot_be_used_is_terminal() -> None:
    with pytest.raises(TerminalError, match="Misconfigured: the secret vcenter cannot be read"), translated():
        raise Misconfigured("the secret vcenter cannot be read: ResourceNotFoundException")


def test_a_fault_without_a_message_still_says_its_name() -> None:
    assert str(translate(vim.fault.NoPermission())) == "NoPermission: the vCenter says no more"
    assert code_of(vmodl.fault.SystemError()) == "SystemError"
