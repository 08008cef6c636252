"""AWS Cost Explorer as a source: GetCostAndUsage, whose groups become rows.

GetCostAndUsage groups by two things. What resources used is grouped by service and by the tag that names a saga, since
only such charges bear tags; all other charges (fees, taxes, credits, refunds) by record type and service. The two
queries divide all record types between them, so that together they are the whole bill, at two requests a read or more.

What Cost Explorer cannot tell, so that rows lack it or break a rule of FOCUS by lacking it:

- the resource, its region, SKU, quantity and unit: `UsageQuantity` adds up hours and gigabytes, and resource ids reach
  back 14 days, for EC2 only, with GetCostAndUsageWithResources. Data Exports have them;
- list and contracted prices: ListCost and ContractedCost are what was billed;
- who pays for the account, and who issued the invoice: BillingAccountId is the account's own;
- which period a refund corrects: every refund is a correction, and nothing else is;
- hours, unless the account has them switched on, at extra cost, and then for the last 14 days: the source declares so.
  Days further back are read as days. A window must therefore be closed before it is 14 days old (`Rhythm.reach`): read
  as part of a day it would lose to that day's first hour what it held. AWS corrects later still; that is then missed.

A saga's tag must be activated as a cost allocation tag, by the payer, before Cost Explorer knows it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from lambdas.aws.clients import AwsClients
from lambdas.aws.costs.errors import answered
from lambdas.aws.costs.record_types import USAGE_TYPES, charge_kind
from lambdas.aws.costs.services import service_category
from lambdas.core.billing.paging import Cursor
from lambdas.core.billing.sources import CostExplorer
from lambdas.core.billing.spans import HOUR, Span
from lambdas.core.errors import CursorExpired
from lambdas.core.ports.clock import Clock
from lambdas.core.ports.costs import Page, Row, Rows, Unchanged

if TYPE_CHECKING:
    from mypy_boto3_ce.literals import DimensionType
    from mypy_boto3_ce.type_defs import (
        ExpressionTypeDef,
        GetCostAndUsageRequestTypeDef,
        GetCostAndUsageResponseTypeDef,
        GroupDefinitionTypeDef,
        MetricValueTypeDef,
    )

_DAY: Final = timedelta(days=1)

_HOURLY_REACH: Final = 13 * _DAY
"""A day short of what Cost Explorer allows, so that a read may take its time."""

_COSTS: Final = ("UnblendedCost", "AmortizedCost", "NetAmortizedCost")

_PROVIDER: Final = "AWS"
_PUBLISHER: Final = "Amazon Web Services, Inc."
"""As in the FOCUS table of Data Exports."""


class _Cursor(Cursor):
    """Which query is under way, when the first one was made, and where the query's next page begins."""

    query: int
    begun: datetime
    token: str = ""


class _Query(NamedTuple):
    """What is asked: of what resources used, or of everything else."""

    granularity: Literal["DAILY", "HOURLY"]
    span: Span
    usage: bool


