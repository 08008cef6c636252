"""The windows table, in DynamoDB.

| pk            | sk                     | what                                                   |
|---------------|------------------------|--------------------------------------------------------|
| `SOURCES`     | name                   | what is known of a source                               |
| `SOURCE#name` | `WINDOW#2026-11-26T09` | one of its windows, if it was ever read                 |

Each record is one JSON document in `document`, and its `version` is what a write demands to be still there. A write is
a transaction, though of one item: the SDK's own retries carry one token, so that a write whose reply was lost is not
taken for somebody else's.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from lambdas.adapters.dynamodb import Cancelled, asked, queried, transacted
from lambdas.core.billing.spans import Span, window_name
from lambdas.core.billing.windows import SourceState, Window
from lambdas.core.errors import Overtaken, RetryableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SOURCES: Final = "SOURCES"

_ATTEMPTS: Final = 8
_FIRST_PAUSE: Final = 0.02

StateChange = Callable[[SourceState | None], SourceState]


class DynamoWindows:
    """The windows on DynamoDB; reads are strongly consistent."""

    def __init__(self, client: DynamoDBClient, table: str, pause: Callable[[float], object] = time.sleep) -> None:
        self._client = client
        self._table = table
        self._pause = pause

    def state(self, source: str) -> SourceState | None:
        """What is known of a source; None for one that was never read."""
        key = {"pk": {"S": SOURCES}, "sk": {"S": source}}
        answer = asked(partial(self._client.get_item, TableName=self._table, Key=key, ConsistentRead=True))
        item = answer.get("Item")
        return SourceState.model_validate_json(item["document"]["S"]) if item else None

    def states(self) -> list[SourceState]:
        """What is known of every source that was ever read."""
        items = queried(self._client, self._all_of(SOURCES))
        return [SourceState.model_validate_json(it["document"]["S"]) for it in items]

    def change_state(self, source: str, change: StateChange) -> SourceState:
        """Replace the state by what `change` makes of it; raises RetryableError, and whatever `change` raises."""
        for attempt in range(_ATTEMPTS):
            before = self.state(source)
            after = change(before)
            if after == before:
                return after
            version = before.version if before else 0
            after = after.model_copy(update={"version": version + 1})
            if self._put(SOURCES, source, after.model_dump_json(), version):
                return after
            self._pause(random.uniform(0, _FIRST_PAUSE * 2**attempt))  # noqa: S311 -- spreads retries, nothing secret
        raise RetryableError("Contention", f"what is known of the source {source} is being changed by others")

    def windows(self, source: str, span: Span) -> list[Window]:
        """The windows of a span that have ever been read, in order."""
        if span.end <= span.start:
            return []
        request = self._all_of(_pk(source))
        request["KeyConditionExpression"] += " AND sk BETWEEN :first AND :end"
        request["ExpressionAttributeValues"] |= {":first": {"S": _sk(span.start)}, ":end": {"S": _sk(span.end)}}
        found = [Window.model_validate_json(it["document"]["S"]) for it in queried(self._client, request)]
        return [it for it in found if it.start < span.end]

    def put(self, window: Window) -> Window:
        """Keep a window in place of the version it was made from; raises Overtaken when there is another by now."""
        after = window.model_copy(update={"version": window.version + 1})
        if not self._put(_pk(window.source), _sk(window.start), after.model_dump_json(), window.version):
            raise Overtaken(f"the window {window_name(window.start)} of {window.source} was changed by somebody else")
        return after

    def _all_of(self, pk: str) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": pk}},
            "ConsistentRead": True,
        }

    def _put(self, pk: str, sk: str, document: str, version: int) -> bool:
        condition = (
            {
                "ConditionExpression": "version = :read",
                "ExpressionAttributeValues": {":read": {"N": str(version)}},
            }
            if version
            else {"ConditionExpression": "attribute_not_exists(pk)"}
        )
        item = {"pk": {"S": pk}, "sk": {"S": sk}, "document": {"S": document}, "version": {"N": str(version + 1)}}
        put: Any = {"Put": {"TableName": self._table, "Item": item, **condition}}
        try:
            transacted(partial(self._client.transact_write_items, TransactItems=[put]))
        except Cancelled:
            return False
        return True


def _pk(source: str) -> str:
    return f"SOURCE#{source}"


def _sk(start: datetime) -> str:
    return f"WINDOW#{window_name(start)}"
