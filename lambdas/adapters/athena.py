"""Athena: questions about costs, and the summary of an hour.

A query is started under a token made of its statement and of what is kept: the same question about the same costs is
the same query, whoever asks and however often. So a caller who was told to ask again goes on with it, and a function
that died loses nothing.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.adapters.cost_sql import question_sql, summary_sql, table_name
from lambdas.adapters.refusals import passes
from lambdas.core.billing.questions import Question, Scope
from lambdas.core.errors import Misconfigured, RetryableError, Throttled
from lambdas.core.ports.clock import Clock
from lambdas.core.ports.cost_query import Amounts, Answer, CostLine, SagaLine, SpentLine, Summary

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient

PATIENCE: Final = 20.0
"""Seconds that somebody waits for an answer: with everything else below API Gateway's 29."""

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 1.0

_ATTEMPTS: Final = 5
"""Under tokens of their own: the query of a token that failed has failed for good."""

_MENDED: Final = timedelta(seconds=30)
"""Who asks again so long after a failure is answered anew, not with the same one."""

_THROTTLED: Final = "TooManyRequestsException"
_RETRY_AFTER: Final = 5.0

_PASSING: Final = frozenset({"InternalServerException", "ThrottlingException", _THROTTLED})
"""https://docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html#API_StartQueryExecution_Errors"""

_MOST_ROWS: Final = 1000
"""Of one GetQueryResults: https://docs.aws.amazon.com/athena/latest/APIReference/API_GetQueryResults.html"""

_LONGEST_REASON: Final = 500

Row = tuple[str | None, ...]


class AthenaPlace(NamedTuple):
    """Where costs are kept, and the workgroup that says where results go and how much a query may read."""

    workgroup: str
    database: str
    table: str


class AthenaCosts:
    """Costs on Athena."""

    def __init__(
        self,
        client: AthenaClient,
        place: AthenaPlace,
        clock: Clock,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        self._client = client
        self._place = place
        self._table = table_name(place.database, place.table)
        self._clock = clock
        self._pause = pause

    def answer(self, question: Question, version: str, start: int, most: int) -> Answer:
        """At most `most` lines from the one numbered `start` on; raises RetryableError when that takes too long."""
        query = self._finished(question_sql(question, self._table), version, PATIENCE)
        if query is None:
            raise RetryableError("QueryRunning", "the answer is not there yet; the same question goes on with it")
        rows: list[Row] = []
        for number, row in enumerate(self._rows(query)):
            if number >= start + most:
                return Answer([_line(it) for it in rows], more=True)
            if number >= start:
                rows.append(row)
        return Answer([_line(it) for it in rows], more=False)

    def summary(self, since: str, scopes: Mapping[str, Scope], version: str) -> Summary | None:
        """What sagas and scopes cost; None while that is being found."""
        query = self._finished(summary_sql(since, scopes, self._table), version, 0)
        if query is None:
            return None
        rows = list(self._rows(query))
        return Summary(
            [_saga_line(row) for row in rows if row[0] == "saga"],
            [_spent_line(row) for row in rows if row[0] == "scope"],
        )

    def _finished(self, statement: str, version: str, patience: float) -> str | None:
        """The id of the query once it has succeeded; None when it has not after so many seconds."""
        begun = self._clock.now()
        for attempt in range(_ATTEMPTS):
            query = self._start(statement, f"{version}\n{attempt}")
            execution = self._ended(query, begun, patience)
            if execution is None:
                return None
            if execution["State"] == "SUCCEEDED":
                return query
            if attempt == _ATTEMPTS - 1 or not self._worth_another(execution):
                raise _failed(execution)
        raise AssertionError("the last attempt returns or raises")

    def _ended(self, query: str, begun: datetime, patience: float) -> Any:
        """How a query ended; None when it has not before patience runs out."""
        execution = self._state(query)
        while execution["State"] in ("QUEUED", "RUNNING"):
            waited = (self._clock.now() - begun).total_seconds()
            pause = min(_LONGEST_PAUSE, max(_FIRST_PAUSE, waited))
            if waited + pause >= patience:
                return None
            self._pause(pause)
            execution = self._state(query)
        return execution

    def _worth_another(self, execution: Mapping[str, Any]) -> bool:
        """Whether a query that failed may succeed now: its reason passes, or is so old that it may be mended."""
        ended = execution.get("CompletionDateTime")
        return _may_pass(execution) or (ended is not None and self._clock.now() - ended > _MENDED)

    def _start(self, statement: str, version: str) -> str:
        with _translated("start"):
            started = self._client.start_query_execution(
                QueryString=statement,
                ClientRequestToken=hashlib.sha256(f"{statement}\n{version}".encode()).hexdigest(),
                QueryExecutionContext={"Database": self._place.database},
                WorkGroup=self._place.workgroup,
            )
        return started["QueryExecutionId"]

    def _state(self, query: str) -> Any:
        with _translated("look after"):
            return self._client.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]

    def _rows(self, query: str) -> Iterator[Row]:
        """Every row, without the header that comes first."""
        request: dict[str, Any] = {"QueryExecutionId": query, "MaxResults": _MOST_ROWS}
        first = 1
        while True:
            with _translated("read"):
                page = self._client.get_query_results(**request)
            for row in page["ResultSet"]["Rows"][first:]:
                yield tuple(it.get("VarCharValue") for it in row["Data"])
            if not page.get("NextToken"):
                return
            request["NextToken"], first = page["NextToken"], 0


def _line(row: Row) -> CostLine:
    *keys, currency, billed, effective, listed, contracted = row
    amounts = Amounts(_amount(billed), _amount(effective), _amount(listed), _amount(contracted))
    return CostLine(tuple(keys), currency or "", amounts)


def _saga_line(row: Row) -> SagaLine:
    _, saga, month, currency, billed, effective, through = row
    amounts = _amount(billed) or Decimal(0), _amount(effective) or Decimal(0)
    return SagaLine(saga or "", month or "", currency or "", *amounts, _moment(through or ""))


def _spent_line(row: Row) -> SpentLine:
    _, name, _, currency, billed, effective, _ = row
    return SpentLine(name or "", currency or "", _amount(billed) or Decimal(0), _amount(effective) or Decimal(0))


def _amount(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _may_pass(execution: Mapping[str, Any]) -> bool:
    return execution["State"] == "CANCELLED" or bool(execution.get("AthenaError", {}).get("Retryable"))


def _failed(execution: Mapping[str, Any]) -> Exception:
    reason = execution.get("StateChangeReason", "it does not say why")[:_LONGEST_REASON]
    if _may_pass(execution):
        return RetryableError(f"Query{execution['State'].capitalize()}", f"Athena gave up a query: {reason}")
    return Misconfigured(f"Athena cannot answer from the table of costs: {reason}")


@contextmanager
def _translated(doing: str) -> Iterator[None]:
    """What passes by itself leaves as RetryableError, what does not as Misconfigured."""
    try:
        yield
    except ClientError as error:
        code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
        if code in (_THROTTLED, "ThrottlingException"):
            raise Throttled(code, "Athena is asked too much", _RETRY_AFTER) from error
        if passes(error, _PASSING):
            raise RetryableError(code, f"Athena would not {doing} a query for now") from error
        raise Misconfigured(f"Athena refuses to {doing} a query: {code}: {message[:_LONGEST_REASON]}") from error
    except BotoCoreError as error:
        raise RetryableError(type(error).__name__, "Athena did not answer") from error
