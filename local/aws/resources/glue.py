"""Glue's catalog: databases and tables."""

from __future__ import annotations

from typing import Any

from local.aws.cloudformation.provider import Place, Properties, Resource
from local.aws.resources.api_provider import ApiProvider


class Database(ApiProvider):
    """AWS::Glue::Database."""

    resource_type = "AWS::Glue::Database"
    service = "glue"
    create_call = "create_database"
    update_call = "update_database"
    delete_call = "delete_database"
    create_only = frozenset({"CatalogId"})
    gone_codes = frozenset({"EntityNotFoundException"})

    def replaces(self, before: Properties, after: Properties) -> bool:
        """Where it is another catalog's, or has another name."""
        return super().replaces(before, after) or before["DatabaseInput"]["Name"] != after["DatabaseInput"]["Name"]

    def identified(self, resource: Resource, properties: Properties) -> dict[str, Any]:
        """By name."""
        return {"Name": resource.physical_id}

    def made(self, place: Place, properties: Properties, answer: Any) -> Resource:
        """Ref is the name."""
        return Resource(properties["DatabaseInput"]["Name"])


class Table(ApiProvider):
    """AWS::Glue::Table."""

    resource_type = "AWS::Glue::Table"
    service = "glue"
    create_call = "create_table"
    update_call = "update_table"
    delete_call = "delete_table"
    create_only = frozenset({"CatalogId", "DatabaseName"})
    gone_codes = frozenset({"EntityNotFoundException"})

    def replaces(self, before: Properties, after: Properties) -> bool:
        """Where it is another database's, or has another name."""
        return super().replaces(before, after) or before["TableInput"]["Name"] != after["TableInput"]["Name"]

    def update(self, place: Place, resource: Resource, before: Properties, after: Properties) -> Resource:
        """Put it over the old one; the API has its name in what it is to be."""
        place.client("glue").update_table(**dict(after))
        return resource

    def identified(self, resource: Resource, properties: Properties) -> dict[str, Any]:
        """By database and name."""
        return {"DatabaseName": properties["DatabaseName"], "Name": resource.physical_id}

    def made(self, place: Place, properties: Properties, answer: Any) -> Resource:
        """Ref is the name."""
        return Resource(properties["TableInput"]["Name"])


PROVIDERS = (Database(), Table())
