"""What the CDK adds to a template for its own ends."""

from __future__ import annotations

from local.aws.cloudformation.provider import Place, Properties, Resource


class Metadata:
    """AWS::CDK::Metadata: usage statistics, kept nowhere."""

    resource_type = "AWS::CDK::Metadata"

    def create(self, place: Place, properties: Properties) -> Resource:
        """Nothing is made."""
        return Resource(place.generated_name(64))

    def replaces(self, before: Properties, after: Properties) -> bool:
        """Never."""
        return False

    def update(self, place: Place, resource: Resource, before: Properties, after: Properties) -> Resource:
        """Nothing is changed."""
        return resource

    def delete(self, place: Place, resource: Resource, properties: Properties) -> None:
        """Nothing is there."""


PROVIDERS = (Metadata(),)
