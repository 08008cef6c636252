"""vSphere's faults in the saga's three words; the only place where they are translated.

A fault is what the nearest of its ancestors is that stands in a table, so that one entry covers a family. Sources:
[1] https://developer.broadcom.com/xapis/vsphere-web-services-api/latest/, "Fault Types", and the faults that the pages
    of VirtualMachine's CloneVM_Task, ReconfigVM_Task, PowerOnVM_Task, PowerOffVM_Task and Destroy_Task name
[2] the tree of faults that pyvmomi ships
[3] seen in public: kubernetes-sigs/cluster-api-provider-vsphere#139, "has already been deleted or has not been
    completely created"
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from typing import Any, Final
from xml.parsers.expat import ExpatError

from pyVmomi import vmodl

from lambdas.adapters.secrets import Refused
from lambdas.core.errors import CapacityError, Misconfigured, RetryableError, StepError, TerminalError

RETRYABLE_CODES: Final = frozenset(
    {
        "ConcurrentAccess",  # [1] somebody else changed it in the meantime
        "DatabaseError",  # [2] the vCenter's own
        "FileLocked",  # [1]
        "HostCommunication",  # [1] family: HostNotConnected, HostNotReachable
        "HostConnectFault",  # [2] family
        "InaccessibleDatastore",  # [2]
        "InvalidHostState",  # [1] on its way into maintenance, say: the next look chooses another
        "InvalidState",  # [1] family: not in the state that it takes; what is under way with it ends
        "ManagedObjectNotFound",  # [3] it went, or is not completely there yet
        "MethodAlreadyDisabledFault",  # [2]
        "MethodDisabled",  # [2] while something else is done to it
        "NotAuthenticated",  # [1] a session that ends again as soon as it began
        "RequestCanceled",  # [1]
        "ResourceInUse",  # [1]
        "ResourceNotAvailable",  # [2]
        "SessionNotFound",  # [2]
        "SystemError",  # [1] "a general system error occurred"
        "TaskInProgress",  # [1] another task has the machine
        "Timedout",  # [1]
        "TooManyConcurrentNativeClones",  # [2]
        "VAppOperationInProgress",  # [2]
    }
)
"""Besides every HTTP 408, 425, 429 and 5xx that is no SOAP fault, and every call that was not answered."""

CAPACITY_CODES: Final = frozenset(
    {
        "DatastoreNotWritableOnHost",  # [2]
        "HostInventoryFull",  # [2]
        "InsufficientResourcesFault",  # [1] family: processors, memory, storage, failover, networks, hosts
        "InsufficientStorageIops",  # [2]
        "LimitExceeded",  # [1]
        "MemorySizeNotSupported",  # [2] by the host that was chosen
        "NoActiveHostInCluster",  # [1]
        "NoCompatibleDatastore",  # [1]
        "NoCompatibleHost",  # [1]
        "NoConnectedDatastore",  # [1]
        "NoDiskSpace",  # [1]
        "NotEnoughCpus",  # [2] as the host that was chosen has
        "NumVirtualCpusNotSupported",  # [2] by the host that was chosen
        "VmLimitLicense",  # [2]
    }
)

_TERMINAL_CODES: Final = frozenset(
    {
        "CannotPowerOffVmInCluster",  # [2] what the family InvalidState has that lasts
        "EncryptionKeyRequired",  # [2]
        "InvalidPowerState",  # [1] where it matters, the provider has looked already
        "QuestionPending",  # [1] somebody has to answer it
        "VmPowerOnDisabled",  # [2]
    }
)

UNDER_WAY_CODES: Final = frozenset({"DuplicateName", "InvalidPowerState", "TaskInProgress"})
"""Why a task fails whose work another task does or has done: most likely an earlier delivery of the same call."""

DELETED_LATER_CODES: Final = frozenset({"InvalidPowerState", "InvalidState", "ManagedObjectNotFound", "TaskInProgress"})
"""Nothing to remove, or not yet: something else about it is still under way."""

_PLACE_CODES: Final = frozenset(
    {"HostCommunication", "HostConnectFault", "InaccessibleDatastore", "InvalidDatastoreState", "InvalidHostState"}
)
"""What a host or datastore may be in the middle of a task: that place cannot take the machine, another may."""

_RETRYABLE_STATUS: Final = frozenset({408, 425, 429})


def code_of(fault: object) -> str:
    """A fault's own name, such as `DuplicateName`."""
    return str(getattr(fault, "_wsdlName", "") or type(fault).__name__)


