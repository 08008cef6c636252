"""BigQuery's refusals: which are to be waited for, and how long, and which are the operator's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import requests
from google.api_core.exceptions import GoogleAPICallError, from_http_response
from google.auth.exceptions import TransportError

from lambdas.core.errors import CursorExpired, RetryableError, SkysagaError, StepError, TerminalError, Throttled
from lambdas.gcp.costs.errors import PATIENCE, failed_job, translated


def answer(status: int, reason: str, **headers: str) -> GoogleAPICallError:
    """What the client raises for an answer of BigQuery."""
    response = requests.Response()
    response.status_code = status
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    response._content = f'{{"error": {{"message": "No.", "errors": [{{"reason": "{reason}"}}]}}}}'.encode()
    response.request = requests.Request("GET", "http://127.0.0.1/bigquery/v2/").prepare()
    return from_http_response(response)  # type: ignore[no-any-return,no-untyped-call]


def raised(error: Exception) -> StepError:
    with pytest.raises(StepError) as found, translated():
        raise error
    return found.value


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (429, "rateLimitExceeded"),
        (403, "rateLimitExceeded"),
        (403, "quotaExceeded"),
        (403, "jobRateLimitExceeded"),
        (503, "backendError"),
    ],
)
def test_too_much_is_waited_for(status: int, reason: str) -> None:
    error = raised(answer(status, reason, Retry_After="42"))
    assert isinstance(error, Throttled)
    assert (error.code, error.retry_after) == (reason, 42)


def test_where_it_does_not_say_how_long_it_is_left_alone_for_a_while() -> None:
    for error in (answer(429, "rateLimitExceeded"), answer(429, "rateLimitExceeded", Retry_After="soon")):
        found = raised(error)
        assert isinstance(found, Throttled)
        assert found.retry_after == PATIENCE


def test_until_a_date_is_waited_for_and_a_date_that_is_past_is_now() -> None:
    now = datetime.now(UTC)
    later = raised(answer(503, "backendError", Retry_After=format_datetime(now + timedelta(minutes=2), usegmt=True)))
    past = raised(answer(503, "backendError", Retry_After=format_datetime(now - timedelta(minutes=2), usegmt=True)))
    assert isinstance(later, Throttled)
    assert isinstance(past, Throttled)
    assert 100 < later.retry_after <= 120
    assert past.retry_after == 0


@pytest.mark.parametrize(
    "error",
    [
        answer(500, "internalError"),
        answer(502, "badGateway"),
        requests.ConnectionError("reset"),
        TransportError("no answer"),  # type: ignore[no-untyped-call]
    ],
)
def test_what_passes_by_itself_is_retried(error: Exception) -> None:
    found = raised(error)
    assert isinstance(found, RetryableError)
    assert not isinstance(found, Throttled)


@pytest.mark.parametrize(
    ("status", "reason"), [(403, "accessDenied"), (404, "notFound"), (400, "invalidQuery"), (401, "authError")]
)
def test_what_is_wrong_is_the_operators(status: int, reason: str) -> None:
    error = raised(answer(status, reason))
    assert isinstance(error, TerminalError)
    assert error.code == reason


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("backendError", CursorExpired),
        ("jobRateLimitExceeded", CursorExpired),
        ("stopped", CursorExpired),
        ("accessDenied", TerminalError),
        ("invalidQuery", TerminalError),
        ("resourcesExceeded", TerminalError),
        (None, TerminalError),
    ],
)
def test_a_query_that_failed_is_begun_anew_where_that_may_help(reason: Any, kind: type[SkysagaError]) -> None:
    assert isinstance(failed_job({"reason": reason, "message": "It failed."}), kind)
