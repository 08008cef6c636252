"""Every code of the tables, through the exception that the real SDK raises for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from azure.core.exceptions import AzureError, HttpResponseError
from azure.mgmt.compute import ComputeManagementClient
from werkzeug.wrappers import Request, Response

from lambdas.azure.errors import (
    ABSENT_CODES,
    CAPACITY_CODES,
    NOT_YET_CODES,
    OPERATION_NOT_ALLOWED,
    RETRYABLE_CODES,
    failed_operation,
    translate,
    translated,
    waits_for_another,
)
from lambdas.core.errors import CapacityError, RetryableError, StepError, TerminalError
from local.http_server import DropConnection, serve
from tests.unit.azure.simulated import GROUP, SUBSCRIPTION, AllowHttp, AnyToken

NOT_ALLOWED_MESSAGES = {
    "exceeding approved": "Operation could not be completed as it results in exceeding approved Total Regional Cores "
    "quota. Additional details - Location: westeurope, Current Limit: 4, Current Usage: 4, Additional Required: 1.",
    "exceeds the quota": "The operation exceeds the quota of standard disks.",
    "marked for deletion": "Operation 'createOrUpdate' is not allowed on VM 'web' since the VM is marked for deletion.",
    "is attached to VM": "Disk data is attached to VM /subscriptions/s/x.",
}


@dataclass
class Answering:
    """A Resource Manager that gives one answer to whatever it is asked."""

    client: ComputeManagementClient
    status: int = 200
    body: str = ""
    drops: bool = False

    def error_for(self, code: str, message: str = "because", status: int = 409) -> AzureError:
        """What the SDK raises when it is refused so."""
        self.status, self.body = status, json.dumps({"error": {"code": code, "message": message}})
        return self.error()

    def error(self) -> AzureError:
        with pytest.raises(AzureError) as raised:
            self.client.disks.get(GROUP, "data")
        return raised.value


@pytest.fixture(scope="module")
def resource_manager() -> Iterator[Answering]:
    @Request.application
    def app(request: Request) -> Response:
        if answering.drops:
            raise DropConnection
        return Response(answering.body, answering.status, content_type="application/json")

    options: dict[str, Any] = {"per_call_policies": [AllowHttp()], "retry_total": 0, "read_timeout": 5}
    with (
        serve(app) as server,
        ComputeManagementClient(AnyToken(), SUBSCRIPTION, base_url=server.url, **options) as client,
    ):
        answering = Answering(client)
        yield answering


@pytest.mark.parametrize("code", sorted(RETRYABLE_CODES))
def test_a_passing_trouble_is_retryable(resource_manager: Answering, code: str) -> None:
    error = translate(resource_manager.error_for(code))
    assert type(error) is RetryableError
    assert str(error) == f"{code}: because"


@pytest.mark.parametrize("status", [409, 400, 429, 503])
@pytest.mark.parametrize("code", sorted(CAPACITY_CODES))
def test_want_of_capacity_or_quota_is_a_capacity_error(resource_manager: Answering, code: str, status: int) -> None:
    expected = RetryableError if status == 429 else CapacityError
    assert type(translate(resource_manager.error_for(code, status=status))) is expected


@pytest.mark.parametrize(("phrase", "expected"), OPERATION_NOT_ALLOWED)
def test_operation_not_allowed_is_told_apart_by_its_message(
    resource_manager: Answering, phrase: str, expected: type[StepError]
) -> None:
    error = translate(resource_manager.error_for("OperationNotAllowed", NOT_ALLOWED_MESSAGES[phrase]))
    assert type(error) is expected
    assert error.code == "OperationNotAllowed"


def test_operation_not_allowed_for_any_other_reason_is_terminal(resource_manager: Answering) -> None:
    message = "Resizing from a size with a resource disk is not allowed."
    assert type(translate(resource_manager.error_for("OperationNotAllowed", message))) is TerminalError


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_status_that_says_nothing_about_the_request_is_retryable(resource_manager: Answering, status: int) -> None:
    assert type(translate(resource_manager.error_for("Whatever", status=status))) is RetryableError


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "InvalidParameter"),
        (400, "InvalidResourceReference"),
        (401, "InvalidAuthenticationToken"),
        (403, "AuthorizationFailed"),
        (404, "SubscriptionNotFound"),
        (409, "InvalidResourceLocation"),
        (409, "MissingSubscriptionRegistration"),
        (409, "PropertyChangeNotAllowed"),
    ],
)
def test_what_somebody_has_to_change_is_terminal(resource_manager: Answering, status: int, code: str) -> None:
    error = translate(resource_manager.error_for(code, status=status))
    assert type(error) is TerminalError
    assert error.code == code


@pytest.mark.parametrize("code", sorted(ABSENT_CODES))
def test_absence_keeps_its_code(resource_manager: Answering, code: str) -> None:
    error = translate(resource_manager.error_for(code, status=404))
    assert (type(error), error.code) == (TerminalError, code)


def test_a_precondition_that_failed_is_told_by_its_status(resource_manager: Answering) -> None:
    error = translate(resource_manager.error_for("ConditionNotMet", status=412))
    assert (type(error), error.code) == (TerminalError, "PreconditionFailed")


def test_an_answer_without_a_code_is_named_by_its_status(resource_manager: Answering) -> None:
    resource_manager.status, resource_manager.body = 418, ""
    error = translate(resource_manager.error())
    assert (type(error), error.code) == (TerminalError, "HTTP418")


def test_an_answer_that_makes_no_sense_is_retryable(resource_manager: Answering) -> None:
    resource_manager.status, resource_manager.body = 200, "{"
    assert type(translate(resource_manager.error())) is RetryableError


def test_a_connection_that_was_dropped_is_retryable(resource_manager: Answering) -> None:
    resource_manager.drops = True
    try:
        error = translate(resource_manager.error())
    finally:
        resource_manager.drops = False
    assert (type(error), error.code) == (RetryableError, "ServiceResponseError")


def test_a_connection_that_was_refused_is_retryable() -> None:
    options: dict[str, Any] = {"per_call_policies": [AllowHttp()], "retry_total": 0}
    with (
        ComputeManagementClient(AnyToken(), SUBSCRIPTION, base_url="http://127.0.0.1:1", **options) as client,
        pytest.raises(RetryableError, match=r"^ServiceRequestError"),
        translated(),
    ):
        client.disks.get(GROUP, "data")


def test_any_other_trouble_of_the_sdk_is_terminal() -> None:
    assert type(translate(AzureError("who knows"))) is TerminalError


@pytest.mark.parametrize("code", sorted(CAPACITY_CODES))
def test_an_operation_that_failed_for_want_of_capacity_is_a_capacity_error(code: str) -> None:
    assert type(failed_operation(code, "full")) is CapacityError


@pytest.mark.parametrize("code", sorted(RETRYABLE_CODES | {"OSProvisioningTimedOut", "VMExtensionProvisioningError"}))
def test_an_operation_that_failed_otherwise_stays_failed(code: str) -> None:
    assert type(failed_operation(code, "broken")) is TerminalError


def test_an_operation_that_failed_for_want_of_quota_is_a_capacity_error() -> None:
    message = NOT_ALLOWED_MESSAGES["exceeding approved"]
    assert type(failed_operation("OperationNotAllowed", message)) is CapacityError


@pytest.mark.parametrize("code", sorted(NOT_YET_CODES - {"OperationNotAllowed"}))
def test_a_delete_that_came_too_early_waits_for_another(resource_manager: Answering, code: str) -> None:
    assert waits_for_another(translate(resource_manager.error_for(code, status=400)))


def test_a_delete_waits_only_for_what_will_pass(resource_manager: Answering) -> None:
    attached = resource_manager.error_for("OperationNotAllowed", NOT_ALLOWED_MESSAGES["is attached to VM"])
    assert waits_for_another(translate(attached))
    locked = resource_manager.error_for("OperationNotAllowed", "The disk is locked.")
    assert not waits_for_another(translate(locked))
    assert not waits_for_another(translate(resource_manager.error_for("ScopeLocked")))


@pytest.mark.parametrize(
    "secret",
    [
        "eyJ0eXAiOiJKV1Qi.eyJhdWQiOiJo.c2lnbmF0dXJl",
        "Bearer abc.def",
        "https://account.blob.core.windows.net/vhd?sig=abc%2Bdef",
        "client_secret=abc.def",
    ],
)
def test_a_secret_that_azure_repeats_stays_out_of_the_message(resource_manager: Answering, secret: str) -> None:
    message = str(translate(resource_manager.error_for("InvalidParameter", f"not {secret} here", status=400)))
    assert "[hidden]" in message
    assert "abc" not in message
    assert "eyJ" not in message
    assert message.endswith(" here")


def test_a_long_message_is_cut(resource_manager: Answering) -> None:
    assert len(str(translate(resource_manager.error_for("InvalidParameter", "x" * 5000, status=400)))) < 700


def test_what_is_not_azures_passes_untranslated() -> None:
    with pytest.raises(KeyError), translated():
        raise KeyError("ours")


def test_an_error_that_was_built_without_an_answer_is_terminal() -> None:
    error = translate(HttpResponseError("nothing came of it"))
    assert (type(error), error.code) == (TerminalError, "HTTP0")
