"""Summaries in the windows table: what each saga costs, and which thresholds of budgets were passed.

| pk            | sk                | what                                                                     |
|---------------|-------------------|--------------------------------------------------------------------------|
| `SAGA#id`     | `COST`            | what a saga costs: an attribute `month#2026-11` for each month            |
| `SUMMARY`     | `LATEST`          | the window of the last summary, the sources that were late, what was closed |
| `SUMMARY`     | `MONTH#2026-11`   | a digest of what each saga costs of that month, so that only changes are written |
| `BUDGET#name` | `2026-11#080`     | a threshold that was passed in a period, and whether that was announced   |
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from decimal import Context, Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from botocore.exceptions import ClientError

from lambdas.adapters.dynamodb import asked
from lambdas.core.billing.budgets import Passed
from lambdas.core.billing.spans import Span
from lambdas.core.errors import RetryableError
from lambdas.core.ports.cost_query import SagaLine
from lambdas.core.ports.summaries import CurrencyCost, SagaCost

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_MONTH: Final = "month#"
_WRITERS: Final = 8

MOST_DIGESTS: Final = 15_000
"""Of one month, in an item of at most 400 KB; of more, all are written every time."""

_EXACT: Final = Context(prec=60)
"""Wide enough for sums of DECIMAL(38, 20), which the usual 28 digits would round."""

Costs = Mapping[str, Sequence[str]]
"""Of a saga in a month, by currency: billed, effective, and the end of the newest charge."""


class _Change(NamedTuple):
    saga: str
    months: Mapping[str, Costs]


class DynamoSummaries:
    """Summaries on DynamoDB; the table is the windows'."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def of(self, saga_id: str) -> SagaCost | None:
        """What a saga costs; None when nothing is known of it. One request reads it and how fresh it is."""
        keys = [_key(f"SAGA#{saga_id}", "COST"), _key("SUMMARY", "LATEST")]
        answer = asked(partial(self._client.batch_get_item, RequestItems={self._table: {"Keys": keys}}))
        if answer.get("UnprocessedKeys"):
            raise RetryableError("UnprocessedKeys", "the windows table did not answer for all of a saga's cost")
        found = {it["pk"]["S"]: it for it in answer["Responses"][self._table]}
        item, latest = found.get(f"SAGA#{saga_id}"), found.get("SUMMARY")
        if item is None or latest is None:
            return None
        costs = _totals(item)
        return SagaCost(costs, latest["window"]["S"], json.loads(latest["late"]["S"])) if costs else None

    def keep(
        self,
        window: str,
        months: Sequence[str],
        lines: Sequence[SagaLine],
        late: Sequence[str],
        closed: Mapping[str, Span],
    ) -> None:
        """Write what changed since the last summary, and remember it only then: what dies in between is repeated."""
        found = _by_month(months, lines)
        known = {month: self._digests(month) for month in found}
        with ThreadPoolExecutor(_WRITERS) as writers:
            list(writers.map(partial(self._write, window), _changes(found, known)))
        for month, sagas in found.items():
            self._remember(window, month, sagas)
        spans = {name: [moment.isoformat() for moment in span] for name, span in closed.items()}
        latest = {"late": {"S": json.dumps(list(late))}, "closed": {"S": json.dumps(spans)}}
        self._replace(_key("SUMMARY", "LATEST"), window, latest)

    def closed(self) -> dict[str, Span]:
        """What of each source was closed as of the last summary; nothing before the first one."""
        key = _key("SUMMARY", "LATEST")
        answer = asked(partial(self._client.get_item, TableName=self._table, Key=key, ConsistentRead=True))
        spans = json.loads(answer.get("Item", {}).get("closed", {}).get("S", "{}"))
        return {name: Span(*map(datetime.fromisoformat, moments)) for name, moments in spans.items()}

    def note_passed(self, passed: Passed) -> bool:
        """Note that a threshold was passed, once; returns whether that has still to be announced."""
        item = {
            **_budget_key(passed),
            "window": {"S": passed.window},
            "spent": {"S": str(passed.spent)},
            "announced": {"BOOL": False},
        }
        request: Any = {
            "TableName": self._table,
            "Item": item,
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        if self._written(partial(self._client.put_item, **request)):
            return True
        key = _budget_key(passed)
        answer = asked(partial(self._client.get_item, TableName=self._table, Key=key, ConsistentRead=True))
        return not answer.get("Item", {}).get("announced", {}).get("BOOL", False)

    def note_announced(self, passed: Passed) -> None:
        """Note that it was."""
        request: Any = {
            "TableName": self._table,
            "Key": _budget_key(passed),
            "UpdateExpression": "SET announced = :yes",
            "ExpressionAttributeValues": {":yes": {"BOOL": True}},
        }
        asked(partial(self._client.update_item, **request))

    def _write(self, window: str, change: _Change) -> None:
        values = {f"{_MONTH}{month}": {"S": json.dumps(costs)} for month, costs in change.months.items()}
        self._replace(_key(f"SAGA#{change.saga}", "COST"), window, values)

    def _remember(self, window: str, month: str, sagas: Mapping[str, Costs]) -> None:
        digests = {saga: _digest(costs) for saga, costs in sagas.items()} if len(sagas) <= MOST_DIGESTS else {}
        packed = zlib.compress(json.dumps(digests).encode())
        self._replace(_key("SUMMARY", f"MONTH#{month}"), window, {"sagas": {"B": packed}})

    def _digests(self, month: str) -> dict[str, str]:
        key = _key("SUMMARY", f"MONTH#{month}")
        answer = asked(partial(self._client.get_item, TableName=self._table, Key=key, ConsistentRead=True))
        item: Any = answer.get("Item")
        return dict(json.loads(zlib.decompress(item["sagas"]["B"]))) if item else {}

    def _replace(self, key: Mapping[str, Any], window: str, values: Mapping[str, Any]) -> None:
        """Set attributes of an item, unless the summary of a later window has been there."""
        names = {f"#a{number}": name for number, name in enumerate(values)}
        settings = ", ".join(f"{short} = :{short[1:]}" for short in names)
        request: Any = {
            "TableName": self._table,
            "Key": key,
            "UpdateExpression": f"SET #window = :window, {settings}",
            "ConditionExpression": "attribute_not_exists(#window) OR #window <= :window",
            "ExpressionAttributeNames": {"#window": "window", **names},
            "ExpressionAttributeValues": {
                ":window": {"S": window},
                **{f":{short[1:]}": values[name] for short, name in names.items()},
            },
        }
        self._written(partial(self._client.update_item, **request))

    def _written(self, write: Any) -> bool:
        try:
            asked(write)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True


def _by_month(months: Sequence[str], lines: Iterable[SagaLine]) -> dict[str, dict[str, dict[str, list[str]]]]:
    found: dict[str, dict[str, dict[str, list[str]]]] = {month: {} for month in months}
    for line in sorted(lines):
        costs = [str(line.billed), str(line.effective), line.through.isoformat()]
        found.setdefault(line.month, {}).setdefault(line.saga, {})[line.currency] = costs
    return found


def _changes(found: Mapping[str, Mapping[str, Costs]], known: Mapping[str, Mapping[str, str]]) -> Iterable[_Change]:
    """What each saga costs now in the months in which that is something else than before; {} is nothing any more."""
    changed: dict[str, dict[str, Costs]] = {}
    for month, sagas in found.items():
        for saga in {*sagas, *known[month]}:
            costs = sagas.get(saga, {})
            if known[month].get(saga) != (_digest(costs) if costs else None):
                changed.setdefault(saga, {})[month] = costs
    return [_Change(saga, months) for saga, months in sorted(changed.items())]


def _totals(item: Mapping[str, Any]) -> list[CurrencyCost]:
    totals: dict[str, CurrencyCost] = {}
    for name, value in item.items():
        if not name.startswith(_MONTH):
            continue
        for currency, (billed, effective, through) in json.loads(value["S"]).items():
            end = datetime.fromisoformat(through)
            before = totals.get(currency, CurrencyCost(currency, Decimal(0), Decimal(0), end))
            totals[currency] = CurrencyCost(
                currency,
                _EXACT.add(before.billed, Decimal(billed)),
                _EXACT.add(before.effective, Decimal(effective)),
                max(before.through, end),
            )
    return sorted(totals.values())


def _digest(costs: Costs) -> str:
    return hashlib.sha256(json.dumps(costs, sort_keys=True).encode()).hexdigest()[:16]


def _budget_key(passed: Passed) -> dict[str, Any]:
    return _key(f"BUDGET#{passed.name}", f"{passed.period}#{passed.threshold:03}")


def _key(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}
