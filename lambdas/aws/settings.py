"""What the AWS functions read from their environment. Endpoint and credentials are boto3's own business."""

from __future__ import annotations

from pydantic import Field

from lambdas.adapters.settings import Settings


class AwsSettings(Settings):
    """How patient we are with EC2, in seconds."""

    settling_seconds: float = Field(default=120, ge=0, alias="AWS_SETTLING_SECONDS")
    connect_timeout: float = Field(default=3, gt=0, alias="AWS_CONNECT_TIMEOUT")
    read_timeout: float = Field(default=15, gt=0, alias="AWS_READ_TIMEOUT")
