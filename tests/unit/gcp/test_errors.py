"""How each of Google Cloud's errors is translated, through exceptions as the SDK makes them."""

from __future__ import annotations

import json

import pytest
import requests
from google.api_core.exceptions import from_http_response
from google.auth.exceptions import (
    DefaultCredentialsError,
    MalformedError,
    RefreshError,
    TransportError,
)
from google.cloud.compute_v1 import Operation
from google.protobuf.json_format import ParseError  # type: ignore[import-untyped]  # its stubs are another package

from lambdas.core.errors import CapacityError, RetryableError, StepError, TerminalError
from lambdas.gcp.errors import (
    ALREADY_EXISTS_CODES,
    CAPACITY_CODES,
    DELETED_LATER_CODES,
    RETRYABLE_CODES,
    failed_operation,
    translate,
    translated,
)

TERMINAL = {
    "conditionNotMet": 412,
    "forbidden": 403,
    "invalid": 400,
    "notFound": 404,
    "required": 401,
    "resourceInUse": 400,
}


def answered(status: int, reason: str | None, message: str = "because") -> Exception:
    """The exception that the SDK raises for an answer of the API."""
    response = requests.Response()
    response.status_code = status
    response.request = requests.Request("GET", "https://compute.googleapis.com/x").prepare()
    errors = [{"reason": reason, "message": message, "domain": "global"}] if reason else []
    response._content = json.dumps({"error": {"code": status, "message": message, "errors": errors}}).encode()
    error: Exception = from_http_response(response)  # type: ignore[no-untyped-call]
    return error


def finished(code: str, status: int = 0) -> Operation:
    body = {"status": "DONE", "error": {"errors": [{"code": code, "message": "because"}]}}
    operation: Operation = Operation.from_json(json.dumps({**body, "httpErrorStatusCode": status}))
    return operation


def assert_is(error: StepError | None, kind: type[StepError], code: str) -> None:
    assert type(error) is kind
    assert error.code == code


@pytest.mark.parametrize("code", sorted(RETRYABLE_CODES))
@pytest.mark.parametrize("status", [400, 403])
def test_a_retryable_reason_is_retryable_whatever_its_status(code: str, status: int) -> None:
    assert_is(translate(answered(status, code)), RetryableError, code)


@pytest.mark.parametrize("code", sorted(CAPACITY_CODES))
@pytest.mark.parametrize("status", [403, 503])
def test_a_lack_of_capacity_or_quota_is_capacity_whatever_its_status(code: str, status: int) -> None:
    assert_is(translate(answered(status, code)), CapacityError, code)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_status_that_says_later_is_retryable_whatever_its_reason(status: int) -> None:
    assert_is(translate(answered(status, "unheardOf")), RetryableError, "unheardOf")
    assert_is(translate(answered(status, None)), RetryableError, f"HTTP{status}")


@pytest.mark.parametrize(("code", "status"), sorted(TERMINAL.items()))
def test_any_other_reason_is_terminal(code: str, status: int) -> None:
    assert_is(translate(answered(status, code)), TerminalError, code)


@pytest.mark.parametrize("code", sorted(ALREADY_EXISTS_CODES))
def test_a_name_that_is_taken_is_terminal_for_the_provider_to_look_into(code: str) -> None:
    assert_is(translate(answered(409, code)), TerminalError, code)
    assert_is(failed_operation(finished(code, 409)), TerminalError, code)


def test_any_other_conflict_is_something_under_way() -> None:
    assert_is(translate(answered(409, "unheardOf")), RetryableError, "unheardOf")


@pytest.mark.parametrize("code", sorted(DELETED_LATER_CODES))
def test_what_a_deletion_shrugs_at_is_never_a_capacity_error(code: str) -> None:
    assert not isinstance(translate(answered(400, code)), CapacityError)


@pytest.mark.parametrize(
    "error",
    [
        requests.ConnectionError(),
        requests.ConnectTimeout(),
        requests.ReadTimeout(),
        requests.exceptions.ChunkedEncodingError(),
        requests.exceptions.ContentDecodingError(),
        ParseError("half an answer"),
        TransportError(),  # type: ignore[no-untyped-call]
        RefreshError("later", retryable=True),  # type: ignore[no-untyped-call]
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_call_without_an_answer_is_retryable(error: Exception) -> None:
    assert_is(translate(error), RetryableError, type(error).__name__)


@pytest.mark.parametrize(
    "error",
    [
        DefaultCredentialsError("no credentials"),  # type: ignore[no-untyped-call]
        RefreshError("invalid_grant: unknown account", {"access_token": "s3cret"}),  # type: ignore[no-untyped-call]
        MalformedError("private_key s3cret"),  # type: ignore[no-untyped-call]
        requests.exceptions.InvalidURL("http://s3cret@"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_no_retry_mends_is_terminal_and_keeps_its_secrets(error: Exception) -> None:
    assert_is(translate(error), TerminalError, type(error).__name__)
    assert "s3cret" not in str(translate(error))


@pytest.mark.parametrize("code", sorted(CAPACITY_CODES))
def test_an_operation_that_failed_for_want_of_capacity_is_a_capacity_error(code: str) -> None:
    assert_is(failed_operation(finished(code, 503)), CapacityError, code)


@pytest.mark.parametrize("code", ["INTERNAL_ERROR", "RESOURCE_NOT_FOUND", "PERMISSIONS_ERROR", "UNSUPPORTED_OPERATION"])
def test_an_operation_that_failed_otherwise_will_not_succeed_any_more(code: str) -> None:
    assert_is(failed_operation(finished(code, 500)), TerminalError, code)


def test_an_operation_may_fail_with_a_status_alone_or_not_at_all() -> None:
    alone = Operation(http_error_status_code=400, http_error_message="BAD REQUEST")
    assert_is(failed_operation(alone), TerminalError, "HTTP400")
    assert failed_operation(Operation(status="DONE")) is None


def test_the_message_is_the_clouds_own() -> None:
    assert str(translate(answered(403, "quotaExceeded", "Quota 'CPUS' exceeded."))) == (
        "quotaExceeded: Quota 'CPUS' exceeded."
    )


@pytest.mark.parametrize("error", [answered(503, "backendError"), requests.ReadTimeout(), ParseError("half")])
def test_what_the_sdk_raises_leaves_translated_and_keeps_its_cause(error: Exception) -> None:
    with pytest.raises(StepError) as caught, translated():
        raise error
    assert caught.value.__cause__ is error


def test_a_mistake_of_ours_is_not_dressed_up_as_the_clouds() -> None:
    with pytest.raises(KeyError), translated():
        raise KeyError("ours")
