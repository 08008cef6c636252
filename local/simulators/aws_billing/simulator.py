"""The simulated Cost Explorer as a web application: GetCostAndUsage over a bill, in pages, with faults."""

from __future__ import annotations

import base64
import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

from werkzeug.wrappers import Request, Response

from local.clock import Clock
from local.simulators.aws_billing.errors import CostExplorerError, invalid
from local.simulators.aws_billing.lines import Line, shown_at
from local.simulators.bill import Bill
from local.simulators.faults import Fault
from local.simulators.simulator import Simulator

TARGET: Final = "AWSInsightsIndexService."

_STEPS: Final = {"DAILY": timedelta(days=1), "HOURLY": timedelta(hours=1)}
_HOURLY_REACH: Final = timedelta(days=14)
_FINAL: Final = timedelta(days=5)
"""After a month: until then what is shown of it is an estimate."""

_METRICS: Final = frozenset({"AmortizedCost", "NetAmortizedCost", "NetUnblendedCost", "UnblendedCost", "UsageQuantity"})
_MOST_GROUPS: Final = 2


@dataclass(frozen=True)
class CostExplorerSettings:
    """Groups on a page, how long a page's token is good for, and the seconds of a Retry-After; none when it is None."""

    page_size: int = 100
    token_seconds: float = 3600.0
    retry_after: int | None = 1


class _Token(NamedTuple):
    offset: int
    asked: str
    as_of: float
    until: float

    def text(self) -> str:
        return base64.urlsafe_b64encode(json.dumps(self).encode()).decode()


class _Bucket(NamedTuple):
    start: datetime
    groups: Sequence[tuple[tuple[str, ...], Sequence[Line]]]


class CostExplorerSimulator(Simulator):
    """Cost Explorer of some accounts. All pages of a query show the bill as it was known at the first one."""

    def __init__(
        self,
        clock: Clock,
        sleep: Callable[[float], None],
        bill: Bill,
        accounts: Sequence[str],
        settings: CostExplorerSettings | None = None,
    ) -> None:
        super().__init__(clock, sleep)
        self.settings = settings or CostExplorerSettings()
        self._bill = bill
        self._accounts = accounts
        self._answered: tuple[tuple[str, datetime], list[_Bucket]] | None = None

    def operation(self, request: Request) -> str:
        """The action: `GetCostAndUsage`."""
        return request.headers.get("X-Amz-Target", "").removeprefix(TARGET)

    def handle(self, request: Request, fault: Fault | None) -> Response:
        """Answer a request as Cost Explorer would."""
        try:
            if self.operation(request) != "GetCostAndUsage":
                raise CostExplorerError("UnknownOperationException", "only GetCostAndUsage is simulated")
            body = json.dumps(self._answer_query(json.loads(request.get_data())))
            return Response(body, content_type="application/x-amz-json-1.1")
        except CostExplorerError as error:
            return error.response()

    def throttled(self, request: Request) -> Response:
        """400 LimitExceededException, with Retry-After where the settings have one."""
        after = self.settings.retry_after
        refusal = CostExplorerError("LimitExceededException", "Rate exceeded")
        return refusal.response({} if after is None else {"Retry-After": str(after)})

    def unavailable(self, request: Request) -> Response:
        """503 ServiceUnavailable."""
        return CostExplorerError("ServiceUnavailable", "Try again later.", 503).response()

    def quoting(self, body: str) -> Response:
        """400 ValidationException."""
        return invalid(f"Invalid request: {body}").response()

    def resources(self) -> list[dict[str, Any]]:
        """None: a bill is no resource."""
        return []

    def _answer_query(self, query: Mapping[str, Any]) -> dict[str, Any]:
        now = self.clock.now()
        token = _token(query, now)
        as_of = datetime.fromtimestamp(token.as_of if token else now, UTC)
        start, end = _period(query, as_of)
        _check(query)
        buckets = self._pinned(query, start, end, as_of)
        offset = token.offset if token else 0
        results, following = _cut(buckets, offset, self.settings.page_size)
        answer = {
            "GroupDefinitions": query.get("GroupBy", []),
            "ResultsByTime": [_result(bucket, query, as_of) for bucket in results],
            "DimensionValueAttributes": [],
        }
        if following is not None:
            until = now + self.settings.token_seconds
            answer["NextPageToken"] = _Token(following, _digest(query), as_of.timestamp(), until).text()
        return answer

    def _pinned(self, query: Mapping[str, Any], start: datetime, end: datetime, as_of: datetime) -> list[_Bucket]:
        """What a query found at a moment, kept while its pages are read."""
        key = (_digest(query), as_of)
        if self._answered is None or self._answered[0] != key or "NextPageToken" not in query:
            self._answered = key, list(self._buckets(query, start, end, as_of))
        return self._answered[1]

    def _buckets(self, query: Mapping[str, Any], start: datetime, end: datetime, as_of: datetime) -> Iterator[_Bucket]:
        step = _STEPS[query["Granularity"]]
        found: dict[datetime, dict[tuple[str, ...], list[Line]]] = defaultdict(lambda: defaultdict(list))
        for line in self._lines(query, start, end, as_of):
            at = start + (line.at - start) // step * step
            found[at][tuple(line.key(group) for group in query.get("GroupBy", []))].append(line)
        while start < end:
            yield _Bucket(start, sorted(found[start].items()))
            start += step

    def _lines(self, query: Mapping[str, Any], start: datetime, end: datetime, as_of: datetime) -> Iterator[Line]:
        for account in self._accounts:
            for charge in self._bill.known(account, as_of):
                if start <= shown_at(charge) < end:
                    line = Line.of(charge)
                    if "Filter" not in query or line.matches(query["Filter"]):
                        yield line


