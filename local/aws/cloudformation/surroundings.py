"""What a stack's template sees outside itself: its resources so far, other stacks' exports, parameters and secrets."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from local.aws.cloudformation.environment import Environment
from local.aws.cloudformation.errors import ValidationError
from local.aws.cloudformation.stacks import Stack, StackResource


class StackSurroundings:
    """Resolves references for one stack and remembers which exports it imports."""

    def __init__(self, environment: Environment, stack: Stack) -> None:
        self._environment = environment
        self._stack = stack
        self.imports: set[str] = set()

    def resource_reference(self, logical_id: str) -> str:
        """The physical id of a resource that exists by now."""
        return self._resource(logical_id).resource.physical_id

    def resource_attribute(self, logical_id: str, attribute: str) -> Any:
        """An attribute of a resource that exists by now; ValidationError if the type has none of this name."""
        found = self._resource(logical_id)
        if attribute not in found.resource.attributes:
            raise ValidationError(
                f"Template error: {found.definition.type} has no attribute {attribute} locally ({logical_id})"
            )
        return found.resource.attributes[attribute]

    def exported(self, name: str) -> str:
        """The value of another stack's export; ValidationError if there is none."""
        self.imports.add(name)
        exports = self._environment.exports()
        if name not in exports:
            raise ValidationError(f"No export named {name} found.")
        return exports[name][0]

    def availability_zones(self) -> list[str]:
        """The zones of the stack's region."""
        zones = self._environment.client("ec2").describe_availability_zones()["AvailabilityZones"]
        return sorted(zone["ZoneName"] for zone in zones)

    def dynamic_reference(self, service: str, key: str) -> str:
        """The value of a `{{resolve:service:key}}`: an SSM parameter, or a secret or one field of it."""
        try:
            return self._looked_up(service, key)
        except (ClientError, KeyError, ValueError) as error:
            raise ValidationError(f"Could not resolve {service}:{key}: {error}") from None

    def _looked_up(self, service: str, key: str) -> str:
        if service == "ssm":
            name, *version = key.split(":")
            found = self._environment.client("ssm").get_parameter(Name=":".join([name, *version]))
            return str(found["Parameter"]["Value"])
        secret_id, _, selector = key.partition(":SecretString")
        secret = self._environment.client("secretsmanager").get_secret_value(SecretId=secret_id)["SecretString"]
        field = selector.strip(":").split(":")[0]
        return str(json.loads(secret)[field]) if field else str(secret)

    def _resource(self, logical_id: str) -> StackResource:
        if logical_id not in self._stack.resources:
            raise ValidationError(f"Unresolved resource dependencies [{logical_id}]")
        return self._stack.resources[logical_id]
