"""Azure Cost Management's query as a source: days of a subscription, whose groups become rows.

One query cannot tell everything, so that a span is asked for in parts, page by page, one after the other:

- `ActualCost`, what is billed: every charge of the span's days;
- `AmortizedCost` of what reservations and savings plans cover, whose effective cost is elsewhere in `ActualCost`;
- where a month begins in the span, both again for the days before it that are billed in it: its corrections.

The wire: https://learn.microsoft.com/rest/api/cost-management/query/usage. That it pages, by `$top` and a `$skiptoken`
with the same body, takes fifteen groupings rather than two, and adds tags by `include`, is not documented there; see
Azure/azure-rest-api-specs#23405 and #12276, Azure/azure-sdk-for-python#12973, and mivano/azure-cost-cli. Which
groupings there are depends on the agreement: ours are those of Azure/azure-rest-api-specs#32810 and of
mivano/azure-cost-cli#25 alike. Tags by several groupings come back empty (Azure/azure-sdk-for-java#24285).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple, cast

from lambdas.azure.costs.clients import CostClients
from lambdas.azure.costs.errors import answered
from lambdas.azure.costs.query_rows import COMMITMENTS, GROUPINGS, Dataset, QueryRows
from lambdas.core.billing.paging import Cursor
from lambdas.core.billing.sources import CostQuery
from lambdas.core.billing.spans import Span
from lambdas.core.errors import CursorExpired, RetryableError, TerminalError
from lambdas.core.ports.costs import Page, Rows, Unchanged

_ROWS: Final = 5000
"""The most that a page may hold."""

_CORRECTED_MONTHS: Final = 5
"""How far back a bill's corrections may reach.

A query costs a processing unit for each month that it covers, and twelve are to be had in ten seconds: these, twice,
and the month's own (https://learn.microsoft.com/azure/cost-management-billing/costs/manage-automation).
"""


_SKIPTOKEN: Final = re.compile(r"[?&](?:\$|%24)skiptoken=([^&#]+)", re.IGNORECASE)
"""As it is written in a link: the SDK writes it into the next one unchanged."""


class _Cursor(Cursor):
    """Which part of a span is under way, and where its next page begins."""

    part: int = 0
    token: str = ""


class _Part(NamedTuple):
    """What one query asks for: charges of `days`, of the bill of `billed` where that is another month's."""

    dataset: Dataset
    days: Span
    billed: datetime | None = None


class CostQueryCosts:
    """One subscription by Cost Management's query; it never says that nothing has changed."""

    def __init__(self, clients: CostClients, source: CostQuery) -> None:
        self._clients = clients
        self._source = source

    def page(self, span: Span, cursor: str | None, unless: datetime | None) -> Page | Unchanged:
        """One page of one of the queries, by one request; nothing says for how long its token is good."""
        at = _Cursor.read(cursor) if cursor else _Cursor()
        parts = list(self._parts(span))
        if at.part >= len(parts):
            raise CursorExpired("the cursor is of another span")
        part = parts[at.part]
        answer = self._ask(part, at.token)
        token = _token(answer.get("nextLink"))
        following = _Cursor(part=at.part, token=token) if token else _Cursor(part=at.part + 1)
        last = following.part == len(parts)
        rows = QueryRows(self._source, part.dataset).of(answer)
        kept = [row for row in rows if span.start <= _window(row) < span.end and _of_bill(row, part)]
        return Page(Rows(kept), None if last else following.model_dump_json())

    def _parts(self, span: Span) -> Iterator[_Part]:
        yield _Part("ActualCost", span)
        yield _Part("AmortizedCost", span)
        for month in self._months_begun(span):
            before = Span(self._months_before(month), month)
            yield _Part("ActualCost", before, month)
            yield _Part("AmortizedCost", before, month)

    def _months_begun(self, span: Span) -> Iterator[datetime]:
        at = self._source.calendar.period_of(span.start).start
        while at < span.end:
            if at >= span.start:
                yield at
            at = self._source.calendar.period_of(at).end

    def _months_before(self, month: datetime) -> datetime:
        for _ in range(_CORRECTED_MONTHS):
            month = self._source.calendar.period_of(month - timedelta(days=1)).start
        return month

    def _ask(self, part: _Part, token: str) -> Mapping[str, Any]:
        """The answer's `properties`; an empty one where there is nothing."""
        parameters = {"$top": str(_ROWS)} | ({"$skiptoken": token} if token else {})
        with answered(continued=bool(token)):
            chunks = self._clients.cost_management.query.usage(
                f"subscriptions/{self._source.subscription}",
                cast("Any", _definition(part)),
                params=parameters,
                stream=True,  # or else the SDK makes floats of amounts
            )
            body = b"".join(cast("Iterator[bytes]", chunks)) if chunks else b"{}"
        return _properties(body)


