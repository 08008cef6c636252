"""How each of VMM's, WSMan's and the connection's errors is translated."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import requests
from pypsrp.exceptions import AuthenticationError, InvalidPSRPOperation, WinRMTransportError, WSManFaultError

from lambdas.adapters.secrets import Refused
from lambdas.core.errors import CapacityError, Misconfigured, RetryableError, StepError, TerminalError
from lambdas.scvmm.errors import (
    CAPACITY_CODES,
    DELETED_LATER_CODES,
    RETRYABLE_CODES,
    SHELL_GONE_CODES,
    ShellGone,
    Unanswered,
    failed_job,
    refused,
    translate,
    translated,
)

CMDLET = "Microsoft.SystemCenter.VirtualMachineManager.Cmdlets.NewVMCmdlet"
BY_NUMBER = sorted(code for code in CAPACITY_CODES if not code.startswith("0x"))
BY_WINDOWS = sorted(code for code in CAPACITY_CODES if code.startswith("0x"))


def wsman_fault(code: object, reason: str = "because") -> WSManFaultError:
    return WSManFaultError(code, "vmm01", reason, None, None, None)


def error_record(error_id: str | None, message: str = "because") -> SimpleNamespace:
    """An ErrorRecord as pypsrp has it."""
    exception = SimpleNamespace(adapted_properties={"Message": message}, extended_properties={})
    return SimpleNamespace(fq_error=error_id, exception=exception)


def assert_is(error: StepError, kind: type[StepError], code: str) -> None:
    assert type(error) is kind
    assert error.code == code


@pytest.mark.parametrize("code", sorted(RETRYABLE_CODES))
def test_a_retryable_code_is_retryable_from_a_cmdlet_and_from_wsman(code: str) -> None:
    assert_is(refused(error_record(f"{code},{CMDLET}")), RetryableError, code)
    assert_is(translate(wsman_fault(int(code))), RetryableError, code)


@pytest.mark.parametrize("code", BY_NUMBER)
def test_a_number_for_a_lack_of_room_is_capacity_from_a_cmdlet_and_from_a_job(code: str) -> None:
    assert_is(refused(error_record(f"{code},{CMDLET}")), CapacityError, code)
    assert_is(failed_job("Failed", code, "because"), CapacityError, code)


@pytest.mark.parametrize("code", BY_WINDOWS)
def test_windows_own_code_for_a_lack_of_room_is_capacity_wherever_it_is_quoted(code: str) -> None:
    text = f"VMM cannot complete the host operation because of the error: no room ({code.lower()})"
    assert_is(failed_job("Failed", "12700", text), CapacityError, f"12700/{code}")
    assert_is(refused(error_record(f"12700,{CMDLET}", text)), CapacityError, f"12700/{code}")


@pytest.mark.parametrize("code", ["640", "801", "1604", "2409", "12700", "CommandNotFoundException"])
def test_any_other_code_is_terminal(code: str) -> None:
    assert_is(refused(error_record(f"{code},{CMDLET}")), TerminalError, code)


def test_a_number_that_only_the_text_says_counts() -> None:
    record = error_record("MicrosoftError", "locked by another job. (Error ID: 2602, Detailed Error: )")
    assert_is(refused(record), RetryableError, "2602")


def test_an_error_without_an_id_has_a_code_all_the_same() -> None:
    assert_is(refused(error_record(None)), TerminalError, "PowerShellError")


@pytest.mark.parametrize("code", sorted(RETRYABLE_CODES & DELETED_LATER_CODES))
def test_a_job_that_failed_stays_failed(code: str) -> None:
    assert_is(failed_job("Failed", code, "because"), TerminalError, code)


def test_a_job_that_somebody_cancelled_is_terminal_and_says_so() -> None:
    error = failed_job("Canceled", "0", "")
    assert_is(error, TerminalError, "Canceled")
    assert "Canceled" in str(error)


@pytest.mark.parametrize("code", sorted(DELETED_LATER_CODES | SHELL_GONE_CODES))
def test_what_is_shrugged_at_is_never_a_capacity_error(code: str) -> None:
    assert not isinstance(refused(error_record(f"{code},{CMDLET}")), CapacityError)


def test_no_access_is_terminal() -> None:
    assert_is(translate(wsman_fault(5)), TerminalError, "5")


@pytest.mark.parametrize("status", [400, 429, 500, 502, 503])
def test_an_http_answer_that_says_later_is_retryable(status: int) -> None:
    assert_is(translate(WinRMTransportError("http", status, "")), RetryableError, f"HTTP{status}")


@pytest.mark.parametrize("status", [403, 404, 405])
def test_any_other_http_answer_is_terminal(status: int) -> None:
    assert_is(translate(WinRMTransportError("http", status, "")), TerminalError, f"HTTP{status}")


@pytest.mark.parametrize(
    "error",
    [
        requests.ConnectionError(),
        requests.ReadTimeout(),
        requests.ConnectTimeout(),
        requests.exceptions.ChunkedEncodingError(),
        InvalidPSRPOperation("half an answer"),
        wsman_fault(None),
        Unanswered(),
        ShellGone(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_call_without_an_answer_that_can_be_read_is_retryable(error: Exception) -> None:
    assert_is(translate(error), RetryableError, type(error).__name__)


def test_a_certificate_that_nobody_vouches_for_is_terminal() -> None:
    assert_is(translate(requests.exceptions.SSLError()), TerminalError, "SSLError")


@pytest.mark.parametrize("error", [Refused(), AuthenticationError(r"Failed to authenticate the user CORP\skysaga")])
def test_a_login_that_is_not_accepted_is_terminal_and_names_nobody(error: Exception) -> None:
    with pytest.raises(TerminalError) as raised, translated():
        raise error
    assert raised.value.code == "AuthenticationError"
    assert "skysaga" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_what_the_deployment_was_told_wrongly_is_terminal() -> None:
    with pytest.raises(TerminalError, match="the secret"), translated():
        raise Misconfigured("the secret vmm cannot be used")


def test_what_is_said_is_kept_short() -> None:
    assert len(str(refused(error_record(f"801,{CMDLET}", "x" * 10_000)))) < 600
