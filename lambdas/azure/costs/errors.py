"""What Cost Management and Blob Storage refuse, in the words of a collector: when to ask again, and whether anew.

Sources, below https://learn.microsoft.com/: azure/cost-management-billing/costs/manage-automation ("Data latency and
rate limits"), rest/api/storageservices/blob-service-error-codes. Which headers name a wait beside Retry-After is only
partly documented there; others are read by mivano/azure-cost-cli, so all that end alike are looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from azure.core.exceptions import AzureError, HttpResponseError

from lambdas.azure.errors import translate
from lambdas.core.errors import CursorExpired, RetryableError, SkysagaError, StepError, TerminalError, Throttled

RETRY_AFTER_SECONDS: Final = 60.0
"""When none is named: Cost Management refills the smaller of its quotas within a minute."""

_RETRY_AFTER: Final = "retry-after"
_COST_MANAGEMENT: Final = "x-ms-ratelimit-microsoft."
"""As in `x-ms-ratelimit-microsoft.costmanagement-qpu-retry-after`, or `-entity-`, `-tenant-`, `-client-retry-after`."""

_BUSY_CODES: Final = frozenset({"ServerBusy"})
_GONE_CODES: Final = frozenset({"BlobNotFound", "ConditionNotMet"})
"""A file of an export that the next run has removed or written anew."""

_PASSING_STATUS: Final = frozenset({408, 424})
"""424 is what Cost Management answers while something behind it fails: mivano/azure-cost-cli#24."""


@contextmanager
def answered(*, continued: bool = False) -> Iterator[None]:
    """Whatever the SDK raises inside leaves as Throttled, CursorExpired, RetryableError or TerminalError.

    `continued` is for a request that carries on where an answer ended: where the first one was accepted, only the
    place that it names can be wrong.
    """
    try:
        yield
    except AzureError as error:
        raise _translate(error, continued) from error


def _translate(error: AzureError, continued: bool) -> SkysagaError:
    refusal = translate(error)
    if not isinstance(error, HttpResponseError) or error.response is None:
        return refusal
    status = error.status_code or 0
    code = _storage_code(error) or refusal.code
    message = str(refusal).removeprefix(f"{refusal.code}: ")
    seconds = _retry_after(getattr(error.response, "headers", {}))
    if status == 429 or code in _BUSY_CODES or (status == 503 and seconds is not None):
        return Throttled(code, message, RETRY_AFTER_SECONDS if seconds is None else seconds)
    if code in _GONE_CODES or (continued and status == 400):
        return CursorExpired(f"{code}: {message}")
    return _refused(refusal, status, code, message)


def _storage_code(error: HttpResponseError) -> str:
    """Blob Storage's code, which its SDK makes a member of an enumeration where it knows it."""
    code = getattr(error, "error_code", None)
    return str(getattr(code, "value", code) or "")


def _refused(refusal: StepError, status: int, code: str, message: str) -> StepError:
    if status in _PASSING_STATUS or isinstance(refusal, RetryableError):
        return RetryableError(code, message)
    return TerminalError(code, message)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """The longest wait that any header names, in seconds: only then do all of them let us in again."""
    named = {name.lower(): value for name, value in headers.items() if name.lower().endswith(_RETRY_AFTER)}
    waits = [_seconds(it) for name, it in named.items() if name == _RETRY_AFTER or name.startswith(_COST_MANAGEMENT)]
    return max((wait for wait in waits if wait is not None), default=None)


def _seconds(text: str) -> float | None:
    """A number of seconds, or the seconds until a date."""
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None
