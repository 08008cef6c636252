"""What a deployment may choose, read from CDK context (`-c name=value`)."""

from __future__ import annotations

from typing import Final, NamedTuple

from aws_cdk import Annotations
from constructs import Construct

UNSET_ID: Final = "00000000-0000-0000-0000-000000000000"
UNSET_PROJECT: Final = "skysaga-project-unset"


class Settings(NamedTuple):
    """The targets on the other clouds, each the context value of the same name; none of them is a secret."""

    azure_subscription_id: str = UNSET_ID
    azure_tenant_id: str = UNSET_ID
    azure_client_id: str = UNSET_ID
    google_cloud_project: str = UNSET_PROJECT

    @classmethod
    def from_context(cls, scope: Construct) -> Settings:
        """Read the settings; warn of those that are unset, since sagas that name their cloud would fail."""
        values = {name: scope.node.try_get_context(name) for name in cls._fields}
        if unset := [name for name, value in values.items() if not value]:
            Annotations.of(scope).add_warning_v2(
                "skysaga:unset", f"{', '.join(unset)}: give -c NAME=VALUE of each to provision on its cloud"
            )
        return cls(**{name: str(value) for name, value in values.items() if value})
