"""The ledger's table: what is asked of it, and what is written to it, item by item or all at once."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from lambdas.adapters.dynamodb import Cancelled, asked, queried, transacted
from lambdas.adapters.ledger_items import (
    RESOURCE,
    Item,
    can_exist,
    header_item,
    home,
    key_of,
    known_saga,
    shard_attributes,
    shard_key,
)
from lambdas.core.model import Resource, Saga, Shard

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MOST_WRITTEN: Final = 100
"""The items of a transaction:
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html.
"""

Request = dict[str, Any]
"""One item's part of a transaction, as DynamoDB's API has it."""


class LedgerTable:
    """Reads are strongly consistent except for what is listed by an index. Raises RetryableError for what passes."""

    def __init__(self, client: DynamoDBClient, name: str) -> None:
        self._client = client
        self.name = name

    def get(self, pk: str, sk: str) -> Item | None:
        """One item, if there is one."""
        if not can_exist(pk):
            return None
        answer = asked(partial(self._client.get_item, TableName=self.name, Key=key_of(pk, sk), ConsistentRead=True))
        item: Item | None = answer.get("Item")
        return item

    def get_at_once(self, pk: str, keys: Iterable[str]) -> list[Item] | None:
        """The items with these sort keys as of one moment; None when a transaction that writes them was in the way."""
        gets: list[Any] = [{"Get": {"TableName": self.name, "Key": key_of(pk, key)}} for key in keys]
        try:
            answer = transacted(partial(self._client.transact_get_items, TransactItems=gets))
        except Cancelled:
            return None
        return [response["Item"] for response in answer["Responses"]]

    def between(self, pk: str, low: str, high: str, limit: int | None = None) -> list[Item]:
        """The items of a partition from one sort key to another, in order, at most `limit`."""
        if not can_exist(pk):
            return []
        request: dict[str, Any] = {
            "TableName": self.name,
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :low AND :high",
            "ExpressionAttributeValues": {":pk": {"S": pk}, ":low": {"S": low}, ":high": {"S": high}},
            "ConsistentRead": True,
            **({"Limit": limit} if limit else {}),
        }
        return list(islice(queried(self._client, request), limit))

    def indexed(
        self, index: str, key: str, value: str, limit: int, before: str | None, *, newest_first: bool = True
    ) -> list[Item]:
        """The items that an index has for a value, by their ids, at most `limit` below `before`."""
        request: dict[str, Any] = {
            "TableName": self.name,
            "IndexName": index,
            "KeyConditionExpression": "#key = :key AND id < :before",
            "ExpressionAttributeNames": {"#key": key},
            "ExpressionAttributeValues": {":key": {"S": value}, ":before": {"S": before or "~"}},
            "ScanIndexForward": not newest_first,
            "Limit": limit,
        }
        items: list[Item] = asked(partial(self._client.query, **request))["Items"]
        return items

    def at_home_after(self, index: str, place: str, moment: str) -> list[Item]:
        """What was at home somewhere at some time after a moment."""
        request = {
            "TableName": self.name,
            "IndexName": index,
            "KeyConditionExpression": "home = :home AND #until > :since",
            "ExpressionAttributeNames": {"#until": "until"},
            "ExpressionAttributeValues": {":home": {"S": place}, ":since": {"S": moment}},
        }
        return list(queried(self._client, request))

    def write(self, requests: list[Any]) -> None:
        """Write all or nothing; raises Cancelled.

        The SDK's own retries carry one token, so that a write whose reply was lost is not taken for somebody else's.
        """
        transacted(partial(self._client.transact_write_items, TransactItems=requests))

    def written(self, requests: list[Any]) -> bool:
        """Write all or nothing; False when a condition failed or another transaction was in the way."""
        try:
            self.write(requests)
        except Cancelled:
            return False
        return True

    def put_new(self, item: Item) -> Request:
        """Write an item that is not there."""
        return {"Put": {"TableName": self.name, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}

    def replace_header(self, saga: Saga) -> Request:
        """Write a header over the version before it."""
        return {
            "Put": {
                "TableName": self.name,
                "Item": header_item(saga),
                "ConditionExpression": "version = :read",
                "ExpressionAttributeValues": {":read": {"N": str(saga.version - 1)}},
            }
        }

    def move_shard(self, shard: Shard) -> Request:
        """Write a shard over the version before it, which knows the saga as this one does."""
        changed = shard_attributes(shard)
        return self._update(
            shard.saga.id,
            shard_key(shard.number),
            changed,
            "version = :read AND header = :header",
            {":read": {"N": str(shard.version - 1)}, ":header": {"N": str(shard.header)}},
        )

    def tell_shard(self, shard: Shard, saga: Saga, *, unchanged: bool) -> Request:
        """Let a shard know a newer header; `unchanged` only if nothing of it was written since it was read."""
        condition, read = ("version = :read", shard.version) if unchanged else ("header < :read", saga.version)
        return self._update(saga.id, shard_key(shard.number), known_saga(saga), condition, {":read": {"N": str(read)}})

    def update_resource(self, resource: Resource) -> Request:
        """Write a resource over the revision before it."""
        at_home = {name: {"S": value} for name, value in home(resource).items()}
        changed = {
            "document": {"S": resource.model_dump_json()},
            "revision": {"N": str(resource.revision)},
            **at_home,
        }
        read = {":read": {"N": str(resource.revision - 1)}}
        return self._update(resource.saga_id, f"{RESOURCE}{resource.id}", changed, "revision = :read", read)

    def _update(self, pk: str, sk: str, changed: Item, condition: str, values: Item) -> Request:
        return {
            "Update": {
                "TableName": self.name,
                "Key": key_of(pk, sk),
                "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in changed),
                "ConditionExpression": condition,
                "ExpressionAttributeNames": {f"#{name}": name for name in changed},
                "ExpressionAttributeValues": {**{f":{name}": value for name, value in changed.items()}, **values},
            }
        }