def _token(query: Mapping[str, Any], now: float) -> _Token | None:
    text = query.get("NextPageToken")
    if text is None:
        return None
    try:
        token = _Token(*json.loads(base64.urlsafe_b64decode(text)))
    except (TypeError, ValueError):
        raise CostExplorerError("InvalidNextTokenException", "Invalid pagination token") from None
    if token.asked != _digest(query):
        raise CostExplorerError("RequestChangedException", "Request parameters changed between pages")
    if token.until <= now:
        raise CostExplorerError("InvalidNextTokenException", "The pagination token has expired")
    return token


def _digest(query: Mapping[str, Any]) -> str:
    asked = {key: value for key, value in query.items() if key != "NextPageToken"}
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def _period(query: Mapping[str, Any], now: datetime) -> tuple[datetime, datetime]:
    hourly = query.get("Granularity") == "HOURLY"
    try:
        form = "%Y-%m-%dT%H:%M:%SZ" if hourly else "%Y-%m-%d"
        start, end = (datetime.strptime(query["TimePeriod"][it], form).replace(tzinfo=UTC) for it in ("Start", "End"))
    except (KeyError, ValueError):
        raise invalid(f"time period format for {query.get('Granularity')} granularity is not as it should be") from None
    if start >= end:
        raise invalid("Start date (and hour) should be before end date (and hour)")
    if hourly and start < now - _HOURLY_REACH:
        raise invalid(
            "Start date is more than 14 days ago for hourly granularity. Please adjust start date as we support only "
            "14 days of data at hourly granularity."
        )
    return start, end


def _check(query: Mapping[str, Any]) -> None:
    if query.get("Granularity") not in _STEPS:
        raise invalid("Granularity is not supported here")
    if len(query.get("GroupBy", [])) > _MOST_GROUPS:
        raise invalid("Only two group by values are supported")
    if not query.get("Metrics") or not set(query["Metrics"]) <= _METRICS:
        raise invalid("Metrics are not supported here")


def _cut(buckets: Sequence[_Bucket], offset: int, size: int) -> tuple[list[_Bucket], int | None]:
    """So many groups, in the time they belong to, and where the next ones begin; times without any come first."""
    results = []
    passed = 0
    for bucket in buckets:
        mine = bucket.groups[max(offset - passed, 0) : max(offset + size - passed, 0)]
        if mine or (not bucket.groups and offset == 0):
            results.append(bucket._replace(groups=mine))
        passed += len(bucket.groups)
    return results, offset + size if offset + size < passed else None


def _result(bucket: _Bucket, query: Mapping[str, Any], as_of: datetime) -> dict[str, Any]:
    hourly = query["Granularity"] == "HOURLY"
    form = "%Y-%m-%dT%H:%M:%SZ" if hourly else "%Y-%m-%d"
    following = (bucket.start.replace(day=1) + timedelta(days=31)).replace(day=1, hour=0)
    return {
        "TimePeriod": {
            "Start": bucket.start.strftime(form),
            "End": (bucket.start + _STEPS[query["Granularity"]]).strftime(form),
        },
        "Total": {},
        "Groups": [
            {"Keys": list(keys), "Metrics": {metric: _metric(metric, lines) for metric in query["Metrics"]}}
            for keys, lines in bucket.groups
        ],
        "Estimated": as_of < following + _FINAL,
    }


def _metric(metric: str, lines: Sequence[Line]) -> dict[str, str]:
    if metric == "UsageQuantity":
        return {"Amount": _text(sum((it.quantity for it in lines), Decimal())), "Unit": "N/A"}
    return {"Amount": _text(sum((it.amount for it in lines), Decimal())), "Unit": lines[0].currency}


def _text(amount: Decimal) -> str:
    return f"{amount:f}"