@contextmanager
def translated() -> Iterator[None]:
    """Whatever pyvmomi raises inside leaves as RetryableError, CapacityError or TerminalError."""
    try:
        yield
    except (vmodl.MethodFault, HTTPException, OSError, ExpatError) as error:
        raise translate(error) from error
    except Misconfigured as error:
        raise TerminalError("Misconfigured", str(error)) from error


def translate(error: Exception) -> StepError:
    """The step error that stands for what pyvmomi raised."""
    match error:
        case vmodl.MethodFault():
            return _translate_fault(error)
        case ssl.SSLCertVerificationError():
            return _untrusted(error.verify_message)
        case HTTPException() if (status := _status(error)) is not None:
            retryable = status in _RETRYABLE_STATUS or status >= 500
            return (RetryableError if retryable else TerminalError)(f"HTTP{status}", "the vCenter refused the call")
        case _:
            return RetryableError(type(error).__name__, "the vCenter did not answer; nobody knows if the call happened")


class Untrusted(Refused):
    """A server's certificate is signed by nobody whom the login trusts, which may have been rotated, too."""


@contextmanager
def signing_in(server: str, secret: str) -> Iterator[None]:
    """Translates what signing in raises; not one word of the server's own, which might quote the login."""
    try:
        yield
    except Untrusted as error:
        raise _untrusted(str(error)) from None
    except Refused:
        message = f"{server} does not accept the login in the secret {secret}, nor anything newer there"
        raise TerminalError("InvalidLogin", message) from None
    except vmodl.MethodFault as error:
        step_error = _translate_fault(error)
        raise type(step_error)(step_error.code, f"{server} does not let us in") from None


def failed_task(fault: Any) -> StepError:
    """The step error for a task that was accepted and then failed with `fault`; what failed stays failed."""
    code, kind = code_of(fault), _kind(fault)
    if kind is CapacityError or is_any(fault, _PLACE_CODES):
        return CapacityError(code, _message(fault))
    return TerminalError(code, _message(fault))


def is_any(fault: object, codes: frozenset[str]) -> bool:
    """Whether a fault, or a family that it belongs to, is one of `codes`."""
    return any(ancestor.__dict__.get("_wsdlName", "") in codes for ancestor in type(fault).__mro__)


def _untrusted(reason: str) -> TerminalError:
    return TerminalError(
        "CertificateNotTrusted",
        f"{reason}; put the authority that signed the server's certificate into its secret as ca_certificate (PEM), "
        "and name the server as its certificate does",
    )


def _translate_fault(fault: Any) -> StepError:
    return _kind(fault)(code_of(fault), _message(fault))


def _kind(fault: object) -> type[StepError]:
    for ancestor in type(fault).__mro__:
        name = ancestor.__dict__.get("_wsdlName", "")
        if name in CAPACITY_CODES:
            return CapacityError
        if name in RETRYABLE_CODES:
            return RetryableError
        if name in _TERMINAL_CODES:
            return TerminalError
    return TerminalError


def _message(fault: Any) -> str:
    return str(getattr(fault, "msg", None) or "the vCenter says no more")


def _status(error: HTTPException) -> int | None:
    """The status in pyvmomi's `HTTPException("503 Service Unavailable")`; None for http.client's own."""
    first = str(error).partition(" ")[0]
    return int(first) if first.isdecimal() and len(first) == 3 else None
