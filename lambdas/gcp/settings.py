"""What the Google Cloud functions read from their environment. Credentials are google-auth's own business."""

from __future__ import annotations

from pydantic import Field

from lambdas.adapters.settings import Settings


class GcpSettings(Settings):
    """Whose project, where the API is, and how patient we are with it, in seconds."""

    project: str = Field(alias="GOOGLE_CLOUD_PROJECT", min_length=1)
    endpoint: str = Field(default="https://compute.googleapis.com", alias="GOOGLE_COMPUTE_ENDPOINT")
    settling_seconds: float = Field(default=120, ge=0, alias="GOOGLE_SETTLING_SECONDS")
    connect_timeout: float = Field(default=3, gt=0, alias="GOOGLE_CONNECT_TIMEOUT")
    read_timeout: float = Field(default=15, gt=0, alias="GOOGLE_READ_TIMEOUT")
