"""Azure's errors in the saga's three words; the only place where they are translated.

A refusal carries a code in its body, `{"error": {"code", "message"}}`; so does a finished operation that failed.
Sources, all below https://learn.microsoft.com/azure/ unless they say otherwise:
[1] azure-resource-manager/troubleshooting/common-deployment-errors
[2] virtual-machines/troubleshooting/allocation-failure (AllocationFailed and its relatives)
[3] azure-resource-manager/troubleshooting/error-resource-quota (QuotaExceeded; OperationNotAllowed's quota form)
[4] azure-resource-manager/management/request-limits-and-throttling
[5] virtual-machines/troubleshooting/troubleshooting-throttling-errors (429 that is called OperationNotAllowed)
[6] seen in public issues: rancher/machine#359, gardenlinux/gardenlinux#4133, cloudfoundry/bosh-azure-cpi-release#366,
    hashicorp/packer-plugin-azure#273, Azure/karpenter-provider-azure#92
[7] azure-resource-manager/management/async-operations
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceResponseError,
)

from lambdas.core.errors import CapacityError, RetryableError, StepError, TerminalError

RETRYABLE_CODES: Final = frozenset(
    {
        "AnotherOperationInProgress",  # [1] a dependent resource of the network is being changed
        "CanceledAndSupersededDueToAnotherOperation",  # [1]
        "Conflict",  # [1] "conflict with a concurrent request"
        "ExpiredAuthenticationToken",  # [1] the next attempt fetches a new one
        "InternalExecutionError",  # [2] "please retry later"
        "InternalServerError",  # [7]
        "NetworkingInternalOperationError",  # [1]
        "NicReservedForAnotherVm",  # [6] for 180 s
        "OperationPreempted",  # [1]
        "ReferencedResourceNotProvisioned",  # [1] what it refers to is still being made
        "ResourceCollectionRequestsThrottled",  # [4]
        "ResourceGroupBeingDeleted",  # [1]
        "RetryableError",  # [1] that is Azure's own name for it
        "RetryableErrorDueToAnotherOperation",  # [1]
        "ServerBusy",  # [4]
        "ServiceUnavailable",  # [1]
        "SubscriptionRequestsThrottled",  # [4]
        "TooManyRequests",  # [4] [5]
    }
)
"""Besides every 408, 429 and 5xx, and every call that was never answered."""

CAPACITY_CODES: Final = frozenset(
    {
        "AllocationFailed",  # [2]
        "OverconstrainedAllocationRequest",  # [2]
        "OverconstrainedZonalAllocationRequest",  # [2]
        "PublicIPCountLimitReached",  # [3]
        "QuotaExceeded",  # [3]
        "ResourceQuotaExceeded",  # [3]
        "SkuNotAvailable",  # [1] not in this region, or not to this subscription
        "SubnetIsFull",  # [1]
        "ZonalAllocationFailed",  # [2]
    }
)

OPERATION_NOT_ALLOWED: Final[tuple[tuple[str, type[StepError]], ...]] = (
    ("exceeding approved", CapacityError),  # [3]
    ("exceeds the quota", CapacityError),  # [3]
    ("marked for deletion", RetryableError),  # [6] the name is free once that is over
    ("is attached to VM", RetryableError),  # [6] a disk whose VM is still on its way out
)
"""What OperationNotAllowed means, told by a part of its message: Azure uses the one code for all of these."""

ABSENT_CODES: Final = frozenset({"NotFound", "ResourceGroupNotFound", "ResourceNotFound"})
"""The 404s that say that a resource does not exist; others (of the subscription, say) do not."""

PASSING_SIGN_INS: Final = frozenset(
    {
        "AADSTS50196",  # "the server terminated an operation because it encountered a loop"
        "AADSTS700024",  # our proof is too old, or not valid yet; the next attempt has a new one
        "AADSTS90006",  # "the service is temporarily unavailable"
        "AADSTS90024",  # "a transient error has occurred"
        "AADSTS90033",  # "a transient error has occurred"
        "AADSTS90055",  # "there are too many incoming requests"
    }
)
"""https://learn.microsoft.com/entra/identity-platform/reference-error-codes; besides every 408, 429 and 5xx."""