def _properties(body: bytes) -> Mapping[str, Any]:
    """What an answer says, its numbers to the last digit; raises RetryableError for half an answer."""
    try:
        document = json.loads(body, parse_float=Decimal, parse_int=Decimal)
    except ValueError as error:
        raise RetryableError("DecodeError", "Cost Management's answer is not whole") from error
    properties = document.get("properties") if isinstance(document, dict) else None
    if document and not isinstance(properties, dict):
        raise TerminalError("UnknownAnswer", "Cost Management's answer has no properties")
    return properties or {}


def _definition(part: _Part) -> dict[str, Any]:
    conditions = [*_committed(part), *_billed(part)]
    condition = {"and": conditions} if len(conditions) > 1 else next(iter(conditions), None)
    return {
        "type": part.dataset,
        "timeframe": "Custom",
        "timePeriod": {
            "from": part.days.start.isoformat(),
            "to": _last_second(part.days.end).isoformat(),
        },
        "dataset": {
            "granularity": "Daily",
            "aggregation": {name: {"name": name, "function": "Sum"} for name in ("Cost", "UsageQuantity")},
            "grouping": [{"type": "Dimension", "name": name} for name in GROUPINGS],
            "include": ["Tags"],
            **({"filter": condition} if condition else {}),
        },
    }


def _committed(part: _Part) -> list[dict[str, Any]]:
    return [_is("PricingModel", *COMMITMENTS)] if part.dataset == "AmortizedCost" else []


def _billed(part: _Part) -> list[dict[str, Any]]:
    """The month of a bill, in each of the ways in which answers were seen to write one: it is not documented."""
    if part.billed is None:
        return []
    written = ("%Y-%m-%dT00:00:00", "%Y-%m-%d", "%Y%m%d", "%Y%m")
    return [_is("BillingMonth", *(part.billed.strftime(it) for it in written))]


def _is(dimension: str, *values: str) -> dict[str, Any]:
    return {"dimensions": {"name": dimension, "operator": "In", "values": list(values)}}


def _last_second(end: datetime) -> datetime:
    """The end of a span's last day, as Cost Management counts days: inclusively."""
    last = (end - timedelta(microseconds=1)).astimezone(UTC)
    return last.replace(hour=23, minute=59, second=59, microsecond=0)


def _token(next_link: str | None) -> str:
    """Where the next page begins; who else the link may name is never asked."""
    found = _SKIPTOKEN.search(next_link or "")
    return found[1] if found else ""


def _window(row: Mapping[str, Any]) -> datetime:
    return max(cast("datetime", row["ChargePeriodStart"]), cast("datetime", row["BillingPeriodStart"]))


def _of_bill(row: Mapping[str, Any], part: _Part) -> bool:
    """Whether a row belongs to its part: charges of a day and of that day's bill, or the corrections of one bill."""
    charged, billed = row["ChargePeriodStart"], row["BillingPeriodStart"]
    return billed == part.billed if part.billed else bool(billed <= charged)
