"""CloudWatch Logs: log groups with their retention, and resource policies."""

from __future__ import annotations

from typing import Any

from local.aws.cloudformation.provider import Place, Properties, Resource
from local.aws.resources.api_provider import ApiProvider, all_or_nothing
from local.aws.resources.conform import UnsupportedProperty, arguments


class LogGroup(ApiProvider):
    """AWS::Logs::LogGroup."""

    resource_type = "AWS::Logs::LogGroup"
    service = "logs"
    delete_call = "delete_log_group"
    create_only = frozenset({"LogGroupName"})
    name_property = "LogGroupName"
    name_limit = 512

    def create(self, place: Place, properties: Properties) -> Resource:
        """Create the group, then set how long it keeps its logs."""
        named = self.named(place, properties)
        retention = named.pop("RetentionInDays", None)
        client = place.client("logs")
        client.create_log_group(**arguments(client, "create_log_group", named))
        group = Resource(named["LogGroupName"], {"Arn": place.arn("logs", f"log-group:{named['LogGroupName']}:*")})
        with all_or_nothing(lambda: self.delete(place, group, named)):
            _keep_for(client, named["LogGroupName"], retention)
        return group

    def update(self, place: Place, resource: Resource, before: Properties, after: Properties) -> Resource:
        """Change how long logs are kept; UnsupportedProperty for another key, which moto cannot change."""
        if before.get("KmsKeyId") != after.get("KmsKeyId"):
            raise UnsupportedProperty("the property KmsKeyId cannot be changed locally")
        _keep_for(place.client("logs"), resource.physical_id, after.get("RetentionInDays"))
        return resource

    def identified(self, resource: Resource, properties: Properties) -> dict[str, Any]:
        """By name."""
        return {"logGroupName": resource.physical_id}


class ResourcePolicy(ApiProvider):
    """AWS::Logs::ResourcePolicy."""

    resource_type = "AWS::Logs::ResourcePolicy"
    service = "logs"
    create_call = update_call = "put_resource_policy"
    delete_call = "delete_resource_policy"
    create_only = frozenset({"PolicyName"})

    def identified(self, resource: Resource, properties: Properties) -> dict[str, Any]:
        """By name."""
        return {"policyName": resource.physical_id}

    def made(self, place: Place, properties: Properties, answer: Any) -> Resource:
        """Ref is the name."""
        return Resource(properties["PolicyName"])


class QueryDefinition(ApiProvider):
    """AWS::Logs::QueryDefinition, known by an id that it is given."""

    resource_type = "AWS::Logs::QueryDefinition"
    service = "logs"
    create_call = update_call = "put_query_definition"
    delete_call = "delete_query_definition"

    def identified(self, resource: Resource, properties: Properties) -> dict[str, Any]:
        """By its id."""
        return {"queryDefinitionId": resource.physical_id}

    def made(self, place: Place, properties: Properties, answer: Any) -> Resource:
        """Ref is the id."""
        return Resource(answer["queryDefinitionId"], {"QueryDefinitionId": answer["queryDefinitionId"]})


def _keep_for(client: Any, name: str, days: Any) -> None:
    if days is None:
        client.delete_retention_policy(logGroupName=name)
    else:
        client.put_retention_policy(logGroupName=name, retentionInDays=int(days))


PROVIDERS = (LogGroup(), QueryDefinition(), ResourcePolicy())
