"""What Cost Explorer and S3 refuse: who waits for how long, who begins again, and who gives up."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from lambdas.aws.costs.errors import RETRY_AFTER_SECONDS, answered
from lambdas.core.errors import CursorExpired, RetryableError, SkysagaError, TerminalError, Throttled


def refused(code: str, status: int = 400, **headers: str) -> Exception:
    """What boto3 raises for an answer leaves as this."""
    response: Any = {
        "Error": {"Code": code, "Message": "because"},
        "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": headers},
    }
    return left_as(ClientError(response, "GetCostAndUsage"))


def left_as(error: Exception) -> Exception:
    with pytest.raises(SkysagaError) as raised, answered():
        raise error
    return raised.value


@pytest.mark.parametrize(
    ("code", "status"),
    [("LimitExceededException", 400), ("ThrottlingException", 400), ("SlowDown", 503), ("Unheard", 429)],
)
def test_too_much_was_asked(code: str, status: int) -> None:
    error = refused(code, status, **{"retry-after": "17"})

    assert isinstance(error, Throttled)
    assert error.retry_after == 17
    assert str(error) == f"{code}: because"


@pytest.mark.parametrize("said", ["", "soon", "Thu, 26 Nov 2026 12:00:00 GMT", "-1", "nan"])
def test_what_says_no_seconds_is_waited_out_for_the_usual_time(said: str) -> None:
    error = refused("SlowDown", 503, **{"retry-after": said})

    assert isinstance(error, Throttled)
    assert error.retry_after == RETRY_AFTER_SECONDS


@pytest.mark.parametrize("code", ["InvalidNextTokenException", "RequestChangedException", "PreconditionFailed"])
def test_a_place_that_is_no_longer_known_means_from_the_beginning(code: str) -> None:
    assert isinstance(refused(code), CursorExpired)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("DataUnavailableException", 400),
        ("BillingViewHealthStatusException", 400),
        ("NoSuchKey", 404),
        ("404", 404),
        ("InternalError", 500),
        ("ServiceUnavailable", 503),
        ("ExpiredTokenException", 400),
    ],
)
def test_what_passes_by_itself_is_tried_again(code: str, status: int) -> None:
    error = refused(code, status)

    assert isinstance(error, RetryableError)
    assert not isinstance(error, Throttled)


@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "AccessDenied", "NoSuchBucket", "ValidationException", "BillExpirationException"]
)
def test_what_an_operator_has_to_change_is_terminal(code: str) -> None:
    assert isinstance(refused(code, 403), TerminalError)


def test_no_answer_at_all_is_tried_again() -> None:
    assert isinstance(left_as(ReadTimeoutError(endpoint_url="http://s3")), RetryableError)
