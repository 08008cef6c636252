"""DynamoDB's refusals in our words: what passes by itself is retryable, and a cancelled transaction says why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.core.errors import RetryableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

CONDITION_FAILED: Final = "ConditionalCheckFailed"

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
_TRANSIENT: Final = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "TransactionInProgressException",
    }
)

# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
_PASSING_REASONS: Final = frozenset(
    {
        "",
        CONDITION_FAILED,
        "ProvisionedThroughputExceeded",
        "ThrottlingError",
        "TransactionConflict",
    }
)


class Cancelled(Exception):
    """A transaction was cancelled and may be tried again; `reasons` are those of its items, "" for none."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__(", ".join(reasons))
        self.reasons = reasons


def asked(call: Callable[[], Any]) -> Any:
    """What a call answers; raises RetryableError for what passes by itself, and what is ours as it is."""
    try:
        return call()
    except ClientError as error:
        raise _translated(error) from error
    except BotoCoreError as error:
        raise RetryableError(type(error).__name__, "the ledger did not answer") from error


def queried(client: DynamoDBClient, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every item that a query finds, page after page; raises what `asked` does."""
    while True:
        answer = asked(partial(client.query, **request))
        yield from answer["Items"]
        if not answer.get("LastEvaluatedKey"):
            return
        request = {**request, "ExclusiveStartKey": answer["LastEvaluatedKey"]}


def transacted(call: Callable[[], Any]) -> Any:
    """What a transaction answers, reading or writing; raises Cancelled, and whatever else `asked` does."""
    try:
        return asked(call)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("TransactionCanceledException", "TransactionConflictException"):
            raise _cancelled(error) from error
        raise


def _cancelled(error: ClientError) -> Exception:
    """One that can never succeed stays what it is: it is ours."""
    codes = [reason.get("Code") for reason in error.response.get("CancellationReasons", [])]
    reasons = ["" if code in (None, "None") else str(code) for code in codes]
    return error if set(reasons) - _PASSING_REASONS else Cancelled(reasons)


def _translated(error: ClientError) -> Exception:
    code = error.response["Error"]["Code"]
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if status >= 500 or code in _TRANSIENT:
        return RetryableError(code, "the ledger refused for now")
    return error
