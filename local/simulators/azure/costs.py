"""The simulated Cost Management query: a bill, added up by day and by what a request groups it by.

Wire: https://learn.microsoft.com/rest/api/cost-management/query/usage; what is not documented there (`$top`,
`$skiptoken`, `include`, fifteen groupings, how a tag is written) is as lambdas/azure/costs/cost_query.py says. An
answer's pages are all as of the moment of its first one, for as long as a token is good for.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from werkzeug.wrappers import Request, Response

from local.clock import Clock
from local.simulators.azure.errors import ArmError
from local.simulators.azure.settings import AzureSimulatorSettings
from local.simulators.bill import Bill, Charge

OPERATION: Final = "Query_Usage"

_MOST_GROUPINGS: Final = 15
_LONGEST: Final = timedelta(days=366)
_CHARGE_TYPES: Final = {
    "usage": "Usage",
    "purchase": "Purchase",
    "tax": "Tax",
    "credit": "Credit",
    "adjustment": "RoundingAdjustment",
}
_FREQUENCIES: Final = {"usage": "UsageBased", "purchase": "OneTime"}

_DIMENSIONS: Final[Mapping[str, Callable[[Charge], str]]] = {
    "ResourceId": lambda it: it.resource,
    "ResourceLocation": lambda it: it.region,
    "SubscriptionName": lambda it: "Simulated",
    "SubscriptionId": lambda it: it.account,
    "ServiceName": lambda it: it.service,
    "MeterCategory": lambda it: it.service,
    "MeterSubcategory": lambda it: "",
    "Meter": lambda it: it.sku,
    "ResourceGuid": lambda it: str(uuid.uuid5(uuid.NAMESPACE_OID, it.sku)),
    "ChargeType": lambda it: _CHARGE_TYPES[it.kind],
    "Frequency": lambda it: _FREQUENCIES.get(it.kind, ""),
    "PricingModel": lambda it: "OnDemand",
    "PublisherType": lambda it: "Azure",
    "BillingMonth": lambda it: f"{it.billing_month}-01T00:00:00",
    "BenefitId": lambda it: "",
    "ReservationId": lambda it: "",
}
_AGGREGATES: Final[Mapping[str, Callable[[Charge], Decimal]]] = {
    "Cost": lambda it: it.amount,
    "UsageQuantity": lambda it: it.quantity,
}


class _Place(NamedTuple):
    """Where in an answer a page begins, and when its first page was asked for (Unix seconds)."""

    offset: int
    as_of: float

    @property
    def token(self) -> str:
        """It as a token that nobody should look into."""
        return base64.b64encode(json.dumps(self).encode()).decode()


class CostManagement:
    """Answers queries about every subscription on a bill."""

    def __init__(self, bill: Bill, clock: Clock, settings: AzureSimulatorSettings) -> None:
        self._bill = bill
        self._clock = clock
        self._settings = settings

    def answer(self, request: Request, subscription: str) -> Response:
        """One page of what a query asks for; raises ArmError for what cannot be asked."""
        definition = _definition(request)
        place = self._place(request.args.get("$skiptoken"))
        known = self._bill.known(subscription, datetime.fromtimestamp(place.as_of, UTC))
        rows = list(_rows(definition, [it for it in known if it.provider == "azure"]))
        most = min(self._settings.cost_rows, int(request.args.get("$top", self._settings.cost_rows)))
        end = place.offset + most
        token = quote(_Place(end, place.as_of).token, safe="")
        more = f"{request.base_url}?api-version={request.args['api-version']}&$skiptoken={token}"
        page = rows[place.offset : end]
        return _answered(_columns(definition), page, more if end < len(rows) else None)

    def throttled(self) -> Response:
        """Too much was asked; the headers say of what, and for how long to be patient."""
        headers = self._settings.cost_throttle
        return ArmError(429, "429", "Too many requests. Please retry.", headers=headers).response()

    def _place(self, token: str | None) -> _Place:
        now = self._clock.now()
        if token is None:
            return _Place(0, now)
        try:
            place = _Place(*json.loads(base64.b64decode(token)))
        except (ValueError, TypeError):
            raise _bad("The skiptoken is invalid.") from None
        if now - place.as_of > self._settings.skiptoken_seconds:
            raise _bad("The skiptoken has expired.")
        return place


def _definition(request: Request) -> dict[str, Any]:
    try:
        definition: dict[str, Any] = json.loads(request.get_data())
        dataset, period = definition["dataset"], definition["timePeriod"]
        first, last = datetime.fromisoformat(period["from"]), datetime.fromisoformat(period["to"])
    except (ValueError, KeyError, TypeError):
        raise _bad("Dataset is invalid or not supplied.") from None
    if last - first > _LONGEST:
        raise _bad("The time period for pulling the data cannot exceed 1 year(s)")
    groupings = [it["name"] for it in dataset.get("grouping", ())]
    if len(groupings) > _MOST_GROUPINGS:
        raise _bad(f"At most {_MOST_GROUPINGS} groupings.")
    for name in groupings:
        if name not in _DIMENSIONS:
            valid = ",".join(f"'{it}'" for it in _DIMENSIONS)
            raise _bad(f"Invalid dataset grouping: '{name}'; valid values: {valid}.")
    return definition


def _rows(definition: Mapping[str, Any], charges: Iterable[Charge]) -> Iterable[list[Any]]:
    """Charges added up by day, groupings, tags and currency, in the order of these."""
    dataset = definition["dataset"]
    groups: dict[tuple[Any, ...], list[Charge]] = defaultdict(list)
    for charge in charges:
        if _asked_for(definition, charge):
            names = [it["name"] for it in dataset.get("grouping", ())]
            tags = tuple(sorted(charge.tags.items())) if "Tags" in dataset.get("include", ()) else ()
            groups[(_day(charge), *(_DIMENSIONS[name](charge) for name in names), tags, charge.currency)].append(charge)
    for (day, *dimensions, tags, currency), together in sorted(groups.items()):
        sums = [_sum(map(_AGGREGATES[it["name"]], together)) for it in dataset["aggregation"].values()]
        written = [f"{json.dumps(name)}:{json.dumps(value)}" for name, value in tags]
        yield [*sums, int(day), *dimensions, *([written] if "Tags" in dataset.get("include", ()) else []), currency]


def _sum(of: Iterable[Decimal]) -> Decimal:
    """A sum to the last digit, however many there are."""
    with localcontext(prec=100):
        return sum(of, Decimal(0))


def _asked_for(definition: Mapping[str, Any], charge: Charge) -> bool:
    period = definition["timePeriod"]
    first, last = (period[it][:10].replace("-", "") for it in ("from", "to"))
    condition = definition["dataset"].get("filter")
    return first <= _day(charge) <= last and (condition is None or _holds(condition, charge))


def _holds(condition: Mapping[str, Any], charge: Charge) -> bool:
    if "and" in condition:
        return all(_holds(it, charge) for it in condition["and"])
    comparison = condition["dimensions"]
    return _DIMENSIONS[comparison["name"]](charge) in comparison["values"]


def _day(charge: Charge) -> str:
    return charge.start.astimezone(UTC).strftime("%Y%m%d")


def _columns(definition: Mapping[str, Any]) -> list[dict[str, str]]:
    dataset = definition["dataset"]
    tags = [{"name": "Tags", "type": "Array"}] if "Tags" in dataset.get("include", ()) else []
    return [
        *({"name": it["name"], "type": "Number"} for it in dataset["aggregation"].values()),
        {"name": "UsageDate", "type": "Number"},
        *({"name": it["name"], "type": "String"} for it in dataset.get("grouping", ())),
        *tags,
        {"name": "Currency", "type": "String"},
    ]


def _answered(columns: Sequence[Mapping[str, str]], rows: Iterable[Sequence[Any]], more: str | None) -> Response:
    """A page, its numbers as exact as the bill's: no JSON library here writes a decimal."""
    written = ",".join(f"[{','.join(_json(value) for value in row)}]" for row in rows)
    body = f'{{"properties":{{"nextLink":{json.dumps(more)},"columns":{json.dumps(columns)},"rows":[{written}]}}}}'
    return Response(body, content_type="application/json; charset=utf-8")


def _json(value: Any) -> str:
    return str(value) if isinstance(value, Decimal) else json.dumps(value)


def _bad(reason: str) -> ArmError:
    return ArmError(400, "BadRequest", f"Invalid query definition: {reason}")
