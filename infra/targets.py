"""The places that a deployment declares to provision in, read from the CDK context `targets`.

`{"aws": {NAME: {"role_arn": ...}}, "azure": {NAME: {"subscription_id": ...}}, "gcp": {NAME: {"project": ...}}}`; what
else a target may have stands in the classes below, and in docs/targets-and-grants.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Final

from constructs import Construct
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from infra.declaration import BadDeclaration, parsed

DEFAULT: Final = "default"
MOST_BYTES: Final = 8192
"""What an advanced SSM parameter holds: "Managing parameter tiers", Systems Manager user guide."""

MOST_ROLE_BYTES: Final = 7000
"""Of the 10,240 that a role's inline policies may have ("IAM and STS quotas"), what the other statements leave."""

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")]
Uuid = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")]
RoleArn = Annotated[
    str, StringConstraints(pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+$", max_length=611)
]
ExternalId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_+=,.@:/-]+$", min_length=2, max_length=1224)]
ProjectId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$")]
ServiceAccount = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+@[a-z0-9.:-]+\.gserviceaccount\.com$")]
IdentityProvider = Annotated[
    str,
    StringConstraints(
        pattern=r"^projects/[0-9]+/locations/global/workloadIdentityPools/[a-z0-9-]{4,32}/providers/[a-z0-9-]{4,32}$"
    ),
]


class _Target(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    withdrawn: bool = Field(default=False, description="Takes nothing new; what is there is still swept and removed.")

    @property
    def place(self) -> str:
        """What it stands for on its cloud: two targets of one place would be swept twice."""
        raise NotImplementedError


class AwsTarget(_Target):
    """An account, by the role to assume there."""

    role_arn: RoleArn
    external_id: ExternalId | None = None

    @property
    def place(self) -> str:
        """The role, which is of one account."""
        return self.role_arn


class AzureTarget(_Target):
    """A subscription, and the application to sign in as; both ids or neither, which is the deployment's own."""

    subscription_id: Uuid
    tenant_id: Uuid | None = None
    client_id: Uuid | None = None

    @property
    def place(self) -> str:
        """The subscription, however its id is written."""
        return self.subscription_id.lower()


class GcpTarget(_Target):
    """A project, the service account to act as, and the workload identity provider that trusts our AWS roles."""

    project: ProjectId
    service_account: ServiceAccount | None = None
    workload_identity_provider: IdentityProvider | None = None

    @property
    def place(self) -> str:
        """The project."""
        return self.project


class Targets(BaseModel):
    """All declared targets but the `default` ones, which the other settings name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    aws: dict[Name, AwsTarget] = {}
    azure: dict[Name, AzureTarget] = {}
    gcp: dict[Name, GcpTarget] = {}

    @classmethod
    def from_context(cls, scope: Construct) -> Targets:
        """Read the context value `targets`, an object or its JSON; raises BadDeclaration."""
        value = scope.node.try_get_context("targets")
        return cls.parse({} if value is None else value)

    @classmethod
    def parse(cls, value: object) -> Targets:
        """The targets of a document or of its JSON; raises BadDeclaration."""
        return parsed(cls, "targets", value, cls._mistakes)

    @property
    def roles(self) -> list[str]:
        """The roles that may be assumed, withdrawn targets' included: what is there still has to be removed."""
        return [target.role_arn for target in self.aws.values()]

    def parameter(self, cloud: str, default: Mapping[str, str] | None) -> str:
        """The value of a cloud's SSM parameter: its targets by name, the default one if any; raises BadDeclaration."""
        declared: Mapping[str, _Target] = getattr(self, cloud)
        documents = {name: it.model_dump(exclude_defaults=True) for name, it in declared.items()}
        value = json.dumps(
            {**({DEFAULT: default} if default is not None else {}), **documents}, separators=(",", ":"), sort_keys=True
        )
        if len(value.encode()) > MOST_BYTES:
            raise BadDeclaration(f"targets.{cloud}: {len(value.encode())} bytes; an SSM parameter holds {MOST_BYTES}")
        return value

    def _mistakes(self) -> list[str]:
        found = []
        for cloud, declared in self:
            first: dict[str, str] = {}
            for name, target in declared.items():
                where = f"targets.{cloud}.{name}"
                if name == DEFAULT:
                    found.append(f"{where}: is what the deployment's other settings name; choose another name")
                other = first.setdefault(target.place, name)
                if other != name:
                    found.append(f"{where}: is the same place as {other!r}, which would be swept twice")
                if isinstance(target, AzureTarget) and (target.tenant_id is None) != (target.client_id is None):
                    found.append(f"{where}: give tenant_id and client_id, or neither")
        if sum(len(role) + 3 for role in self.roles) > MOST_ROLE_BYTES:
            found.append(f"targets.aws: their roles do not fit into a function's policy ({MOST_ROLE_BYTES} characters)")
        return found