NOT_YET_CODES: Final = frozenset(
    {
        "AnotherOperationInProgress",
        "Conflict",
        "NicInUse",  # [6]
        "NicReservedForAnotherVm",  # [6]
        "OperationNotAllowed",  # "is attached to VM"
        "PublicIPAddressCannotBeDeleted",  # [6]
    }
)
"""Why something cannot be deleted now: something else about it is still under way, or holds on to it."""

EXISTS_CODE: Final = "PreconditionFailed"
"""HTTP 412: If-None-Match was given, and something of that name is there."""

_RETRYABLE_STATUS: Final = frozenset({408, 429})
_LONGEST_MESSAGE: Final = 600
_ENTRA_CODE: Final = re.compile(r"AADSTS\d+")
_SECRETS: Final = re.compile(r"eyJ[\w-]+\.[\w.-]+|(?i:bearer )\S+|(?i:sig|secret|password|client_secret)=[^\s&]+")


def sign_in_refused(error: AzureError, target: str) -> StepError:
    """The step error for a token that Entra ID, or whoever else gives tokens, did not give for a target."""
    message = str(error.message)
    status = getattr(error.response, "status_code", 0) if isinstance(error, HttpResponseError) else 0
    found = _ENTRA_CODE.search(message)
    code = found[0] if found else type(error).__name__
    passing = status >= 500 or status in _RETRYABLE_STATUS or code in PASSING_SIGN_INS
    if passing or not (found or status):
        return RetryableError(code, _clean(f"there is no token for the target {target!r} just now: {message}"))
    return TerminalError(
        code,
        _clean(
            f"Azure lets nobody into the target {target!r}: its application must exist in its tenant and have a "
            f"federated credential with our AWS role's issuer, subject and audience ({message})"
        ),
    )


@contextmanager
def translated() -> Iterator[None]:
    """Whatever Azure's SDK raises inside leaves as RetryableError, CapacityError or TerminalError."""
    try:
        yield
    except AzureError as error:
        raise translate(error) from error


def translate(error: AzureError) -> StepError:
    """The step error that stands for an exception of the SDK; its message holds no credential."""
    name = type(error).__name__
    match error:
        case DecodeError() | IncompleteReadError() | ServiceRequestError() | ServiceResponseError():
            return RetryableError(name, "Azure did not answer; nobody knows whether the call happened")
        case ClientAuthenticationError() if error.response is None:
            return RetryableError(name, _clean(f"there is no token for Azure: {error.message}"))
        case HttpResponseError():
            return _translate_answer(error)
        case _:
            return TerminalError(name, _clean(str(error)))


def failed_operation(code: str, message: str) -> StepError:
    """The step error for an operation that was accepted and then failed.

    An operation that failed stays failed, so all but a lack of capacity is terminal, an internal error included.
    """
    kind = _kind_of(code, message)
    return (CapacityError if kind is CapacityError else TerminalError)(code, _clean(message))


def waits_for_another(error: StepError) -> bool:
    """Whether a delete was refused only because something else has to go, or to end, first."""
    if error.code == "OperationNotAllowed":
        return isinstance(error, RetryableError)
    return error.code in NOT_YET_CODES


def _translate_answer(error: HttpResponseError) -> StepError:
    status = error.status_code or 0
    code = str((error.error.code if error.error else None) or f"HTTP{status}")
    message = _clean(str((error.error.message if error.error else None) or error.reason or "no reason given"))
    if status == 412:
        return TerminalError(EXISTS_CODE, message)
    if status in _RETRYABLE_STATUS:
        return RetryableError(code, message)
    kind = _kind_of(code, message)
    if kind is TerminalError and status >= 500:
        kind = RetryableError
    return kind(code, message)


def _kind_of(code: str, message: str) -> type[StepError]:
    if code in CAPACITY_CODES:
        return CapacityError
    if code in RETRYABLE_CODES:
        return RetryableError
    if code == "OperationNotAllowed":
        return next((kind for phrase, kind in OPERATION_NOT_ALLOWED if phrase in message), TerminalError)
    return TerminalError


def _clean(message: str) -> str:
    return _SECRETS.sub("[hidden]", message)[:_LONGEST_MESSAGE]
