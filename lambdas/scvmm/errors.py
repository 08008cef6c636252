"""System Center's errors in the saga's three words; the only place where they are translated.

VMM numbers its errors: a cmdlet that is refused says the number in the error's id, a job that failed in its ErrorInfo.
What goes wrong on a Hyper-V host is all 12700, with Windows' own code in the text. WSMan numbers its faults. Sources:
[1] VMM engineering blog, "Troubleshooting System Center 2012 Virtual Machine Manager Object Locking Issues"
[2] https://learn.microsoft.com/troubleshoot/system-center/vmm, articles on errors 801, 1602, 2912, 2927, 10434, 12700
[3] https://learn.microsoft.com/windows/win32/debug/system-error-codes as HRESULTs; seen with Hyper-V in public
[4] wsmerror.h of the Windows SDK, https://learn.microsoft.com/windows/win32/winrm/quotas
[5] WinRM's Ruby client opens a new shell at these (lib/winrm/shells/base.rb)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import requests
from pypsrp.exceptions import AuthenticationError, WinRMError, WinRMTransportError, WSManFaultError

from lambdas.adapters.secrets import Refused
from lambdas.core.errors import CapacityError, Misconfigured, RetryableError, StepError, TerminalError

RETRYABLE_CODES: Final = frozenset(
    {
        # VMM
        "802",  # [2] in use by another object: wait until it becomes available
        "1602",  # [2] the VMM service does not respond
        "2602",  # [1] locked by another job
        "2606",  # as 2602, in later versions; seen in public only
        "2912",  # [2] the host's agent cannot be reached
        "2927",  # [2] WinRM on the host cannot be reached
        # WSMan
        "995",  # the operation was aborted, as when WinRM restarts
        "2147943418",  # [5] the shell's registry key is gone
        "2150858793",  # [4] the operation timed out
        "2150858815",  # [4] a quota
        "2150858843",  # [4] no such shell
        "2150859173",  # [4] too many shells
        "2150859174",  # [4] too many operations
        "2150859175",  # [4] the user's quota
        "2150859176",  # [4] the system's quota
        "2150859179",  # [4] too many users with shells
        "2150859236",  # [4] and the same of PowerShell's own plug-in
        "2150859237",
        "2150859238",
        "2150859239",
        "2150859240",
        "2150859241",
    }
)
"""Besides HTTP 400, 429 and 5xx without a fault, and every call that was never answered."""

CAPACITY_CODES: Final = frozenset(
    {
        "10434",  # [2] no suitable host
        "0x8007000E",  # [3] not enough memory, in the text of a 12700
        "0x800705AA",  # [3] not enough system resources, in the text of a 12700
        "0x80070070",  # [3] not enough space on the disk, in the text of a 12700
    }
)

NOT_FOUND: Final = "801"
"""[2] VMM has no such object."""

DELETED_LATER_CODES: Final = frozenset({NOT_FOUND, "802", "2602", "2606"})
"""Nothing to delete, or not yet: something else about it is still under way."""

SHELL_GONE_CODES: Final = frozenset({"2147943418", "2150858843"})
"""The shell that a command was for is not on the server (any more), so the command has not run."""

_WINDOWS_CODE: Final = re.compile(r"0x[0-9A-Fa-f]{8}")
_VMM_CODE: Final = re.compile(r"\(Error ID: (\d+)")
_QUOTED: Final = 500
_UNANSWERED: Final = "the VMM server did not answer; nobody knows whether the call happened"


class Unanswered(Exception):
    """A script was begun and its end was not seen in time."""


class ShellGone(Exception):
    """The server no longer has a shell, or no longer lets its user in; the command for it has not run."""


@contextmanager
def translated() -> Iterator[None]:
    """Whatever pypsrp raises inside leaves as RetryableError, CapacityError or TerminalError."""
    try:
        yield
    except (Refused, AuthenticationError):
        # not chained: the cause names the user
        raise TerminalError(
            "AuthenticationError", "the VMM server does not accept the login of the cluster's secret"
        ) from None
    except Misconfigured as error:
        raise TerminalError("Misconfigured", str(error)) from error
    except (WinRMError, requests.RequestException, ShellGone, Unanswered) as error:
        raise translate(error) from error


def translate(error: Exception) -> StepError:
    """The step error that stands for an exception of pypsrp or of what carries it."""
    if isinstance(error, WSManFaultError):
        return _translate_fault(error)
    name = type(error).__name__
    match error:
        case WinRMTransportError():
            # 400 is WinRM's answer to a message that was encrypted for a connection that is gone
            kind = RetryableError if error.code in (400, 429) or error.code >= 500 else TerminalError
            return kind(f"HTTP{error.code}", "the WSMan endpoint gave no WSMan answer")
        case requests.exceptions.SSLError():
            return TerminalError(name, "the VMM server's certificate is not one that we trust")
        case ShellGone():
            return RetryableError(name, "the VMM server ended the shell at once")
        case WinRMError():
            return _unread(name)
        case _:
            return RetryableError(name, _UNANSWERED)


def _translate_fault(error: WSManFaultError) -> StepError:
    if error.code is not None:
        return _classified(str(error.code), str(error.reason or error.provider_fault or "a fault"))
    # pypsrp takes any answer that happens to be XML for a fault, such as the page that comes with a 503
    cause = error.__context__
    return translate(cause) if isinstance(cause, WinRMTransportError) else _unread(type(error).__name__)


def _unread(name: str) -> RetryableError:
    return RetryableError(name, "what the VMM server answered cannot be read; nobody knows what happened")


def refused(record: Any) -> StepError:
    """The step error for an error that a script reported, terminating or not: pypsrp's ErrorRecord."""
    message = _message(record)
    code = str(getattr(record, "fq_error", None) or "").partition(",")[0]
    stated = _VMM_CODE.search(message)
    if not code.isdecimal() and stated:
        code = stated[1]
    return _classified(code or "PowerShellError", message)


def failed_job(status: str, code: str, problem: str) -> StepError:
    """The step error for a job that was accepted and then failed, or that somebody cancelled.

    A job that failed stays failed, so all but a lack of capacity is terminal.
    """
    error = _classified(code if code.strip("0") else status, problem or f"the job is {status}")
    return error if isinstance(error, CapacityError) else TerminalError(error.code, _said(problem, status))


def _classified(code: str, message: str) -> StepError:
    text = message[:_QUOTED]
    if code in CAPACITY_CODES:
        return CapacityError(code, text)
    for windows_code in _WINDOWS_CODE.findall(message):
        if "0x" + windows_code[2:].upper() in CAPACITY_CODES:
            return CapacityError(f"{code}/0x{windows_code[2:].upper()}", text)
    if code in RETRYABLE_CODES:
        return RetryableError(code, text)
    return TerminalError(code, text)


def _said(problem: str, status: str) -> str:
    return (problem or f"the job is {status}")[:_QUOTED]


def _message(record: Any) -> str:
    """What an error says: the exception's message, or whatever there is."""
    exception = getattr(record, "exception", None)
    for properties in ("adapted_properties", "extended_properties"):
        message = getattr(exception, properties, {}).get("Message")
        if message:
            return str(message)
    return str(record)
