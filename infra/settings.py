"""What a deployment may choose, read from CDK context (`-c name=value`)."""

from __future__ import annotations

from typing import Final, NamedTuple
from urllib.parse import urlsplit

from aws_cdk import Annotations
from constructs import Construct

PUBLIC_CLOUDS: Final = ("aws", "azure", "gcp")
PRIVATE_CLOUDS: Final = ("vsphere", "scvmm")
"""What is provisioned on clusters of one's own, which only their workers reach."""

CLOUDS: Final = (*PUBLIC_CLOUDS, *PRIVATE_CLOUDS)
UNSET_ID: Final = "00000000-0000-0000-0000-000000000000"
UNSET_PROJECT: Final = "skysaga-project-unset"
ROLLOUTS: Final = ("gradual", "at-once")

_TARGETS: Final = ("azure_subscription_id", "azure_tenant_id", "azure_client_id", "google_cloud_project")


class TokenIssuer(NamedTuple):
    """Whose tokens (JWTs) the API takes, for which audiences, and with one of which scopes where there are any.

    People sign in to the console as its client `client_id`; without one the console is not served.
    """

    url: str
    audiences: tuple[str, ...]
    scopes: tuple[str, ...]
    client_id: str = ""


class Settings(NamedTuple):
    """The targets on the other clouds, each the context value of the same name; none of them is a secret.

    `azure_client_id_VERB` is the application that trusts the role of one verb only, in place of `azure_client_id`.
    `google_workload_identity_provider` trusts our AWS roles and lets them act as `google_service_account`; without it,
    functions go by whatever google-auth finds. `sweep_regions` confines the sweep to some AWS regions, separated by
    commas; else it looks into all enabled ones. `jwt_issuer` opens a second API that takes this issuer's tokens for
    `jwt_audience`, with one of `jwt_scopes` if any are given; both are separated by commas. It serves the console, too,
    if there is a `jwt_client_id` as which a browser signs in. `keep_trying` is for how many seconds every sweep tries
    again to remove what needs attention: a day, unless given. `rollout` is how new versions of state machines go live,
    one of ROLLOUTS.
    """

    azure_subscription_id: str = UNSET_ID
    azure_tenant_id: str = UNSET_ID
    azure_client_id: str = UNSET_ID
    azure_client_id_create: str = ""
    azure_client_id_observe: str = ""
    azure_client_id_delete: str = ""
    azure_client_id_check: str = ""
    azure_client_id_sweep: str = ""
    azure_client_id_costs: str = ""
    google_cloud_project: str = UNSET_PROJECT
    google_service_account: str = ""
    google_workload_identity_provider: str = ""
    sweep_regions: str = ""
    jwt_issuer: str = ""
    jwt_audience: str = ""
    jwt_scopes: str = ""
    jwt_client_id: str = ""
    keep_trying: str = ""
    rollout: str = "gradual"

    @property
    def gradual(self) -> bool:
        """Whether new versions go live step by step, watched by alarms."""
        return self.rollout == "gradual"

    @property
    def token_issuer(self) -> TokenIssuer | None:
        """The issuer whose tokens the API takes, None for none; raises ValueError, saying what to change."""
        audiences, scopes = _listed(self.jwt_audience), _listed(self.jwt_scopes)
        if not self.jwt_issuer:
            if audiences or scopes or self.jwt_client_id:
                raise ValueError(
                    "jwt_audience, jwt_scopes and jwt_client_id need an issuer: give -c jwt_issuer=https://..."
                )
            return None
        parts = urlsplit(self.jwt_issuer)
        if parts.scheme != "https" or not parts.netloc or parts.query or parts.fragment:
            raise ValueError(f"jwt_issuer must be the https URL that its tokens name as iss, not {self.jwt_issuer!r}")
        if not audiences:
            raise ValueError("jwt_issuer needs jwt_audience, or tokens for other services would be taken, too")
        return TokenIssuer(self.jwt_issuer, audiences, scopes, self.jwt_client_id)

    def environment(self, cloud: str, verb: str) -> dict[str, str]:
        """Return what the function for one verb (or `sweep`, or `costs`) on a cloud must be told about its target."""
        match cloud:
            case "aws":
                return {"AWS_SWEEP_REGIONS": self.sweep_regions} if self.sweep_regions and verb == "sweep" else {}
            case "azure":
                return {
                    "AZURE_SUBSCRIPTION_ID": self.azure_subscription_id,
                    "AZURE_TENANT_ID": self.azure_tenant_id,
                    "AZURE_CLIENT_ID": self._asdict()[f"azure_client_id_{verb}"] or self.azure_client_id,
                }
            case "gcp":
                return {
                    "GOOGLE_CLOUD_PROJECT": self.google_cloud_project,
                    **({"GOOGLE_SERVICE_ACCOUNT": self.google_service_account} if self.google_service_account else {}),
                    **(
                        {"GOOGLE_WORKLOAD_IDENTITY_PROVIDER": self.google_workload_identity_provider}
                        if self.google_workload_identity_provider
                        else {}
                    ),
                }
            case _:
                return {}

    @property
    def patience(self) -> dict[str, str]:
        """Return what the sweep must be told about how long to keep trying."""
        return {"SKYSAGA_KEEP_TRYING": self.keep_trying} if self.keep_trying else {}

    def default_target(self, cloud: str) -> dict[str, str] | None:
        """Return the target of resources that name none; None where the deployment has none on that cloud."""
        match cloud:
            case "aws":
                return {}
            case "azure" if self.azure_subscription_id != UNSET_ID:
                return {"subscription_id": self.azure_subscription_id}
            case "gcp" if self.google_cloud_project != UNSET_PROJECT:
                return {"project": self.google_cloud_project}
            case _:
                return None

    @classmethod
    def from_context(cls, scope: Construct) -> Settings:
        """Read the settings; warn of targets that are unset, since sagas that name their cloud would fail.

        Raises ValueError for a `rollout` that there is not.
        """
        values = {name: scope.node.try_get_context(name) for name in cls._fields}
        if values["rollout"] not in (None, *ROLLOUTS):
            raise ValueError(f"-c rollout={values['rollout']}: give one of {', '.join(ROLLOUTS)}")
        if unset := [name for name in _TARGETS if not values[name]]:
            Annotations.of(scope).add_warning_v2(
                "skysaga:unset", f"{', '.join(unset)}: give -c NAME=VALUE of each to provision on its cloud"
            )
        return cls(**{name: str(value) for name, value in values.items() if value})


def _listed(value: str) -> tuple[str, ...]:
    return tuple(part for it in value.split(",") if (part := it.strip()))