class CostExplorerCosts:
    """One account by Cost Explorer; it never says that nothing has changed."""

    def __init__(self, clients: AwsClients, source: CostExplorer, clock: Clock) -> None:
        self._clients = clients
        self._source = source
        self._clock = clock

    def page(self, span: Span, cursor: str | None, unless: datetime | None) -> Page | Unchanged:
        """One page of one of the queries; an answer's token is good for as long as AWS says."""
        at = _Cursor.read(cursor) if cursor else _Cursor(query=0, begun=self._clock.now())
        queries = list(self._queries(span, at.begun))
        if at.query >= len(queries):
            raise CursorExpired("the cursor is of another span")
        query = queries[at.query]
        answer = self._ask(query, at.token)
        following = at.model_copy(update={"token": answer.get("NextPageToken", "")})
        if not following.token:
            following = following.model_copy(update={"query": at.query + 1})
        last = following.query == len(queries)
        return Page(Rows(list(self._rows(query, answer))), None if last else following.model_dump_json())

    def _queries(self, span: Span, begun: datetime) -> Iterator[_Query]:
        for granularity, part in self._parts(span, begun):
            yield _Query(granularity, part, usage=True)
            yield _Query(granularity, part, usage=False)

    def _parts(self, span: Span, begun: datetime) -> Iterator[tuple[Literal["DAILY", "HOURLY"], Span]]:
        """The span by granularity: days, whole ones, and hours as far back as there are any."""
        hours_from = _next_midnight(begun - _HOURLY_REACH) if self._source.hourly else span.end
        if span.start < hours_from:
            yield "DAILY", Span(span.start, _next_midnight(min(span.end, hours_from)))
        if span.end > hours_from:
            yield "HOURLY", Span(max(span.start, hours_from), span.end)

    def _ask(self, query: _Query, token: str) -> GetCostAndUsageResponseTypeDef:
        request: GetCostAndUsageRequestTypeDef = {
            "TimePeriod": {"Start": _moment(query, query.span.start), "End": _moment(query, query.span.end)},
            "Granularity": query.granularity,
            "Filter": {"And": [_is("LINKED_ACCOUNT", self._source.account), _charged_for(usage=query.usage)]},
            "Metrics": _COSTS,
            "GroupBy": self._groups(query),
        }
        if token:
            request["NextPageToken"] = token
        with self._clients.asked(answered):
            return self._clients.cost_explorer().get_cost_and_usage(**request)

    def _groups(self, query: _Query) -> list[GroupDefinitionTypeDef]:
        service: GroupDefinitionTypeDef = {"Type": "DIMENSION", "Key": "SERVICE"}
        if query.usage:
            return [service, {"Type": "TAG", "Key": self._tag_key}]
        return [service, {"Type": "DIMENSION", "Key": "RECORD_TYPE"}]

    @property
    def _tag_key(self) -> str:
        (key,) = self._source.tag_keys
        return key

    def _rows(self, query: _Query, answer: GetCostAndUsageResponseTypeDef) -> Iterator[Row]:
        for result in answer["ResultsByTime"]:
            start = _parsed(result["TimePeriod"]["Start"])
            for group in result.get("Groups", ()):
                service, other = group["Keys"]
                record_type = "Usage" if query.usage else other
                value = other.removeprefix(f"{self._tag_key}$") if query.usage else ""
                yield {
                    **self._circumstances(Span(start, start + (HOUR if query.granularity == "HOURLY" else _DAY))),
                    **_kind(service, record_type),
                    **_costs(group["Metrics"]),
                    **({"Tags": {self._tag_key: value}} if value else {}),
                    "x_Estimated": "true" if result.get("Estimated") else "false",
                }

    def _circumstances(self, charged: Span) -> Row:
        billed = self._source.calendar.period_of(charged.start)
        return {
            "BillingAccountId": self._source.account,
            "BillingPeriodStart": billed.start,
            "BillingPeriodEnd": billed.end,
            "ChargePeriodStart": charged.start,
            "ChargePeriodEnd": charged.end,
            "InvoiceIssuerName": _PUBLISHER,
            "ProviderName": _PROVIDER,
            "PublisherName": _PUBLISHER,
            "SubAccountId": self._source.account,
        }


def _kind(service: str, record_type: str) -> Row:
    kind = charge_kind(record_type)
    return {
        "ChargeCategory": kind.category,
        **({"ChargeClass": kind.charge_class} if kind.charge_class else {}),
        "ChargeDescription": f"{record_type}: {service}",
        "ServiceCategory": service_category(service),
        "ServiceName": service,
        "x_RecordType": record_type,
    }


def _costs(metrics: Mapping[str, MetricValueTypeDef]) -> Row:
    """Amounts as they are written; net of discounts where the account has any that are private."""
    billed = Decimal(metrics["UnblendedCost"]["Amount"])
    effective = metrics.get("NetAmortizedCost") or metrics["AmortizedCost"]
    return {
        "BilledCost": billed,
        "BillingCurrency": metrics["UnblendedCost"]["Unit"],
        "ContractedCost": billed,
        "EffectiveCost": Decimal(effective["Amount"]),
        "ListCost": billed,
    }


def _is(dimension: DimensionType, *values: str) -> ExpressionTypeDef:
    return {"Dimensions": {"Key": dimension, "Values": list(values)}}


def _charged_for(*, usage: bool) -> ExpressionTypeDef:
    """Select what resources used, or everything else: each charge is in exactly one of them."""
    used = _is("RECORD_TYPE", *USAGE_TYPES)
    return used if usage else {"Not": used}


def _midnight(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _next_midnight(moment: datetime) -> datetime:
    """The midnight at or after a moment."""
    return _midnight(moment + _DAY - timedelta(microseconds=1))


def _moment(query: _Query, moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d" if query.granularity == "DAILY" else "%Y-%m-%dT%H:00:00Z")


def _parsed(text: str) -> datetime:
    """The beginning of a day or an hour, as Cost Explorer writes it."""
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
