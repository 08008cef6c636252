"""EC2 and Service Quotas clients, one per region, made when first needed and kept as long as the function is warm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from lambdas.aws.settings import AwsSettings

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client


class AwsClients:
    """EC2 in every region. The SDK does not retry: the state machine's Retry does, where it can be seen."""

    def __init__(self, settings: AwsSettings) -> None:
        self._config = Config(
            connect_timeout=settings.connect_timeout,
            read_timeout=settings.read_timeout,
            retries={"total_max_attempts": 1, "mode": "standard"},
        )
        self._ec2: dict[str, EC2Client] = {}
        self._quotas: dict[str, Any] = {}

    def ec2(self, region: str) -> EC2Client:
        """The client of one region."""
        if region not in self._ec2:
            self._ec2[region] = boto3.client("ec2", region_name=region, config=self._config)
        return self._ec2[region]

    def quotas(self, region: str) -> Any:
        """The Service Quotas client of one region; boto3-stubs for it are not installed."""
        if region not in self._quotas:
            self._quotas[region] = boto3.client("service-quotas", region_name=region, config=self._config)
        return self._quotas[region]
