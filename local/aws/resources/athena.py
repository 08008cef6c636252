"""Athena's workgroups."""

from __future__ import annotations

from typing import Any

from local.aws.cloudformation.provider import Place, Properties, Resource
from local.aws.resources.api_provider import ApiProvider
from local.aws.resources.conform import UnsupportedProperty


class WorkGroup(ApiProvider):
    """AWS::Athena::WorkGroup."""

    resource_type = "AWS::Athena::WorkGroup"
    service = "athena"
    create_call = "create_work_group"
    delete_call = "delete_work_group"
    create_only = frozenset({"Name"})
    renamed = {"WorkGroupConfiguration": "Configuration"}  # noqa: RUF012 - declared by the base class

    def create(self, place: Place, properties: Properties) -> Resource:
        """Make it; that its history goes with it is a matter of its deletion."""
        if properties.get("State", "ENABLED") != "ENABLED":
            raise UnsupportedProperty("a workgroup that is disabled is not supported locally")
        return super().create(place, {key: it for key, it in properties.items() if key not in _NOT_OF_THE_CALL})

    def update(self, place: Place, resource: Resource, before: Properties, after: Properties) -> Resource:
        """Make it anew: moto cannot change one, and its history is nobody's."""
        self.delete(place, resource, before)
        return self.create(place, after)

    def identified(self, resource: Resource, properties: Properties) -> dict[str, Any]:
        """By name; it goes with its history only where the template says so."""
        recursive = str(properties.get("RecursiveDeleteOption", False)).lower() == "true"
        return {"WorkGroup": resource.physical_id, "RecursiveDeleteOption": recursive}

    def made(self, place: Place, properties: Properties, answer: Any) -> Resource:
        """Ref is the name."""
        return Resource(properties["Name"])


_NOT_OF_THE_CALL = ("RecursiveDeleteOption", "State")

PROVIDERS = (WorkGroup(),)
