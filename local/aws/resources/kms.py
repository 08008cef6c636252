"""KMS keys and their aliases."""

from __future__ import annotations

import json
from typing import Any

from local.aws.cloudformation.provider import Place, Properties, Resource
from local.aws.resources.api_provider import ApiProvider, all_or_nothing
from local.aws.resources.conform import arguments

_SEPARATE = ("EnableKeyRotation", "PendingWindowInDays", "Enabled")


class Key(ApiProvider):
    """AWS::KMS::Key."""

    resource_type = "AWS::KMS::Key"
    service = "kms"
    create_only = frozenset({"KeySpec", "KeyUsage", "MultiRegion", "Origin"})

    def create(self, place: Place, properties: Properties) -> Resource:
        """Create the key and turn rotation on where it is wanted."""
        client = place.client("kms")
        wanted = {key: value for key, value in properties.items() if key not in _SEPARATE}
        # KMS calls a key's tag members TagKey and TagValue.
        wanted["Tags"] = [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in properties.get("Tags", [])]
        made = client.create_key(**arguments(client, "create_key", wanted, KeyPolicy="Policy"))["KeyMetadata"]
        key = Resource(made["KeyId"], {"Arn": made["Arn"], "KeyId": made["KeyId"]})
        with all_or_nothing(lambda: self.delete(place, key, properties)):
            _rotate(client, made["KeyId"], properties)
        return key

    def update(self, place: Place, resource: Resource, before: Properties, after: Properties) -> Resource:
        """Change policy, description and rotation."""
        client, key = place.client("kms"), resource.physical_id
        client.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(after.get("KeyPolicy", {})))
        client.update_key_description(KeyId=key, Description=after.get("Description", ""))
        _rotate(client, key, after)
        return resource

    def delete(self, place: Place, resource: Resource, properties: Properties) -> None:
        """Schedule the deletion; AWS keeps a key for at least a week, too."""
        client = place.client("kms")
        days = int(properties.get("PendingWindowInDays", 30))
        try:
            client.schedule_key_deletion(KeyId=resource.physical_id, PendingWindowInDays=days)
        except client.exceptions.NotFoundException:
            return


class Alias(ApiProvider):
    """AWS::KMS::Alias."""

    resource_type = "AWS::KMS::Alias"
    service = "kms"
    create_call = "create_alias"
    update_call = "update_alias"
    delete_call = "delete_alias"
    create_only = frozenset({"AliasName"})

    def identified(self, resource: Resource, properties: Properties) -> dict[str, Any]:
        """By name."""
        return {"AliasName": resource.physical_id}

    def made(self, place: Place, properties: Properties, answer: Any) -> Resource:
        """Ref is the name."""
        return Resource(properties["AliasName"])


def _rotate(client: Any, key: str, properties: Properties) -> None:
    if str(properties.get("EnableKeyRotation", False)).lower() == "true":
        client.enable_key_rotation(KeyId=key)
    else:
        client.disable_key_rotation(KeyId=key)


PROVIDERS = (Key(), Alias())
