"""Google Cloud, as a cloud to provision on."""

from __future__ import annotations

from typing import Final

from infra.clouds.public import PublicCloud
from infra.settings import UNSET_PROJECT, Settings


def _environment(settings: Settings, _verb: str) -> dict[str, str]:
    optional = {
        "GOOGLE_SERVICE_ACCOUNT": settings.google_service_account,
        "GOOGLE_WORKLOAD_IDENTITY_PROVIDER": settings.google_workload_identity_provider,
    }
    given = {name: value for name, value in optional.items() if value}
    return {"GOOGLE_CLOUD_PROJECT": settings.google_cloud_project, **given}


def _default_target(settings: Settings) -> dict[str, str] | None:
    project = settings.google_cloud_project
    return {"project": project} if project != UNSET_PROJECT else None


GCP: Final = PublicCloud(
    name="gcp",
    environment=_environment,
    default_target=_default_target,
    memory=512,  # importing Compute Engine's client takes 150 MB and the CPU that comes with memory
)
