"""What AWS's services refuse: what passes by itself, told from what does not."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.core.errors import RetryableError


@contextmanager
def retryable(refused: str, unanswered: str) -> Iterator[None]:
    """Whatever is refused, or not answered, inside leaves as RetryableError, in these words."""
    try:
        yield
    except ClientError as error:
        raise RetryableError(error.response["Error"]["Code"], refused) from error
    except BotoCoreError as error:
        raise RetryableError(type(error).__name__, unanswered) from error


def passes(error: ClientError, codes: Collection[str]) -> bool:
    """Whether a refusal passes by itself: one of `codes`, too many requests, or a failure of the service's own."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= 500 or status == 429 or error.response["Error"]["Code"] in codes
