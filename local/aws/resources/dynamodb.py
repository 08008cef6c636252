"""DynamoDB tables, with their indexes, recovery, expiry and encryption."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from local.aws.cloudformation.provider import Place, Properties, Resource
from local.aws.resources.api_provider import ApiProvider, all_or_nothing
from local.aws.resources.conform import UnsupportedProperty, accepted, arguments

_SEPARATE = ("PointInTimeRecoverySpecification", "TimeToLiveSpecification")


class Table(ApiProvider):
    """AWS::DynamoDB::Table; indexes are added and removed on update, not changed."""

    resource_type = "AWS::DynamoDB::Table"
    service = "dynamodb"
    create_call = "create_table"
    delete_call = "delete_table"
    create_only = frozenset({"TableName", "KeySchema", "LocalSecondaryIndexes"})
    name_property = "TableName"
    name_limit = 255

    def create(self, place: Place, properties: Properties) -> Resource:
        """Create the table, then what the API sets with calls of their own."""
        named = self.named(place, properties)
        client = place.client("dynamodb")
        wanted = _api_form({key: value for key, value in named.items() if key not in _SEPARATE})
        answer = client.create_table(**arguments(client, "create_table", wanted))
        made = self.made(place, named, answer)
        with all_or_nothing(lambda: self.delete(place, made, named)):
            _make(_separate_calls(client, named["TableName"], {}, named))
        return made

    def update(self, place: Place, resource: Resource, before: Properties, after: Properties) -> Resource:
        """Change what update_table can change, indexes one at a time as DynamoDB demands."""
        client = place.client("dynamodb")
        name = resource.physical_id
        changed = {key: value for key, value in after.items() if before.get(key) != value and key != "Tags"}
        indexes = _index_changes(before, after)
        separate = _separate_calls(client, name, before, after)
        direct = _api_form({k: v for k, v in changed.items() if k not in (*_SEPARATE, "GlobalSecondaryIndexes")})
        direct.pop("AttributeDefinitions", None)
        if lost := sorted(set(direct) - set(accepted(client, "update_table", direct))):
            raise UnsupportedProperty(f"the properties {', '.join(lost)} cannot be changed locally")
        if direct:
            client.update_table(TableName=name, **arguments(client, "update_table", direct))
        for change in indexes:
            client.update_table(
                TableName=name,
                AttributeDefinitions=after["AttributeDefinitions"],
                GlobalSecondaryIndexUpdates=[change],
            )
        _make(separate)
        return self.made(place, after, {"TableDescription": client.describe_table(TableName=name)["Table"]})

    def identified(self, resource: Resource, properties: Properties) -> dict[str, Any]:
        """By name."""
        return {"TableName": resource.physical_id}

    def made(self, place: Place, properties: Properties, answer: Any) -> Resource:
        """Ref is the name."""
        table = answer["TableDescription"]
        attributes = {"Arn": table["TableArn"], "TableId": table.get("TableId", "")}
        if "LatestStreamArn" in table:
            attributes["StreamArn"] = table["LatestStreamArn"]
        return Resource(table["TableName"], attributes)


def _api_form(properties: dict[str, Any]) -> dict[str, Any]:
    wanted = dict(properties)
    if "SSESpecification" in wanted:
        wanted["SSESpecification"] = {
            "Enabled" if key == "SSEEnabled" else key: value for key, value in wanted["SSESpecification"].items()
        }
    if "StreamSpecification" in wanted:
        wanted["StreamSpecification"] = {"StreamEnabled": True, **wanted["StreamSpecification"]}
    return wanted


def _separate_calls(client: Any, table: str, before: Properties, after: Properties) -> list[Callable[[], Any]]:
    """The calls that set what create_table and update_table cannot, ready to be made."""
    calls: list[Callable[[], Any]] = []
    recovery = after.get("PointInTimeRecoverySpecification")
    if recovery != before.get("PointInTimeRecoverySpecification"):
        wanted = {"PointInTimeRecoverySpecification": recovery or {"PointInTimeRecoveryEnabled": False}}
        backups = arguments(client, "update_continuous_backups", wanted)
        calls.append(lambda: client.update_continuous_backups(TableName=table, **backups))
    expiry = after.get("TimeToLiveSpecification")
    if expiry != before.get("TimeToLiveSpecification"):
        disabled = {**before.get("TimeToLiveSpecification", {}), "Enabled": False}
        wanted = {"TimeToLiveSpecification": expiry or disabled}
        lifetime = arguments(client, "update_time_to_live", wanted)
        calls.append(lambda: client.update_time_to_live(TableName=table, **lifetime))
    return calls


def _make(calls: Iterable[Callable[[], Any]]) -> None:
    for call in calls:
        call()


def _index_changes(before: Properties, after: Properties) -> list[dict[str, Any]]:
    old = {index["IndexName"]: index for index in before.get("GlobalSecondaryIndexes", [])}
    new = {index["IndexName"]: index for index in after.get("GlobalSecondaryIndexes", [])}
    if altered := sorted(name for name in old.keys() & new.keys() if old[name] != new[name]):
        raise UnsupportedProperty(f"the index {', '.join(altered)} cannot be changed, only replaced under another name")
    return [
        *({"Delete": {"IndexName": name}} for name in old if name not in new),
        *({"Create": index} for name, index in new.items() if name not in old),
    ]


PROVIDERS = (Table(),)
