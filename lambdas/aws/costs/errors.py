"""What Cost Explorer and S3 refuse, in the words of a collector: when to ask again, and whether from the beginning.

Sources: the errors of GetCostAndUsage in the Cost Explorer API reference, S3's "Error responses", and
https://github.com/aws/aws-sdk-java/issues/1662, where a rate that is exceeded is a 400 `LimitExceededException`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from lambdas.aws.errors import translate
from lambdas.core.errors import CursorExpired, RetryableError, SkysagaError, Throttled

THROTTLED_CODES: Final = frozenset(
    {
        "LimitExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)

RETRY_AFTER_SECONDS: Final = 60.0
"""When neither says: AWS publishes no rate for Cost Explorer, and S3 asks only to slow down."""

_EXPIRED_CODES: Final = frozenset({"InvalidNextTokenException", "PreconditionFailed", "RequestChangedException"})
_NOT_YET_CODES: Final = frozenset(
    {
        "404",  # as below: HeadObject has no body to say more in
        "BillingViewHealthStatusException",
        "DataUnavailableException",  # also for a day after Cost Explorer was switched on
        "NoSuchKey",  # a file that a manifest lists, and that the next delivery has removed
    }
)


@contextmanager
def answered() -> Iterator[None]:
    """Whatever boto3 raises inside leaves as Throttled, CursorExpired, RetryableError or TerminalError."""
    try:
        yield
    except (ClientError, BotoCoreError, ResponseParserError) as error:
        raise _translate(error) from error


def _translate(error: ClientError | BotoCoreError | ResponseParserError) -> SkysagaError:
    if not isinstance(error, ClientError):
        return translate(error)
    code = error.response["Error"].get("Code", "Unknown")
    message = error.response["Error"].get("Message", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    named = _retry_after(error)
    if code in THROTTLED_CODES or status == 429 or (status == 503 and named is not None):
        return Throttled(code, message, RETRY_AFTER_SECONDS if named is None else named)
    if code in _EXPIRED_CODES:
        return CursorExpired(f"{code}: {message}")
    if code in _NOT_YET_CODES:
        return RetryableError(code, message)
    return translate(error)


def _retry_after(error: ClientError) -> float | None:
    """The seconds that the answer names; a date, which neither service writes, counts as none."""
    text = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("retry-after", "")
    return float(text) if text.isdecimal() else None
