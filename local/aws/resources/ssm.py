"""SSM parameters."""

from __future__ import annotations

from typing import Any

from local.aws.cloudformation.provider import Place, Properties, Resource
from local.aws.resources.api_provider import ApiProvider


class Parameter(ApiProvider):
    """AWS::SSM::Parameter."""

    resource_type = "AWS::SSM::Parameter"
    service = "ssm"
    create_call = "put_parameter"
    delete_call = "delete_parameter"
    create_only = frozenset({"Name", "Type"})
    name_property = "Name"
    name_limit = 1011
    gone_codes = frozenset({"ParameterNotFound"})

    def update(self, place: Place, resource: Resource, before: Properties, after: Properties) -> Resource:
        """Put it over the old value."""
        untagged = {key: value for key, value in after.items() if key != "Tags"}  # the API takes tags only at first
        return self.create(place, {**untagged, "Name": resource.physical_id, "Overwrite": True})

    def identified(self, resource: Resource, properties: Properties) -> dict[str, Any]:
        """By name."""
        return {"Name": resource.physical_id}

    def made(self, place: Place, properties: Properties, answer: Any) -> Resource:
        """Ref is the name."""
        return Resource(properties["Name"], {"Type": properties["Type"], "Value": properties["Value"]})


PROVIDERS = (Parameter(),)
