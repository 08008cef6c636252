"""What the AWS functions read from their environment. Endpoint and credentials are boto3's own business."""

from __future__ import annotations

from pydantic import Field

from lambdas.adapters.settings import Settings


class AwsSettings(Settings):
    """How patient we are with EC2, in seconds; where the function runs, and which regions a sweep looks into.

    In a target of its own a function says with a session tag which `verb` it is for; `function` names its sessions.
    Without any regions it looks into all that are enabled; name them (separated by commas) where a policy forbids some.
    """

    home_region: str = Field(default="us-east-1", alias="AWS_REGION")
    function: str = Field(default="skysaga", alias="AWS_LAMBDA_FUNCTION_NAME", max_length=64)
    verb: str = Field(default="", alias="SKYSAGA_VERB")
    sweep_regions: str = Field(default="", alias="AWS_SWEEP_REGIONS")

    settling_seconds: float = Field(default=120, ge=0, alias="AWS_SETTLING_SECONDS")
    connect_timeout: float = Field(default=3, gt=0, alias="AWS_CONNECT_TIMEOUT")
    read_timeout: float = Field(default=15, gt=0, alias="AWS_READ_TIMEOUT")

    @property
    def regions(self) -> list[str]:
        """The regions that a sweep is confined to, if it is."""
        return [region.strip() for region in self.sweep_regions.split(",") if region.strip()]
