"""Secrets Manager secrets, given or generated."""

from __future__ import annotations

import json
from typing import Any

from local.aws.cloudformation.provider import Place, Properties, Resource
from local.aws.resources.api_provider import ApiProvider
from local.aws.resources.conform import arguments


class Secret(ApiProvider):
    """AWS::SecretsManager::Secret; a generated value stays when the template changes."""

    resource_type = "AWS::SecretsManager::Secret"
    service = "secretsmanager"
    create_only = frozenset({"Name"})
    name_property = "Name"
    name_limit = 256

    def create(self, place: Place, properties: Properties) -> Resource:
        """Create the secret with its first value."""
        client = place.client("secretsmanager")
        named = self.named(place, properties)
        generate = named.pop("GenerateSecretString", None)
        wanted = arguments(client, "create_secret", named)
        if generate is not None:
            wanted["SecretString"] = _generated(client, generate)
        made = client.create_secret(**wanted)
        return Resource(made["ARN"], {"Id": made["ARN"]})

    def update(self, place: Place, resource: Resource, before: Properties, after: Properties) -> Resource:
        """Change the description, key or given value."""
        client = place.client("secretsmanager")
        wanted = {key: value for key, value in after.items() if key not in ("Name", "Tags", "GenerateSecretString")}
        client.update_secret(SecretId=resource.physical_id, **arguments(client, "update_secret", wanted))
        return resource

    def delete(self, place: Place, resource: Resource, properties: Properties) -> None:
        """Delete it at once, as CloudFormation does."""
        client = place.client("secretsmanager")
        try:
            client.delete_secret(SecretId=resource.physical_id, ForceDeleteWithoutRecovery=True)
        except client.exceptions.ResourceNotFoundException:
            return


def _generated(client: Any, how: dict[str, Any]) -> str:
    template, key = how.get("SecretStringTemplate"), how.get("GenerateStringKey")
    options = {name: value for name, value in how.items() if name not in ("SecretStringTemplate", "GenerateStringKey")}
    password = client.get_random_password(**arguments(client, "get_random_password", options))["RandomPassword"]
    return json.dumps({**json.loads(template), key: password}) if template else str(password)


PROVIDERS = (Secret(),)
