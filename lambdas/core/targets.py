"""Where a resource may be provisioned on its cloud: an account, a subscription, a project or some private clusters.

Nothing of a target is secret. It is written with each resource, so that a saga finds back to it whatever is declared
later.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

DEFAULT: Final = "default"
"""The target of a resource that names none."""

TargetName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")]


class _Target(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)

    name: str = DEFAULT
    withdrawn: bool = False


class AwsTarget(_Target):
    """An account, by the role to assume in it; without one, the account and role of the function itself."""

    cloud: Literal["aws"] = "aws"
    role_arn: str | None = None
    external_id: str | None = None


class AzureTarget(_Target):
    """A subscription; without a tenant and a client, as whatever identity the function's environment describes."""

    cloud: Literal["azure"] = "azure"
    subscription_id: str
    tenant_id: str = ""
    client_id: str = ""


class GcpTarget(_Target):
    """A project, as a service account to impersonate, by way of a workload identity pool's provider.

    `workload_identity_provider` is `projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER`.
    Without either, as whatever identity the function's environment describes.
    """

    cloud: Literal["gcp"] = "gcp"
    project: str
    service_account: str = ""
    workload_identity_provider: str = ""


class VsphereTarget(_Target):
    """The vSphere clusters that declare this target's name."""

    cloud: Literal["vsphere"] = "vsphere"


class ScvmmTarget(_Target):
    """The System Center clusters that declare this target's name."""

    cloud: Literal["scvmm"] = "scvmm"


AnyTarget = AwsTarget | AzureTarget | GcpTarget | VsphereTarget | ScvmmTarget

Target = Annotated[AnyTarget, Field(discriminator="cloud")]

Targets = Mapping[str, Mapping[str, AnyTarget]]
"""All that is declared: by cloud, then by name."""

_DOCUMENTS: Final = TypeAdapter[dict[str, dict[str, str | bool]]](
    dict[str, dict[str, str | bool]], config=ConfigDict(defer_build=True)
)
_TARGETS: Final = TypeAdapter[dict[TargetName, Target]](dict[TargetName, Target], config=ConfigDict(defer_build=True))


def parse_targets(cloud: str, text: str) -> dict[str, AnyTarget]:
    """The targets of one cloud as the deployment writes them, JSON `{name: {field: value}}`; raises ValidationError."""
    documents = _DOCUMENTS.validate_json(text)
    return _TARGETS.validate_python({name: {**it, "cloud": cloud, "name": name} for name, it in documents.items()})
