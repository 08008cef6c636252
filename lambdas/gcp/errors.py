"""Google Cloud's errors in the saga's three words; the only place where they are translated.

The API says what is wrong as a `reason` (camelCase), a finished operation as a `code` (capitals). Sources:
[1] https://cloud.google.com/compute/docs/reference/rest/v1/errors
[2] https://cloud.google.com/compute/docs/troubleshooting/troubleshooting-bulk-vm-creation
[3] https://cloud.google.com/compute/operations-quota
[4] https://cloud.google.com/storage/docs/json_api/v1/status-codes, the reasons that Google's JSON APIs share
[5] seen in public: googleapis/google-api-python-client#485, opstrace/opstrace#1218, genevieve/leftovers#6
[6] seen in public: the codes that Karpenter's provider for Google Cloud counts as a lack of capacity
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import requests
from google.api_core.exceptions import GoogleAPICallError, GoogleAPIError
from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError
from google.protobuf.json_format import ParseError  # type: ignore[import-untyped]  # its stubs are a package of their own

from lambdas.core.errors import CapacityError, RetryableError, StepError, TerminalError

if TYPE_CHECKING:  # whoever collects costs is spared the import of Compute Engine
    from google.cloud.compute_v1 import Operation

RETRYABLE_CODES: Final = frozenset(
    {
        "backendError",  # [4]
        "internalError",  # [4]
        "rateLimitExceeded",  # [2] [3], as 403 or 429; too many operations at a time are called so, too
        "resourceInUseByAnotherResource",  # [5] a disk whose instance is still on its way out
        "resourceNotReady",  # [5] still being created or deleted
        "userRateLimitExceeded",  # [4]
    }
)
"""Besides every 408, 425, 429 and 5xx, and every call that was never answered."""

CAPACITY_CODES: Final = frozenset(
    {
        "IP_SPACE_EXHAUSTED",  # [6]
        "IP_SPACE_EXHAUSTED_WITH_DETAILS",  # [6]
        "QUOTA_EXCEEDED",  # [1]
        "REGION_RESOURCE_POOL_EXHAUSTED",  # by analogy with the next
        "REGION_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS",  # [1]
        "RESOURCE_POOL_EXHAUSTED",  # [1]
        "ZONE_RESOURCE_POOL_EXHAUSTED",  # [1]
        "ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS",  # [1]
        "insufficientCapacity",  # [2], with status 503
        "quotaExceeded",  # [2]
    }
)

ALREADY_EXISTS_CODES: Final = frozenset({"alreadyExists", "RESOURCE_ALREADY_EXISTS"})
"""The name is taken, which is no failure when it was taken by us."""

DELETED_LATER_CODES: Final = frozenset({"notFound", "resourceInUseByAnotherResource", "resourceNotReady"})
"""Nothing to delete, or not yet: something else about it is still under way."""

_RETRYABLE_STATUS: Final = frozenset({408, 425, 429})
_UNANSWERED: Final = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
    ParseError,
)


@contextmanager
def translated() -> Iterator[None]:
    """Whatever Google's SDK raises inside leaves as RetryableError, CapacityError or TerminalError."""
    try:
        yield
    except (GoogleAPIError, GoogleAuthError, requests.RequestException, ParseError) as error:
        raise translate(error) from error


def translate(error: Exception) -> StepError:
    """The step error that stands for an exception of the SDK; its message never holds a credential."""
    name = type(error).__name__
    match error:
        case GoogleAPICallError():
            return _translate_answer(error)
        case GoogleAuthError():
            return _translate_authentication(error)
        case _ if isinstance(error, _UNANSWERED):
            return RetryableError(name, "Google Cloud did not answer; nobody knows whether the call happened")
        case _:
            return TerminalError(name, "the call could not be made")


def sign_in_refused(error: GoogleAuthError, status: int, reason: str, target: str) -> StepError:
    """The step error for a token that Google did not give for a target; `status` and `reason` its last answer."""
    name = type(error).__name__
    if isinstance(error, TransportError) or status in _RETRYABLE_STATUS or status >= 500:
        return RetryableError(name, f"there is no token for the target {target!r} just now: {status or 'no answer'}")
    if not status:
        return TerminalError(name, f"we cannot prove who we are to the target {target!r}: there are no AWS credentials")
    return TerminalError(
        name,
        f"Google lets nobody into the target {target!r}: its workload identity provider must trust our AWS role, and "
        f"the role be allowed to act as its service account ({reason or f'HTTP {status}'})",
    )


def failed_operation(operation: Operation) -> StepError | None:
    """The step error for an operation that was accepted and then failed; None when it did not fail.

    An operation that failed stays failed, so all but a lack of capacity is terminal, an internal error included.
    """
    if operation.error.errors:
        first = operation.error.errors[0]
        kind = CapacityError if first.code in CAPACITY_CODES else TerminalError
        return kind(first.code, first.message)
    if operation.http_error_status_code >= 400:
        return TerminalError(f"HTTP{operation.http_error_status_code}", operation.http_error_message)
    return None


def _translate_authentication(error: GoogleAuthError) -> StepError:
    name = type(error).__name__
    match error:
        case TransportError():
            return RetryableError(name, "Google's token service did not answer")
        case RefreshError() if error.retryable:
            return RetryableError(name, "Google's token service gives no token just now")
        case RefreshError():
            return TerminalError(name, str(error.args[0] if error.args else "Google's token service refused us"))
        case _:
            # Not google-auth's own message: it may quote the credentials it could not make sense of.
            return TerminalError(name, "no usable credentials; look at GOOGLE_APPLICATION_CREDENTIALS")


def _translate_answer(error: GoogleAPICallError) -> StepError:
    status = int(error.code or 0)
    first = next((detail for detail in error.errors if isinstance(detail, dict)), {})
    code = str(first.get("reason") or f"HTTP{status}")
    message = str(first.get("message") or error.message)
    if code in CAPACITY_CODES:
        return CapacityError(code, message)
    under_way = status == 409 and code not in ALREADY_EXISTS_CODES
    if code in RETRYABLE_CODES or status in _RETRYABLE_STATUS or status >= 500 or under_way:
        return RetryableError(code, message)
    return TerminalError(code, message)
