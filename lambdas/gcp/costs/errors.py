"""BigQuery's refusals in the words of a cost source; what it shares with Google's other APIs is translated there.

Source: https://cloud.google.com/bigquery/docs/error-messages. A query that was accepted may fail later, for the same
reasons, and then stays failed: what passes by itself is asked for by a new one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import requests
from google.api_core.exceptions import GoogleAPICallError, GoogleAPIError
from google.auth.exceptions import GoogleAuthError

from lambdas.core.errors import CursorExpired, SkysagaError, TerminalError, Throttled
from lambdas.gcp.errors import translate

PATIENCE: Final = 15.0
"""How many seconds to leave BigQuery alone when it refuses and does not say for how long."""

_THROTTLED: Final = frozenset({"jobRateLimitExceeded", "quotaExceeded", "rateLimitExceeded", "userRateLimitExceeded"})
_PASSING: Final = _THROTTLED | {"backendError", "internalError", "jobBackendError", "jobInternalError", "stopped"}


@contextmanager
def translated() -> Iterator[None]:
    """Whatever BigQuery's client raises inside leaves as Throttled, RetryableError or TerminalError."""
    try:
        yield
    except (GoogleAPIError, GoogleAuthError, requests.RequestException) as error:
        raise _translate(error) from error


def failed_job(error: Mapping[str, Any]) -> SkysagaError:
    """The error for a query that failed after it was accepted: CursorExpired where a new one may not."""
    reason = str(error.get("reason") or "unknown")
    if reason in _PASSING:
        return CursorExpired(f"{reason}: BigQuery gave the query up")
    return TerminalError(reason, str(error.get("message") or "the query failed"))


def _translate(error: Exception) -> SkysagaError:
    if isinstance(error, GoogleAPICallError) and _is_throttled(error):
        return Throttled(_reason(error) or f"HTTP{error.code}", "BigQuery asks for patience", _retry_after(error))
    return translate(error)


def _is_throttled(error: GoogleAPICallError) -> bool:
    return error.code in (429, 503) or _reason(error) in _THROTTLED


def _reason(error: GoogleAPICallError) -> str:
    first = next((detail for detail in error.errors if isinstance(detail, dict)), {})
    return str(first.get("reason") or "")


def _retry_after(error: GoogleAPICallError) -> float:
    """The header's seconds, or the seconds until its date."""
    text = str(getattr(error.response, "headers", {}).get("Retry-After", ""))
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return PATIENCE
